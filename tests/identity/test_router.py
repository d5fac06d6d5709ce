"""The routes as a whole: declared rules, documented security, and nothing parsed for strangers."""

from __future__ import annotations

import json

import pytest

from tenantry.app import Application, openapi_document
from tenantry.http import InputSchema, ResponseStyle, rules_of, unbounded_strings
from tenantry.query import PageSizes
from tenantry.standard.auth import schemas as of_auth
from tenantry.standard.users import schemas as of_users

from .conftest import MODULES, ROUTES, World, bearer

pytestmark = pytest.mark.anyio


def test_every_route_declares_who_may_call_it() -> None:
    assert len(ROUTES) == 17
    assert [route.path for route in ROUTES if len(rules_of(route)) != 1] == []


def test_every_text_that_comes_in_is_bounded() -> None:
    kinds = {**vars(of_auth), **vars(of_users)}.values()
    inputs = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, InputSchema)]
    assert len(inputs) > 8
    assert {kind.__name__: unbounded_strings(kind) for kind in inputs if unbounded_strings(kind)} == {}


async def test_strangers_are_told_to_sign_in_before_anything_is_parsed(world: World) -> None:
    for route in ROUTES:
        if rules_of(route)[0].__name__ == "public":
            continue
        path = route.path.replace("{user_id}", "no-id").replace("{session_id}", "no-id")
        for method in route.methods:
            answer = await world.http.request(method, path, content=b"{broken", headers={"Content-Type": "text/x"})
            assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), path


async def test_the_documentation_page_can_sign_in() -> None:
    application = Application("Identity", "planner", MODULES)
    document = openapi_document(application, ROUTES, ResponseStyle.PLAIN, sizes=PageSizes(50, 200))
    flow = document["components"]["securitySchemes"]["bearer"]["flows"]["password"]
    assert flow["tokenUrl"] == "/api/v1/auth/token"
    secured = {
        operation["operationId"]: "security" in operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    open_to_all = {name for name, is_secured in secured.items() if not is_secured}
    assert all(name.startswith("auth_") for name in open_to_all)
    assert "auth_switch_tenant" not in open_to_all
    assert len(secured) == len(ROUTES)


async def test_answers_with_tokens_are_not_stored_by_caches(world: World) -> None:
    person = await world.person()
    answer = await world.http.post("/api/v1/auth/login", json={"email": person.email, "password": "correct horse 1"})
    assert answer.headers["cache-control"] == "no-store"
    me = await world.http.get("/api/v1/me", headers=bearer(answer.json()))
    assert (me.headers["cache-control"], "Authorization" in me.headers["vary"]) == ("no-store", True)


POISON = [
    "\x00",
    "\ud800",
    "",
    " ",
    "\u202e",
    "x" * 100_000,
    2**63,
    -1,
    1e308,
    True,
    None,
    [],
    {},
    [[[]]],
    {"a": "\x00"},
]


@pytest.mark.parametrize("path", ["register", "login", "refresh", "logout", "verify-email", "password-reset"])
async def test_no_value_in_a_body_is_a_failure_of_the_server(world: World, path: str) -> None:
    for member in ("email", "password", "name", "token", "refresh_token"):
        for value in POISON:
            body = {"email": "a@acme.test", "password": "password", "name": "A", member: value}
            content = json.dumps(body)  # spells lone surrogates as escapes, which is legal JSON
            headers = {"Content-Type": "application/json"}
            answer = await world.http.post(f"/api/v1/auth/{path}", content=content, headers=headers)
            assert answer.status_code in {201, 202, 400, 401, 409, 422, 429}, (member, value, answer.text)
