"""Refresh tokens and the sessions they carry."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tenantry.database.unit_of_work import UnitOfWork
from tenantry.identity import IdentityService, InvalidRefreshToken
from tenantry.kernel import new_id

from .conftest import SECRET, MakeWorld, World, bearer

pytestmark = pytest.mark.anyio


async def refresh(world: World, token: str) -> Any:
    return await world.http.post("/api/v1/auth/refresh", json={"refresh_token": token})


async def refreshed(world: World, token: str) -> dict[str, Any]:
    answer = await refresh(world, token)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def works(world: World, pair: dict[str, Any]) -> bool:
    return bool((await world.http.get("/api/v1/me", headers=bearer(pair))).status_code == 200)


async def session_of(world: World, pair: dict[str, Any]) -> asyncpg.Record:
    (row,) = await world.rows("SELECT * FROM control.sessions WHERE id = $1", UUID(pair["refresh_token"].split(".")[0]))
    return row


async def test_a_refresh_gives_a_new_pair_that_works(world: World) -> None:
    pair = await (await world.person()).sign_in()
    world.advance(minutes=9)
    new = await refreshed(world, pair["refresh_token"])
    assert set(new) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (new["token_type"], new["expires_in"]) == ("bearer", 600)
    assert new["refresh_token"] != pair["refresh_token"]
    world.advance(minutes=2)
    assert await works(world, new)
    assert not await works(world, pair)


async def test_the_first_token_of_a_chain_of_four_ends_the_family_when_it_comes_back(world: World) -> None:
    chain = [await (await world.person()).sign_in()]
    for _ in range(3):
        chain.append(await refreshed(world, chain[-1]["refresh_token"]))
    assert await works(world, chain[-1])
    assert (await refresh(world, chain[0]["refresh_token"])).status_code == 401
    assert [await works(world, pair) for pair in chain] == [False] * 4
    assert [(await refresh(world, pair["refresh_token"])).status_code for pair in chain] == [401] * 4
    assert (await session_of(world, chain[0]))["revoke_reason"] == "reuse"


async def test_a_reuse_is_in_the_trail(world: World) -> None:
    first = await (await world.person()).sign_in()
    second = await refreshed(world, first["refresh_token"])
    await refreshed(world, second["refresh_token"])
    await refresh(world, first["refresh_token"])
    session_id = UUID(first["refresh_token"].split(".")[0])
    trail = await world.rows(
        "SELECT action, after FROM control.audit_entries WHERE resource_id = $1 ORDER BY id", session_id
    )
    assert [(row["action"], row["after"]) for row in trail] == [
        ("sessions.started", None),
        ("sessions.ended", '{"reason": "reuse"}'),
    ]


async def test_the_parent_gets_the_same_pair_again_for_ten_seconds(world: World) -> None:
    pair = await (await world.person()).sign_in()
    child = await refreshed(world, pair["refresh_token"])
    world.advance(seconds=10)
    again = await refreshed(world, pair["refresh_token"])
    assert (again["refresh_token"], again["access_token"]) == (child["refresh_token"], child["access_token"])
    assert again["expires_in"] == 590
    await refreshed(world, child["refresh_token"])


async def test_the_parent_ends_the_family_after_ten_seconds(world: World) -> None:
    pair = await (await world.person()).sign_in()
    child = await refreshed(world, pair["refresh_token"])
    world.advance(seconds=11)
    assert (await refresh(world, pair["refresh_token"])).status_code == 401
    assert not await works(world, child)
    assert (await refresh(world, child["refresh_token"])).status_code == 401


async def test_the_parent_ends_the_family_once_the_child_was_used(world: World) -> None:
    pair = await (await world.person()).sign_in()
    child = await refreshed(world, pair["refresh_token"])
    grandchild = await refreshed(world, child["refresh_token"])
    assert (await refresh(world, pair["refresh_token"])).status_code == 401
    assert not await works(world, grandchild)


async def test_tokens_of_one_second_are_told_apart(world: World) -> None:
    pair = await (await world.person()).sign_in()
    for _ in range(2):
        pair = await refreshed(world, old := pair["refresh_token"])
        assert pair["refresh_token"] != old
    assert (await refresh(world, old)).json()["refresh_token"] == pair["refresh_token"]
    await refreshed(world, pair["refresh_token"])
    assert (await refresh(world, old)).status_code == 401


async def test_twenty_refreshes_of_one_token_at_once_are_one_rotation(world: World) -> None:
    for _ in range(5):
        pair = await (await world.person()).sign_in()
        answers = await asyncio.gather(*(refresh(world, pair["refresh_token"]) for _ in range(20)))
        assert [answer.status_code for answer in answers] == [200] * 20
        assert len({answer.json()["refresh_token"] for answer in answers}) == 1
        session = await session_of(world, pair)
        assert (session["generation"], session["revoked_at"]) == (1, None)
        await refreshed(world, answers[0].json()["refresh_token"])


async def test_an_invented_token_ends_nobodys_session(world: World) -> None:
    pair = await (await world.person()).sign_in()
    parent = await refreshed(world, pair["refresh_token"])
    new = await refreshed(world, parent["refresh_token"])
    session, generation, secret = new["refresh_token"].split(".")
    flipped = secret[:-2] + ("A" if secret[-2] != "A" else "B") + secret[-1]
    for forged in (
        f"{session}.0.{flipped}",
        f"{session}.{generation}.{flipped}",
        f"{session}.7.{secret}",
        f"{session}.7.{parent['refresh_token'].rpartition('.')[2]}",
        f"{session}.1.{flipped}",
        f"{session}.0.{secret}",
        f"{new_id().hex}.{generation}.{secret}",
        f"{session}.01.{secret}",
        f"{session}.-1.{secret}",
        f"{session}.999999999.{secret}",
        f"{session}.9999999999.{secret}",
        f"{session}..{secret}",
        session,
        "",
        "x" * 200,
        "\u0661",
    ):
        answer = await refresh(world, forged)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_refresh_token"), forged
    assert await works(world, new)
    await refreshed(world, new["refresh_token"])


async def test_a_session_ends_when_it_is_not_used(world: World) -> None:
    pair = await (await world.person()).sign_in()
    world.advance(days=14, seconds=-1)
    pair = await refreshed(world, pair["refresh_token"])
    world.advance(days=14, seconds=1)
    assert (await refresh(world, pair["refresh_token"])).status_code == 401


async def test_a_session_ends_however_much_it_is_used(make_world: MakeWorld) -> None:
    world = make_world(idle_days=1, session_days=2)
    pair = await (await world.person()).sign_in()
    for _ in range(2):
        world.advance(hours=23)
        pair = await refreshed(world, pair["refresh_token"])
    world.advance(hours=2, seconds=-1)
    last = await refreshed(world, pair["refresh_token"])
    assert last["expires_in"] == 1
    assert await works(world, last)
    world.advance(seconds=1)
    assert not await works(world, last)
    assert (await refresh(world, last["refresh_token"])).status_code == 401


async def test_logging_out_by_access_token_ends_everything_of_the_session_at_once(world: World) -> None:
    person = await world.person()
    pair, other = await person.sign_in(), await person.sign_in()
    assert (await world.http.post("/api/v1/auth/logout", headers=bearer(pair))).status_code == 204
    assert (await works(world, pair), await works(world, other)) == (False, True)
    assert (await refresh(world, pair["refresh_token"])).status_code == 401


@pytest.mark.parametrize("age", [0, 1])
async def test_logging_out_by_a_refresh_token_of_any_age_ends_the_session(world: World, age: int) -> None:
    first = await (await world.person()).sign_in()
    pairs = [await refreshed(world, first["refresh_token"]), first]
    body = {"refresh_token": pairs[age]["refresh_token"]}
    assert (await world.http.post("/api/v1/auth/logout", json=body)).status_code == 204
    assert not await works(world, pairs[0])
    assert (await world.http.post("/api/v1/auth/logout", json=body)).status_code == 204


async def test_logging_out_needs_a_token_that_is_ours(world: World) -> None:
    pair = await (await world.person()).sign_in()
    assert (await world.http.post("/api/v1/auth/logout")).status_code == 401
    session = pair["refresh_token"].split(".")[0]
    forged = {"refresh_token": f"{session}.0.{'A' * 43}"}
    assert (await world.http.post("/api/v1/auth/logout", json=forged)).status_code == 401
    assert await works(world, pair)


async def test_people_see_and_end_their_own_sessions_only(world: World) -> None:
    ada, bob = await world.person(), await world.person()
    phone, laptop, foreign = await ada.sign_in(), await ada.sign_in(), await bob.sign_in()
    listed = (await world.http.get("/api/v1/me/sessions", headers=bearer(phone))).json()
    assert set(listed) == {"items", "page"}
    by_id = {item["id"]: item for item in listed["items"]}
    assert len(by_id) == 2
    current = [item for item in by_id.values() if item["is_current"]]
    assert [UUID(item["id"]).hex for item in current] == [phone["refresh_token"].split(".")[0]]
    assert {item["address"] for item in by_id.values()} == {"127.0.0.1"}

    other = str(UUID(laptop["refresh_token"].split(".")[0]))
    bobs = str(UUID(foreign["refresh_token"].split(".")[0]))
    for unknown in (bobs, str(new_id())):
        answer = await world.http.delete(f"/api/v1/me/sessions/{unknown}", headers=bearer(phone))
        assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")
    assert (await world.http.delete(f"/api/v1/me/sessions/{other}", headers=bearer(phone))).status_code == 204
    assert [await works(world, pair) for pair in (phone, laptop, foreign)] == [True, False, True]


async def test_switching_gives_a_pair_that_acts_in_the_tenant_and_keeps_it(world: World) -> None:
    person = await world.person(tenants=(world.acme, world.globex))
    pair = await person.sign_in()
    for body, tenant in (({"slug": "acme"}, world.acme), ({"tenant_id": str(world.globex)}, world.globex)):
        answer = await world.http.post("/api/v1/auth/switch-tenant", json=body, headers=bearer(pair))
        assert answer.status_code == 200
        switched = answer.json()
        identity = await world.service.authenticator.authenticate(switched["access_token"])
        assert (identity.user_id, identity.active_tenant_id) == (person.id, tenant)
    again = await refreshed(world, switched["refresh_token"])
    assert (await world.service.authenticator.authenticate(again["access_token"])).active_tenant_id == world.globex
    before = await world.service.authenticator.authenticate(pair["access_token"])
    assert before.active_tenant_id is None


async def test_switching_replaces_the_refresh_token_like_any_rotation(world: World) -> None:
    pair = await (await world.person(tenants=(world.acme,))).sign_in()
    answer = await world.http.post("/api/v1/auth/switch-tenant", json={"slug": "acme"}, headers=bearer(pair))
    world.advance(seconds=11)
    assert (await refresh(world, pair["refresh_token"])).status_code == 401
    assert not await works(world, answer.json())


async def test_nobody_switches_into_a_tenant_they_are_not_a_member_of(world: World) -> None:
    pair = await (await world.person(tenants=(world.acme,))).sign_in()
    for body in ({"slug": "globex"}, {"tenant_id": str(world.globex)}, {"slug": "nowhere"}):
        answer = await world.http.post("/api/v1/auth/switch-tenant", json=body, headers=bearer(pair))
        assert (answer.status_code, answer.json()["code"]) == (403, "not_a_member")
    for body in ({}, {"slug": "acme", "tenant_id": str(world.acme)}):
        answer = await world.http.post("/api/v1/auth/switch-tenant", json=body, headers=bearer(pair))
        assert answer.status_code == 422
    assert (await refresh(world, pair["refresh_token"])).status_code == 200


async def test_a_new_secret_keeps_the_sessions_of_the_old_one(world: World) -> None:
    pair = await (await world.person()).sign_in()
    settings = world.settings.model_copy(update={"secret": type(SECRET)("another secret of more than 32 bytes 4711")})

    async def nobody(*_: object) -> Any:
        raise AssertionError

    changed = IdentityService(world.runtime, settings, membership_of=nobody)
    new = await changed.sessions.refresh(pair["refresh_token"], world.caller)
    assert (await changed.sessions.refresh(pair["refresh_token"], world.caller)).refresh_token == new.refresh_token
    await changed.sessions.refresh(new.refresh_token, world.caller)


@pytest.mark.parametrize("point", range(1, 4))
async def test_a_refresh_that_fails_anywhere_leaves_the_session_usable(
    world: World, point: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await (await world.person()).sign_in()
    await fail_refresh_at(point, world, pair["refresh_token"], monkeypatch)
    new = await refreshed(world, pair["refresh_token"])
    assert await works(world, new)
    session = await session_of(world, pair)
    assert (session["generation"], session["revoked_at"]) == (1, None)


async def fail_refresh_at(point: int, world: World, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """1: before the statement, 2: after it, before the commit, 3: after the commit, before the answer."""
    one, leave = UnitOfWork.one, UnitOfWork.__aexit__

    async def failing_one(uow: UnitOfWork, *arguments: Any, **values: Any) -> Any:
        result = None if point == 1 else await one(uow, *arguments, **values)
        raise ConnectionError(f"after {result}")

    async def failing_exit(uow: UnitOfWork, *details: Any) -> None:
        await leave(uow, *details)
        raise ConnectionError

    with monkeypatch.context() as patch:
        if point == 3:
            patch.setattr(UnitOfWork, "__aexit__", failing_exit)
        else:
            patch.setattr(UnitOfWork, "one", failing_one)
        with pytest.raises(ConnectionError):
            await world.service.sessions.refresh(token, world.caller)


async def test_a_sign_in_that_races_a_new_password_does_not_outlive_it(world: World) -> None:
    person = await world.person()
    holder = "SELECT 1 FROM control.users WHERE id = $1 FOR UPDATE"
    async with world.admin.transaction():
        await world.admin.execute(holder, person.id)
        signing_in = asyncio.create_task(
            world.http.post("/api/v1/auth/login", json={"email": person.email, "password": "correct horse 1"})
        )
        await asyncio.sleep(0.3)  # it has verified the old password, and waits for the row
        await world.admin.execute("UPDATE control.users SET password_hash = 'new' WHERE id = $1", person.id)
    assert (await signing_in).status_code == 401
    assert await world.rows("SELECT 1 FROM control.sessions WHERE user_id = $1", person.id) == []


async def test_a_session_id_is_new_with_every_sign_in(world: World) -> None:
    person = await world.person()
    first, second = await person.sign_in(), await person.sign_in()
    assert first["refresh_token"].split(".")[0] != second["refresh_token"].split(".")[0]


async def test_housekeeping_deletes_what_ended_long_ago_and_nothing_else(world: World) -> None:
    person = await world.person()
    ended, live = await person.sign_in(), await person.sign_in()
    await world.http.post("/api/v1/auth/logout", headers=bearer(ended))
    for _ in range(10):
        world.advance(days=10)
        live = await refreshed(world, live["refresh_token"]) if _ < 8 else live
    await world.service.prune()
    left = await world.rows("SELECT id FROM control.sessions WHERE user_id = $1", person.id)
    assert [row["id"].hex for row in left] == [live["refresh_token"].split(".")[0]]
    assert await world.rows("SELECT 1 FROM control.throttles") == []


async def test_a_token_that_cannot_be_one_is_refused_before_the_database(world: World) -> None:
    await world.runtime.database.close()
    with pytest.raises(InvalidRefreshToken):
        await world.service.sessions.refresh("nonsense", world.caller)
