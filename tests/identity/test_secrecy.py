"""At rest there is nothing that signs anybody in."""

from __future__ import annotations

import logging

import pytest
import structlog

from .conftest import PASSWORD, World, bearer

pytestmark = pytest.mark.anyio


async def everything_stored(world: World) -> str:
    """Every column of every row of the control plane, as a dump would have it."""
    tables = await world.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'control'")
    rows = [row for table in tables for row in await world.rows(f"SELECT t::text FROM control.{table[0]} t")]
    return "\n".join(row[0] for row in rows)


async def test_a_dump_of_the_database_holds_no_token_and_no_password(world: World) -> None:
    person = await world.person(tenants=(world.acme,))
    pair = await person.sign_in()
    child = (await world.http.post("/api/v1/auth/refresh", json={"refresh_token": pair["refresh_token"]})).json()
    switched = (
        await world.http.post("/api/v1/auth/switch-tenant", json={"slug": "acme"}, headers=bearer(child))
    ).json()
    await world.http.post("/api/v1/auth/password-reset", json={"email": person.email})
    await world.runtime.courier.close()
    secrets = [PASSWORD, world.mailbox.token_for(person.email)]
    for given in (pair, child, switched):
        secrets += [given["access_token"], given["refresh_token"], given["refresh_token"].rpartition(".")[2]]
    content = await everything_stored(world)
    assert person.email in content
    for secret in secrets:
        assert secret not in content
        assert secret.encode().hex() not in content


async def test_values_do_not_show_their_secrets(world: World) -> None:
    pair = await world.auth.sign_in(email=(await world.person()).email, password=PASSWORD, caller=world.caller)
    parsed = world.service.sessions._refresh.parse(pair.refresh_token)
    for shown in (repr(pair), repr(parsed), repr(world.settings)):
        assert pair.access_token not in shown
        assert parsed.secret not in shown


async def test_the_log_holds_no_token(world: World, caplog: pytest.LogCaptureFixture) -> None:
    person = await world.person()
    world.mailbox.down = True
    with structlog.testing.capture_logs() as lines, caplog.at_level(logging.DEBUG):
        pair = await person.sign_in()
        await world.http.post("/api/v1/auth/refresh", json={"refresh_token": "nonsense"})
        await world.http.post("/api/v1/auth/password-reset", json={"email": person.email})
        await world.runtime.courier.close()
    assert [line["event"] for line in lines] == ["mail not sent"]
    assert pair["refresh_token"] not in str(lines) + caplog.text
    assert person.email not in str(lines)


async def test_limits_are_kept_in_an_unlogged_table_and_name_nobody(world: World) -> None:
    (row,) = await world.rows("SELECT relpersistence FROM pg_class WHERE oid = 'control.throttles'::regclass")
    assert row["relpersistence"] == b"u"
    await world.http.post("/api/v1/auth/login", json={"email": "canary@acme.test", "password": "wrong"})
    rows = await world.rows("SELECT key FROM control.throttles")
    assert len(rows) == 2
    assert all(len(row["key"]) == 64 and "canary" not in row["key"] for row in rows)
