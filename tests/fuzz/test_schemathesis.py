"""IN-01, SC-02: Schemathesis makes requests of the OpenAPI document; every answer is one that the document declares.

What is valid, what is at a boundary and what is just wrong (`coverage`), then chance (`fuzzing`), sent as the owner of
a tenant, as the administrator of the platform, and as nobody. ``SEED=…`` repeats or varies a run, ``FUZZ_EXAMPLES=…``
is the number of chance requests for each operation.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Iterator
from itertools import count

import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks
from tests.fuzz.conftest import SEED, NoMailer, Scene, fuzz_settings, set_scene
from tests.fuzz.portal import BASE_URL, Served
from tests.fuzz.surface import Caller

from planner.app import application
from tenantry.app import assembled, openapi_document, routes_of
from tenantry.database import DatabaseUrls
from tenantry.http import ResponseStyle
from tenantry.testing import World

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))
LEAST = 5_000

DOCUMENT = openapi_document(application, routes_of(application, ResponseStyle.PLAIN), ResponseStyle.PLAIN)
PLATFORM = "^/api/v1/(platform|users)"
PUBLIC = "^/api/v1/auth"
ENDS_THE_SESSION = "auth_logout"


def schema(examples: int, *, coverage: bool = True) -> schemathesis.openapi.OpenApiSchema:
    """Return the document as something to make requests of."""
    # Ids come from the scene: those of earlier answers would make a run depend on the order of the tests.
    phases = {
        "fuzzing": {"extra-data-sources": {"responses": False}},
        "coverage": {"enabled": coverage},
        "examples": {"enabled": False},
    }
    generation = {"max-examples": examples, "database": "none"}
    options = {"seed": SEED, "base-url": BASE_URL, "generation": generation, "phases": phases}
    return schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config.from_dict(options))


THOROUGH = schema(EXAMPLES)
BRIEF = schema(3, coverage=False)

load_all_checks()
CONFORMANCE = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)

MAX_FILTERS = 20
SPELLINGS = (("skip", "limit", "cursor"), ("page", "page_size", "cursor"), ("page", "skip", "limit"))
"""What must not stand beside one way of asking for a page."""

unhurried = settings(deadline=None, suppress_health_check=list(HealthCheck))


class Fuzz:
    """The application, who is in it, and what was sent."""

    def __init__(self, served: Served, scene: Scene) -> None:
        self.served = served
        self.scene = scene
        self.sent: Counter[str] = Counter()
        self.succeeded: Counter[str] = Counter()
        self._session = served.session()
        self._turn = count()

    def judge(self, case: schemathesis.Case, caller: Caller) -> None:
        """Send one case as a caller and compare the answer with the document."""
        turn = self.next_turn()
        _make_it_deep(case, turn)
        if turn % 3:
            _use_real_ids(case, caller)
        case.validate_response(self.send(case, caller), checks=CONFORMANCE)

    def send(self, case: schemathesis.Case, caller: Caller) -> schemathesis.Response:
        """Send one case as a caller."""
        headers = {name.decode().title(): value.decode() for name, value in caller.headers}
        answer = case.call(base_url=BASE_URL, session=self._session, headers=headers)
        self.sent[case.operation.label] += 1
        self.succeeded[case.operation.label] += answer.status_code < 300
        return answer

    def next_turn(self) -> int:
        """Return the number of the next request: what is to happen to some of them happens by their number."""
        return next(self._turn)


@pytest.fixture(scope="module")
def fuzz(urls: DatabaseUrls, anyio_backend: object) -> Iterator[Fuzz]:
    """The production assembly on an event loop of its own: Schemathesis does not wait for coroutines."""
    print(f"SEED={SEED}")  # noqa: T201 - pytest shows it with a failure
    with (
        start_blocking_portal("asyncio", {"use_uvloop": True}) as portal,
        portal.wrap_async_context_manager(assembled(application, fuzz_settings(), urls, mailer=NoMailer())) as assembly,
    ):
        scene = portal.call(set_scene, World(assembly))
        yield Fuzz(Served(scene.world.app, portal), scene)


@THOROUGH.exclude(path_regex=PLATFORM).exclude(operation_id=ENDS_THE_SESSION).parametrize()
@unhurried
def test_the_owner_of_a_tenant_gets_what_the_document_says(case: schemathesis.Case, fuzz: Fuzz) -> None:
    fuzz.judge(case, fuzz.scene.owner)


@THOROUGH.include(path_regex=PLATFORM).parametrize()
@unhurried
def test_the_platform_administrator_gets_what_the_document_says(case: schemathesis.Case, fuzz: Fuzz) -> None:
    fuzz.judge(case, fuzz.scene.admin)


@THOROUGH.include(path_regex=PUBLIC).parametrize()
@unhurried
def test_nobody_gets_what_the_document_says_where_no_login_is_needed(case: schemathesis.Case, fuzz: Fuzz) -> None:
    fuzz.judge(case, fuzz.scene.anybody)


@BRIEF.exclude(path_regex=PUBLIC).parametrize()
@unhurried
def test_nobody_is_refused_as_the_document_says(case: schemathesis.Case, fuzz: Fuzz) -> None:
    fuzz.judge(case, fuzz.scene.anybody)


def test_every_operation_was_tried_often_enough(fuzz: Fuzz) -> None:
    """The last test of this file: it counts what the others sent."""
    operations = {operation.ok().label for operation in THOROUGH.get_all_operations()}
    if fuzz.sent.keys() < operations:
        pytest.skip("only some of the operations were run")
    print(sum(fuzz.sent.values()), "requests", fuzz.served.answers)  # noqa: T201 - the same
    assert sum(fuzz.sent.values()) >= LEAST
    assert min(fuzz.sent.values()) >= 5
    assert not [status for status in fuzz.served.answers if status >= 500]
    unreached = {label for label in operations if not fuzz.succeeded[label]}
    assert len(unreached) <= len(operations) // 3, unreached


def _make_it_deep(case: schemathesis.Case, turn: int) -> None:
    """Take out of nine cases in ten what would end them at the first check, before what is behind is tried."""
    if turn % 10 == 0:
        return
    for name in ("X-Tenant-Id", "X-Tenant-Slug"):  # of a tenant that there is not: 403
        case.headers.pop(name, None)
    for name in SPELLINGS[turn % len(SPELLINGS)]:  # all spellings of a page at once: 400
        case.query.pop(name, None)
    for name in [name for name in case.query if name.startswith("filter[")][MAX_FILTERS:]:  # 400 as well
        del case.query[name]


def _use_real_ids(case: schemathesis.Case, caller: Caller) -> None:
    """Put ids of what exists where the case has ids of nothing; what is deleted stays imaginary."""
    if case.method == "DELETE":
        return
    parts = case.path.split("/")
    for at, part in enumerate(parts):
        name = part[1:-1]
        if part.startswith("{") and _is_id(case.path_parameters.get(name)):
            case.path_parameters[name] = str(caller.ids[parts[at - 1]])
    if isinstance(case.body, dict):
        for name, value in case.body.items():
            if _is_id(value) and name in caller.ids:
                case.body[name] = str(caller.ids[name])


def _is_id(value: object) -> bool:
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value
    except ValueError:
        return False
