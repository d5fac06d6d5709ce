"""IN-12: a method that an address does not take is 405 and named by nobody; no method and no address is a failure."""

from __future__ import annotations

import re

import pytest
from tests.acceptance.surface import Operation
from tests.fuzz.conftest import Scene
from tests.fuzz.direct import Request, ask
from tests.fuzz.poison import TEXTS

from tenantry.kernel import new_id

pytestmark = pytest.mark.anyio

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "PROPFIND", "get",
           "GET ", "\x00", "M" * 5_000, "\u0130")  # fmt: skip


async def test_what_an_address_does_not_take_is_405_with_what_it_takes(scene: Scene) -> None:
    operations = Operation.of_document(scene.world.app.openapi())
    for path in {operation.path for operation in operations}:
        taken = {one.method for one in operations if _covers(one.path, path)}
        taken |= {"HEAD"} if "GET" in taken else set()
        for method in METHODS:
            if method in taken:
                continue
            target = re.sub(r"\{\w+\}", str(new_id()), path).encode()
            answer = await ask(scene.world.app, Request(method, target, scene.owner.headers))
            assert answer.status == 405, (method, path)
            assert method == "HEAD" or answer.json()["code"] == "method_not_allowed", (method, path)
            assert set(answer.header(b"allow").decode().split(", ")) == taken, (method, path)


@pytest.mark.parametrize("method", METHODS)
async def test_an_address_of_nothing_is_404_by_every_method(scene: Scene, method: str) -> None:
    for target in (b"/", b"", b"//", b"/api", b"/api/v1", b"/api/v1/", b"/api/v1/nothing", b"/API/V1/items", b"*"):
        answer = await ask(scene.world.app, Request(method, target, scene.owner.headers))
        assert answer.status == 404, (method, target)
        assert method == "HEAD" or answer.json()["code"] == "route_not_found", (method, target)


@pytest.mark.parametrize("before", [b"/", b"/api/v1/", b"/api/v1/items", b"/api/v1/items/", b"/healthz", b"/metrics/"])
async def test_no_poison_in_an_address_is_a_failure(scene: Scene, before: bytes) -> None:
    for label, raw in TEXTS.items():
        answer = await ask(scene.world.app, Request("GET", before + raw, scene.owner.headers))
        assert answer.status in (200, 400, 404, 422), label


def _covers(template: str, path: str) -> bool:
    """Say whether the template of one operation matches what another path looks like."""
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) is not None
