"""How many items a page has is configured once: every list obeys it, and every document says it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import suite_settings

from planner.app import application
from tenantry.app import assembled
from tenantry.database import DatabaseUrls
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

SIZES = {"page_size": 2, "max_page_size": 3}


@pytest.fixture(scope="module")
async def small(urls: DatabaseUrls, anyio_backend: object) -> AsyncIterator[World]:
    """The application with small pages."""
    settings = suite_settings()
    settings = settings.model_copy(update={"http": settings.http.model_copy(update=SIZES)})
    async with assembled(application, settings, urls) as assembly:
        yield World(assembly)


@pytest.fixture
async def tenant(small: World) -> TestTenant:
    """A tenant with four items and its four members."""
    tenant = await small.tenant()
    for number in range(4):
        body = {"name": f"{tenant.canary} {number}", "price_cents": 1 + number}
        answer = await tenant.owner.post("/items", json=body)
        assert answer.status_code == 201, answer.text
    return tenant


@pytest.mark.parametrize("path", ["/items", "/members", "/activity"])
async def test_resources_hand_written_lists_and_the_applications_own_obey_the_same_sizes(tenant, path) -> None:
    async def items(query: str) -> int:
        answer = await tenant.owner.get(f"{path}{query}")
        assert answer.status_code == 200, answer.text
        return len(answer.json()["items"])

    assert [await items(query) for query in ("", "?page_size=3", "?limit=3")] == [2, 3, 3]
    for query in ("page_size=4", "limit=4"):
        refused = await tenant.owner.get(f"{path}?{query}")
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_page")


async def test_every_list_of_the_document_says_them(small) -> None:
    told = sizes_told(small.app.openapi())
    assert len(told) > 10
    assert {tuple(sizes) for sizes in told.values()} == {(2, 3, 99_997)}


@pytest.mark.parametrize("style", ["plain", "envelope"])
def test_the_command_line_writes_the_sizes_and_the_style_that_are_configured(style) -> None:
    command = [Path(sys.executable).with_name("tenantry"), "openapi"]
    environ = {f"TENANTRY_HTTP_{name.upper()}": str(size) for name, size in SIZES.items()}
    environ["TENANTRY_HTTP_RESPONSE_STYLE"] = style
    written = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=60)
    document = json.loads(written.stdout)
    assert {tuple(sizes) for sizes in sizes_told(document).values()} == {(2, 3, 99_997)}
    items = document["paths"]["/api/v1/items"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert ("Envelope" in items["$ref"]) is (style == "envelope")


def sizes_told(document: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Return the usual and the largest size, and the deepest skip, of each operation that answers pages."""
    told = {}
    for methods in document["paths"].values():
        for operation in methods.values():
            schemas = {one["name"]: one["schema"] for one in operation.get("parameters", ())}
            if {"page_size", "cursor"} <= schemas.keys():
                assert schemas["page_size"] == schemas["limit"]
                size, skip = schemas["page_size"], schemas["skip"]
                told[operation["operationId"]] = (size["default"], size["maximum"], skip["maximum"])
    return told
