"""The hot path: quick where it may be, and never quicker than a revocation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import pytest
from pydantic import SecretStr

from tenantry.cache import FactCache, InvalidationListener
from tenantry.database import Database, DatabaseRole
from tenantry.identity import Authenticator, Identity, InvalidAccessToken, keyring_of
from tenantry.identity.keys import Keyring
from tenantry.identity.tokens import AccessTokens, Claims, seconds_of
from tenantry.kernel import new_id

from .conftest import World, bearer

pytestmark = pytest.mark.anyio


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - polls a cache, which announces nothing to tests
            await asyncio.sleep(0.005)


async def test_what_was_authenticated_once_is_known_without_waiting(world: World) -> None:
    person = await world.person()
    token = (await person.sign_in())["access_token"]
    assert world.service.authenticator.peek(token) is None
    identity = await world.service.authenticator.authenticate(token)
    assert world.service.authenticator.peek(token) == identity
    assert identity == Identity(person.id, identity.session_id, None, None)
    world.advance(minutes=10)
    assert world.service.authenticator.peek(token) is None


async def test_nothing_is_known_without_waiting_while_the_listener_is_deaf(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await (await world.person()).sign_in())["access_token"]
    await world.service.authenticator.authenticate(token)
    monkeypatch.setattr(world.runtime.facts, "_heard", float("-inf"))
    monkeypatch.setattr(world.runtime.facts, "heard", lambda _at: None)
    assert world.service.authenticator.peek(token) is None
    assert await world.service.authenticator.authenticate(token)


async def test_a_revocation_reaches_another_process_within_a_second(world: World, database: Database) -> None:
    pair = await (await world.person()).sign_in()
    facts = FactCache()
    listener = InvalidationListener(facts, partial(database.connect, DatabaseRole.CONTROL))
    await listener.start()
    tokens = AccessTokens(keyring_of(world.settings), issuer="tenantry", audience="tenantry")
    elsewhere = Authenticator(tokens, facts, database, world.clock)
    await elsewhere.authenticate(pair["access_token"])
    begun = perf_counter()
    await world.http.post("/api/v1/auth/logout", headers=bearer(pair))
    await eventually(lambda: elsewhere.peek(pair["access_token"]) is None)
    assert perf_counter() - begun < 1
    with pytest.raises(InvalidAccessToken):
        await elsewhere.authenticate(pair["access_token"])
    await listener.stop()


async def test_a_session_that_ended_is_not_asked_for_again_and_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await (await world.person()).sign_in()
    await world.http.post("/api/v1/auth/logout", headers=bearer(pair))
    await asyncio.sleep(0.2)  # until the announcement has come back to this process too
    asked = 0
    scope = Database.control_scope

    def counted(self: Database, **values: Any) -> Any:
        nonlocal asked
        asked += 1
        return scope(self, **values)

    monkeypatch.setattr(Database, "control_scope", counted)
    for _ in range(5):
        with pytest.raises(InvalidAccessToken):
            await world.service.authenticator.authenticate(pair["access_token"])
    assert asked == 1


async def test_a_refused_token_is_not_remembered(world: World) -> None:
    token = (await (await world.person()).sign_in())["access_token"]
    authenticator = world.service.authenticator
    with pytest.raises(InvalidAccessToken):
        await authenticator.authenticate(token + "A")
    assert len(authenticator._verified) == 0
    await authenticator.authenticate(token)
    assert list(authenticator._verified) == [token]


async def test_the_memory_for_tokens_is_bounded_and_keeps_the_ones_in_use(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenantry.identity.authenticator.KEPT_TOKENS", 3)
    authenticator = world.service.authenticator
    first = (await (await world.person()).sign_in())["access_token"]
    session = await authenticator.authenticate(first)
    tokens = AccessTokens(keyring_of(world.settings), issuer="tenantry", audience="tenantry")
    now = seconds_of(world.clock.now())
    for _ in range(5):
        claims = Claims(session.user_id, session.session_id, None, str(new_id()), now, now + 60)
        await authenticator.authenticate(tokens.issue(claims))
        assert authenticator.peek(first) is not None
    assert len(authenticator._verified) == 3


async def test_keys_are_replaced_without_signing_anybody_out(world: World) -> None:
    old_ring = keyring_of(world.settings)
    new_settings = world.settings.model_copy(update={"secret": SecretStr("another secret of more than 32 bytes 4711")})
    new_key = keyring_of(new_settings).signer
    person = await world.person()
    before = await person.sign_in()

    async def me(pair: dict[str, Any]) -> int:
        return int((await world.http.get("/api/v1/me", headers=bearer(pair))).status_code)

    statuses: list[int] = []
    pairs = [before]

    async def busy() -> None:
        while True:
            statuses.extend([await me(pair) for pair in pairs])
            await asyncio.sleep(0)

    users = asyncio.create_task(busy())
    await asyncio.sleep(0.05)
    world.service.use_keys(Keyring([old_ring.signer, new_key]))  # everybody learns the new key
    world.service.use_keys(Keyring([new_key, old_ring.signer]))  # it signs
    pairs.append(await person.sign_in())
    await asyncio.sleep(0.05)
    users.cancel()
    await asyncio.gather(users, return_exceptions=True)
    assert len(statuses) > 10
    assert set(statuses) == {200}

    world.service.use_keys(Keyring([new_key]))
    assert [await me(pair) for pair in pairs] == [401, 200]
