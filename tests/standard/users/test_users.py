"""People as they see themselves, and as the platform administrator sees them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from tests.identity.conftest import PASSWORD, World, bearer

from tenantry.audit import sensitive
from tenantry.identity import OneTimeToken, Session, User
from tenantry.kernel import new_id

pytestmark = pytest.mark.anyio


async def request(world: World, method: str, path: str, pair: dict[str, Any], **values: Any) -> Any:
    headers = bearer(pair) | values.pop("headers", {})
    return await world.http.request(method, f"/api/v1{path}", headers=headers, **values)


async def test_one_reads_and_renames_oneself(world: World) -> None:
    person = await world.person(name="Ada")
    pair = await person.sign_in()
    read = await request(world, "GET", "/me", pair)
    assert (read.json()["id"], read.json()["name"], read.headers["etag"]) == (str(person.id), "Ada", '"1"')
    for path, name in (("/me", "Ada L."), (f"/users/{person.id}", "Ada Lovelace")):
        answer = await request(world, "PATCH", path, pair, json={"name": name})
        assert (answer.status_code, answer.json()["name"]) == (200, name)
    assert (answer.json()["version"], answer.headers["etag"]) == (3, '"3"')
    assert (await request(world, "GET", f"/users/{person.id}", pair)).json() == answer.json()


async def test_a_stale_version_changes_nothing(world: World) -> None:
    pair = await (await world.person(name="Ada")).sign_in()
    await request(world, "PATCH", "/me", pair, json={"name": "First"}, headers={"If-Match": '"1"'})
    answer = await request(world, "PATCH", "/me", pair, json={"name": "Second"}, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["code"]) == (412, "stale_version")
    assert (await request(world, "GET", "/me", pair)).json()["name"] == "First"


async def test_a_change_of_nothing_is_no_change(world: World) -> None:
    pair = await (await world.person(name="Ada")).sign_in()
    for body in ({}, {"name": "Ada"}):
        assert (await request(world, "PATCH", "/me", pair, json=body)).json()["version"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"name": None},
        {"name": ""},
        {"email": "x@acme.test"},
        {"platform_role": "superadmin"},
        {"password_hash": "x"},
        {"id": str(new_id())},
    ],
)
async def test_what_is_not_ones_own_to_change_is_refused(world: World, body: dict[str, Any]) -> None:
    pair = await (await world.person()).sign_in()
    assert (await request(world, "PATCH", "/me", pair, json=body)).status_code == 422


async def test_others_do_not_exist_except_for_the_platform_administrator(world: World) -> None:
    ada, bob = await world.person(), await world.person(name="Bob")
    admin = await world.person(platform_role="superadmin")
    stranger, root = await ada.sign_in(), await admin.sign_in()
    for method, body in (("GET", None), ("PATCH", {"name": "Mallory"}), ("DELETE", None)):
        answers = [
            await request(world, method, f"/users/{user_id}", stranger, json=body) for user_id in (bob.id, new_id())
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert {answer.json()["detail"] for answer in answers} == {"There is no such user."}
    assert (await request(world, "GET", f"/users/{bob.id}", root)).json()["name"] == "Bob"
    assert (await request(world, "GET", f"/users/{new_id()}", root)).status_code == 404


async def test_one_does_not_change_ones_own_address_or_state(world: World) -> None:
    person = await world.person()
    pair = await person.sign_in()
    for body in ({"email": "new@acme.test"}, {"is_active": False}):
        answer = await request(world, "PATCH", f"/users/{person.id}", pair, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_platform_admin")


async def test_a_deactivated_user_is_out_at_once_and_back_when_activated(world: World) -> None:
    admin, person = await world.person(platform_role="superadmin"), await world.person()
    root, pair = await admin.sign_in(), await person.sign_in()
    assert (await request(world, "GET", "/me", pair)).status_code == 200
    await request(world, "PATCH", f"/users/{person.id}", root, json={"is_active": False})
    assert (await request(world, "GET", "/me", pair)).status_code == 401
    await request(world, "PATCH", f"/users/{person.id}", root, json={"is_active": True})
    assert (await request(world, "GET", "/me", pair)).status_code == 401
    await person.sign_in()


async def test_an_address_that_is_taken_cannot_be_given_to_another(world: World) -> None:
    admin, ada, bob = await world.person(platform_role="superadmin"), await world.person(), await world.person()
    root = await admin.sign_in()
    answer = await request(world, "PATCH", f"/users/{ada.id}", root, json={"email": bob.email.upper()})
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")


async def test_a_deleted_user_leaves_nothing_personal_behind(world: World) -> None:
    email = f"canary{new_id().hex}@acme.test"
    body = {"email": email, "password": PASSWORD, "name": "Canary Personal"}
    user = (await world.http.post("/api/v1/auth/register", json=body)).json()
    login = {"email": email, "password": PASSWORD}
    agent = {"User-Agent": "canary-agent"}
    pairs = [(await world.http.post("/api/v1/auth/login", json=login, headers=agent)).json() for _ in range(2)]
    await request(world, "PATCH", "/me", pairs[0], json={"name": "Canary Renamed"})
    await world.http.post("/api/v1/auth/password-reset", json={"email": email})
    await world.runtime.courier.close()

    assert (await request(world, "DELETE", f"/users/{user['id']}", pairs[0])).status_code == 204
    assert [(await request(world, "GET", "/me", pair)).status_code for pair in pairs] == [401, 401]
    assert (await world.http.post("/api/v1/auth/login", json=login)).status_code == 401
    for table in ("users", "sessions", "one_time_tokens", "audit_entries", "throttles"):
        found = await world.rows(f"SELECT 1 FROM control.{table} t WHERE t::text ~* 'canary'")
        assert found == [], table
    (row,) = await world.rows("SELECT * FROM control.users WHERE id = $1", UUID(user["id"]))
    assert (row["is_active"], row["name"], row["password_hash"]) == (False, "Deleted user", "!")
    assert (await world.http.post("/api/v1/auth/register", json=body)).status_code == 201


async def test_every_change_is_in_the_trail_with_who_did_it(world: World) -> None:
    admin, person = await world.person(platform_role="superadmin"), await world.person(name="Ada")
    pair, root = await person.sign_in(), await admin.sign_in()
    await request(world, "PATCH", "/me", pair, json={"name": "Ada L."}, headers={"X-Request-Id": "r-17"})
    await request(world, "PATCH", f"/users/{person.id}", root, json={"is_active": False})
    await request(world, "DELETE", f"/users/{person.id}", root)
    trail = await world.rows(
        "SELECT * FROM control.audit_entries WHERE resource_id = $1 ORDER BY id",
        person.id,
    )
    assert [(row["action"], row["actor_id"]) for row in trail] == [
        ("users.created", None),
        ("users.updated", person.id),
        ("sessions.all_ended", admin.id),
        ("users.updated", admin.id),
        ("users.deleted", admin.id),
    ]
    assert (trail[1]["request_id"], trail[1]["before"], trail[1]["after"]) == (
        "r-17",
        '{"name": "***"}',
        '{"name": "***"}',
    )


async def trail_of_canaries(world: World) -> str:
    """What the trail says about a user whose name and address were changed to canaries."""
    admin, person = await world.person(platform_role="superadmin"), await world.person(name="Canary before")
    root, email = await admin.sign_in(), f"canary{new_id().hex}@acme.test"
    body = {"name": "Canary after", "email": email, "is_active": False}
    assert (await request(world, "PATCH", f"/users/{person.id}", root, json=body)).status_code == 200
    rows = await world.rows("SELECT t::text FROM control.audit_entries t WHERE resource_id = $1", person.id)
    return "\n".join(row[0] for row in rows)


async def test_the_trail_masks_what_the_table_says_is_sensitive(world: World) -> None:
    trail = await trail_of_canaries(world)
    assert "canary" not in trail.lower()
    assert trail.count("***") == 4
    assert '""is_active"": false' in trail


@pytest.mark.parametrize("column", ["name", "email"])
async def test_a_column_that_is_not_marked_would_be_seen_in_the_trail(
    world: World, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: it is the mark in the table, and nothing else, that masks."""
    monkeypatch.setattr(User.__table__.c[column], "info", {})
    assert "canary" in (await trail_of_canaries(world)).lower()


def test_every_column_is_marked_or_is_neither_personal_nor_secret() -> None:
    """A new column has to be put on one of the two sides."""
    unmarked = {table: {*table.__table__.columns.keys()} - sensitive(table) for table in (User, Session, OneTimeToken)}
    moments = {"created_at", "updated_at", "last_used_at", "expires_at", "idle_expires_at", "rotated_at", "revoked_at"}
    assert unmarked[User] - moments == {"id", "is_active", "email_verified_at", "platform_role", "version"}
    of_session = {"id", "user_id", "generation", "active_tenant_id", "revoke_reason"}
    assert unmarked[Session] - moments == of_session
    assert unmarked[OneTimeToken] - moments == {"purpose", "user_id", "used_at"}


async def test_the_platform_role_of_a_token_follows_the_user(world: World) -> None:
    admin = await world.person(platform_role="superadmin")
    pair = await admin.sign_in()
    identity = await world.service.authenticator.authenticate(pair["access_token"])
    assert identity.platform_role == "superadmin"
    await request(world, "DELETE", f"/users/{admin.id}", pair)
    assert (await request(world, "GET", "/me", pair)).status_code == 401
