"""IN-01, SC-02: Schemathesis makes requests of the OpenAPI document; every answer is one that the document declares.

What is valid, what is at a boundary and what is just wrong (`coverage`), then chance (`fuzzing`), sent as the owner of
a tenant, as the administrator of the platform, and as nobody, in both response styles. ``SEED=…`` repeats or varies a
run, ``FUZZ_EXAMPLES=…`` is the number of chance requests for each operation.
"""

from __future__ import annotations

import os
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any

import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.pytest._test_builder import build_operation_test
from tests.acceptance.surface import QUESTIONS, Operation, collection_of
from tests.fuzz.conftest import SEED, NoMailer, Scene, fuzz_settings, set_scene
from tests.fuzz.portal import BASE_URL, Served
from tests.fuzz.surface import Caller

from planner.app import application
from tenantry.app import Settings, assembled, openapi_document
from tenantry.database import DatabaseUrls
from tenantry.http import ResponseStyle
from tenantry.testing import World

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))
LEAST = 5_000

SIZES = Settings().page_sizes
DOCUMENTS = {
    style: openapi_document(application, application.routes(style), style, sizes=SIZES) for style in ResponseStyle
}
LABELS = [f"{one.method} {one.path}" for one in Operation.of_document(DOCUMENTS[ResponseStyle.PLAIN])]
LOGOUT = "POST /api/v1/auth/logout"  # ends the session that sends it
OF_PLATFORM = [label for label in LABELS if re.search("/api/v1/(platform|users)", label)]
OF_OWNER = [label for label in LABELS if label not in (*OF_PLATFORM, LOGOUT)]
PUBLIC = [label for label in LABELS if "/api/v1/auth" in label]

pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
"""Hypothesis watches `random` while it draws. The application runs on a thread of its own and waits, where it has to
try something again, for a moment that it leaves to chance."""

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

NAMED = {"subject_type", "subject_id", "action", "resource_type"}
"""What a grant names that chance does not find."""

unhurried = settings(deadline=None, suppress_health_check=list(HealthCheck))


class Fuzz:
    """The application in one style, who is in it, and what was sent."""

    def __init__(self, served: Served, scene: Scene, style: ResponseStyle) -> None:
        self.served = served
        self.scene = scene
        self.sent: Counter[str] = Counter()
        self.succeeded: Counter[str] = Counter()
        self._style = style
        self._session = served.session()
        self._turn = count()

    def try_out(self, label: str, caller: Caller, *, examples: int = EXAMPLES, coverage: bool = True) -> None:
        """Send the cases of one operation as a caller; the first answer that the document does not declare fails."""

        def judge(case: schemathesis.Case) -> None:
            case.validate_response(self._send(case, caller), checks=CONFORMANCE)

        schema = _schema(self._style, examples, coverage=coverage)
        method, _, path = label.partition(" ")
        # What `schema.parametrize()` does for each operation. That has one node id for all of them (schemathesis 4.32
        # with pytest 9.2), of which xdist runs one, and it makes whoever collects the suite wait for the cases.
        build_operation_test(
            config=schema.config,
            operation=schema[path][method],
            test_func=judge,
            given_kwargs={},
            feedback=NO_FEEDBACK,
            explicit_settings=unhurried,
        )()

    def _send(self, case: schemathesis.Case, caller: Caller) -> schemathesis.Response:
        turn = next(self._turn)
        if turn % 10:
            _make_it_deep(case, turn)
        if turn % 3:
            _use_real_ids(case, caller)
        headers = {name.decode().title(): value.decode() for name, value in caller.headers}
        answer = case.call(base_url=BASE_URL, session=self._session, headers=headers)
        self.sent[case.operation.label] += 1
        self.succeeded[case.operation.label] += answer.status_code < 300
        return answer


@pytest.fixture(scope="module")
def fuzz(urls: DatabaseUrls, anyio_backend: object) -> Iterator[Fuzz]:
    """The application in plain style."""
    print(f"SEED={SEED}")  # noqa: T201 - pytest shows it with a failure
    with _served(urls, ResponseStyle.PLAIN) as served:
        yield served


@pytest.fixture(scope="module")
def enveloped(urls: DatabaseUrls, anyio_backend: object) -> Iterator[Fuzz]:
    """The application in envelope style."""
    with _served(urls, ResponseStyle.ENVELOPE) as served:
        yield served


@pytest.mark.parametrize("label", OF_OWNER)
def test_the_owner_of_a_tenant_gets_what_the_document_says(fuzz: Fuzz, label: str) -> None:
    fuzz.try_out(label, fuzz.scene.owner)


@pytest.mark.parametrize("label", OF_PLATFORM)
def test_the_platform_administrator_gets_what_the_document_says(fuzz: Fuzz, label: str) -> None:
    fuzz.try_out(label, fuzz.scene.admin)


@pytest.mark.parametrize("label", PUBLIC)
def test_nobody_gets_what_the_document_says_where_no_login_is_needed(fuzz: Fuzz, label: str) -> None:
    fuzz.try_out(label, fuzz.scene.anybody)


@pytest.mark.parametrize("label", [label for label in LABELS if label not in PUBLIC])
def test_nobody_is_refused_as_the_document_says(fuzz: Fuzz, label: str) -> None:
    fuzz.try_out(label, fuzz.scene.anybody, examples=3, coverage=False)


@pytest.mark.parametrize("label", [*OF_OWNER, *OF_PLATFORM])
def test_in_envelopes_the_document_is_true_as_well(enveloped: Fuzz, label: str) -> None:
    caller = enveloped.scene.admin if label in OF_PLATFORM else enveloped.scene.owner
    enveloped.try_out(label, caller, examples=5, coverage=False)


def test_every_operation_was_tried_often_enough(fuzz: Fuzz, request: pytest.FixtureRequest) -> None:
    """The last test of this file: it counts what the others sent in this process (``--dist loadfile``)."""
    chosen = {item.name for item in request.session.items if item.path == request.path}
    if len(chosen) < len(LABELS):
        pytest.skip("only some of the operations were run")
    print(sum(fuzz.sent.values()), "requests", fuzz.served.answers)  # noqa: T201 - the same
    assert fuzz.sent.keys() == set(LABELS)
    assert sum(fuzz.sent.values()) >= LEAST
    assert min(fuzz.sent.values()) >= 5
    assert not [status for status in fuzz.served.answers if status >= 500]
    unreached = {label for label in LABELS if not fuzz.succeeded[label]}
    assert len(unreached) <= len(LABELS) // 3, unreached


@cache
def _schema(style: ResponseStyle, examples: int, *, coverage: bool) -> schemathesis.openapi.OpenApiSchema:
    # Ids come from the scene: those of earlier answers would make a run depend on the order of the tests.
    phases = {
        "fuzzing": {"extra-data-sources": {"responses": False}},
        "coverage": {"enabled": coverage},
        "examples": {"enabled": False},
    }
    generation = {"max-examples": examples, "database": "none"}
    options = {"seed": SEED, "base-url": BASE_URL, "generation": generation, "phases": phases}
    return schemathesis.openapi.from_dict(DOCUMENTS[style], config=schemathesis.Config.from_dict(options))


@contextmanager
def _served(urls: DatabaseUrls, style: ResponseStyle) -> Iterator[Fuzz]:
    """Assemble the application on an event loop of its own: Schemathesis does not wait for coroutines."""
    plain = fuzz_settings()
    chosen = plain.model_copy(update={"http": plain.http.model_copy(update={"response_style": style})})
    with (
        start_blocking_portal("asyncio", {"use_uvloop": True}) as portal,
        portal.wrap_async_context_manager(assembled(application, chosen, urls, mailer=NoMailer())) as assembly,
    ):
        # The scene is set in the words of the plain style.
        scene = portal.call(set_scene, World(replace(assembly, settings=plain)))
        scene = replace(scene, world=World(assembly))
        yield Fuzz(Served(scene.world.app, portal), scene, style)


def _make_it_deep(case: schemathesis.Case, turn: int) -> None:
    """Take out of a case what would end it at the first check, before what is behind is tried."""
    for name in ("X-Tenant-Id", "X-Tenant-Slug"):  # of a tenant that there is not: 403
        case.headers.pop(name, None)
    for name in SPELLINGS[turn % len(SPELLINGS)]:  # all spellings of a page at once: 400
        case.query.pop(name, None)
    for name in [name for name in case.query if name.startswith("filter[")][MAX_FILTERS:]:  # 400 as well
        del case.query[name]


def _use_real_ids(case: schemathesis.Case, caller: Caller) -> None:
    """Put what exists where the case has ids of nothing, or texts that chance does not find; what is deleted stays
    imaginary."""
    if case.method == "DELETE":
        return
    parts = case.path.split("/")
    for at, part in enumerate(parts):
        name = part[1:-1]
        if part.startswith("{") and _is_id(case.path_parameters.get(name)):
            case.path_parameters[name] = str(caller.ids[collection_of(parts, at)])
    operation = str(case.operation.definition.raw["operationId"])
    known = QUESTIONS[operation](caller.ids) if operation in QUESTIONS else {}
    _put_known(case.query, known, caller)
    if isinstance(case.body, dict):
        gift = caller.body(operation) or {} if operation.endswith("grants_create") else {}
        _put_known(case.body, {name: value for name, value in gift.items() if name in NAMED}, caller)


def _put_known(members: dict[str, Any], known: Mapping[str, str], caller: Caller) -> None:
    for name, value in members.items():
        if name in known:
            members[name] = known[name]
        elif _is_id(value) and name in caller.ids:
            members[name] = str(caller.ids[name])


def _is_id(value: object) -> bool:
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value
    except ValueError:
        return False
