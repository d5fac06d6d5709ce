"""From the text of a key to what it stands for: what is refused, what is remembered, and for how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
import structlog
from tests.conftest import suite_settings
from tests.people import someone

from planner.app import application
from tenantry.access.keys import facts as facts_of_keys
from tenantry.access.keys.errors import InvalidApiKey
from tenantry.access.keys.facts import KeyCache, KeyFacts
from tenantry.access.keys.secrets import NewSecret, _spelled, secrets_of
from tenantry.access.keys.usage import KeyUsage
from tenantry.app import assembled
from tenantry.database import Database, DatabaseUnavailable, DatabaseUrls
from tenantry.identity import SUPERADMIN
from tenantry.kernel import FrozenClock, SystemClock, new_id
from tenantry.tenancy import Role, member_key
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def elsewhere(urls: DatabaseUrls) -> AsyncIterator[World]:
    """A second application on the same database, as another process would be."""
    async with assembled(application, suite_settings(), urls) as running:
        yield World(running)


@pytest.fixture
async def clock() -> FrozenClock:
    return FrozenClock(SystemClock().now())


@pytest.fixture
async def later(urls: DatabaseUrls, clock: FrozenClock) -> AsyncIterator[World]:
    """An application whose clock is moved by the test."""
    async with assembled(application, suite_settings(), urls, clock=clock) as running:
        yield World(running)


async def a_key(tenant: TestTenant, **body: Any) -> str:
    answer = await tenant.owner.post("/api-keys", json={"name": f"{tenant.canary} key", **body})
    assert answer.status_code == 201, answer.text
    secret: str = answer.json()["secret"]
    return secret


def book_of(world: World) -> KeyCache:
    return world.assembly.access.keys


async def at_hand(world: World, text: str) -> KeyFacts:
    """Let a key be used until everything about it is at hand, as requests do: the gate asks for the membership."""
    book = book_of(world)
    facts = await book.load(text)
    if facts.user_id is not None:
        asked, resolver = (facts.user_id, facts.tenant_id, None, None), world.assembly.gate.resolver
        assert resolver.peek(*asked) or await resolver.resolve(*asked)
        facts = await book.load(text)
    assert book.peek(text) is facts
    return facts


async def refusal(book: KeyCache, text: str) -> tuple[str, str]:
    """What is said about a key that is refused."""
    assert book.peek(text) is None
    with pytest.raises(InvalidApiKey) as refused:
        await book.load(text)
    return refused.value.code, refused.value.detail


class Connections:
    """Counts the connections that are taken from the pools."""

    def __init__(self, database: Database, patch: pytest.MonkeyPatch) -> None:
        self.taken = 0
        for pool in database.pools:
            patch.setattr(pool, "acquire", self._counted(pool.acquire))

    def _counted(self, acquire: Any) -> Any:
        async def counted() -> Any:
            self.taken += 1
            return await acquire()

        return counted


@pytest.fixture
def connections(world: World, monkeypatch: pytest.MonkeyPatch) -> Connections:
    return Connections(world.assembly.runtime.database, monkeypatch)


def with_ids(text: str, tenant_id: UUID, key_id: UUID) -> str:
    """The same secret under other ids."""
    return f"tnt_{_spelled((key_id.int << 128) | tenant_id.int)}_{text.rpartition('_')[2]}"


NONSENSE = [
    "",
    "tnt_",
    "tnt_x_y",
    "x" * 91,
    "tnt_" + "0" * 43 + "_" + "0" * 42,
    "tnt_" + "0" * 43 + "_" + "0" * 44,
    "tnt_" + "z" * 43 + "_" + "0" * 43,  # more than 256 bits
    "tnt_" + "0" * 43 + "_" + "z" * 43,
    "TNT_" + "0" * 43 + "_" + "0" * 43,
    "tnt_" + "0" * 43 + "-" + "0" * 43,
    "tnt_" + "٣" * 43 + "_" + "0" * 43,
    "tnt_" + "0" * 43 + "_" + "0" * 42 + "\n",
    " tnt_" + "0" * 43 + "_" + "0" * 43,
    "tnt_" + "0" * 5_000_000,
]


class TestShape:
    @pytest.mark.parametrize("text", NONSENSE, ids=range(len(NONSENSE)))
    async def test_what_is_not_spelled_like_a_key_reaches_no_database(
        self, world: World, connections: Connections, text: str
    ) -> None:
        began = time.process_time()
        assert secrets_of(text) is None
        assert (await refusal(book_of(world), text))[0] == "invalid_api_key"
        assert connections.taken == 0
        assert time.process_time() - began < 0.5

    def test_each_key_has_one_spelling_and_no_two_secrets_are_alike(self) -> None:
        tenant_id, key_id = new_id(), new_id()
        made = [NewSecret.of(tenant_id, key_id) for _ in range(100)]
        assert len({one.secret_hash for one in made}) == len({one.text for one in made}) == 100
        for one in made:
            presented = secrets_of(one.text)
            assert presented is not None
            assert (presented.tenant_id, presented.key_id) == (tenant_id, key_id)
            assert presented.secret_hash == one.secret_hash

    def test_changing_any_character_makes_another_key_or_none(self) -> None:
        made = NewSecret.of(new_id(), new_id())
        meant = secrets_of(made.text)
        for position, character in enumerate(made.text):
            other = made.text[:position] + ("A" if character != "A" else "B") + made.text[position + 1 :]
            assert secrets_of(other) != meant


class TestRefusing:
    async def test_nobody_is_told_why(self, world: World) -> None:
        tenant, other = await world.two_tenants()
        text, book = await a_key(tenant), book_of(world)
        presented = secrets_of(text)
        assert presented is not None
        deleted = await a_key(tenant)
        gone = secrets_of(deleted)
        assert gone is not None
        assert (await tenant.owner.delete(f"/api-keys/{gone.key_id}")).status_code == 204
        refused = [
            await refusal(book, "nonsense"),
            await refusal(book, NewSecret.of(tenant.id, presented.key_id).text),  # a wrong secret
            await refusal(book, NewSecret.of(tenant.id, new_id()).text),  # no such key
            await refusal(book, NewSecret.of(new_id(), new_id()).text),  # no such tenant
            await refusal(book, with_ids(text, other.id, presented.key_id)),  # a key of another tenant
            await refusal(book, deleted),
        ]
        assert len(set(refused)) == 1
        assert (await book.load(text)).id == presented.key_id

    async def test_a_known_key_beside_a_foreign_tenant_neither_works_nor_hurts_its_holder(self, world: World) -> None:
        tenant, other = await world.two_tenants()
        text, book = await a_key(tenant), book_of(world)
        presented = secrets_of(text)
        assert presented is not None
        await at_hand(world, text)
        forged = with_ids(text, other.id, presented.key_id)
        found = await asyncio.gather(*(book.load(one) for one in [forged, text] * 10), return_exceptions=True)
        assert [isinstance(one, InvalidApiKey) for one in found] == [True, False] * 10
        assert book.peek(text) is not None
        assert book.peek(forged) is None

    async def test_an_expired_key_is_refused_though_it_is_remembered(self, later: World, clock: FrozenClock) -> None:
        tenant = await later.tenant()
        ends = clock.now() + timedelta(minutes=5)
        text, book = await a_key(tenant, expires_at=ends.isoformat()), book_of(later)
        assert (await at_hand(later, text)).expires_at == ends
        clock.advance(timedelta(minutes=5) - timedelta(microseconds=1))
        assert book.peek(text) is not None
        clock.advance(timedelta(microseconds=1))
        assert await refusal(book, text) == await refusal(book, "nonsense")


class TestRemembering:
    async def test_a_key_that_is_known_needs_no_database(self, world: World, connections: Connections) -> None:
        text, book = await a_key(await world.tenant()), book_of(world)
        known = await at_hand(world, text)
        taken = connections.taken
        assert all(book.peek(text) is known for _ in range(100))
        assert connections.taken <= taken + 1  # the note of its use

    async def test_a_deleted_key_dies_at_once_here_and_within_a_second_elsewhere(
        self, world: World, elsewhere: World
    ) -> None:
        tenant = await world.tenant()
        text = await a_key(tenant)
        here, there = book_of(world), book_of(elsewhere)
        key = await at_hand(world, text)
        await at_hand(elsewhere, text)
        assert (await tenant.owner.delete(f"/api-keys/{key.id}")).status_code == 204
        assert here.peek(text) is None
        await refusal(here, text)
        began = time.monotonic()
        await until(lambda: remembered(there, text), None)
        assert time.monotonic() - began < 1
        await refusal(there, text)

    async def test_the_role_of_a_service_account_follows_its_changes(self, world: World, elsewhere: World) -> None:
        tenant = await world.tenant()
        account = (await tenant.owner.post("/service-accounts", json={"name": "r", "role": "member"})).json()
        text = await a_key(tenant, service_account_id=account["id"])

        async def role(book: KeyCache) -> str:
            facts = book.peek(text) or await book.load(text)
            assert facts.service_account is not None
            return facts.service_account.role

        here, there = book_of(world), book_of(elsewhere)
        assert (await role(here), await role(there)) == ("member", "member")
        path = f"/service-accounts/{account['id']}"
        assert (await tenant.owner.patch(path, json={"role": "viewer"})).status_code == 200
        assert await role(here) == "viewer"
        began = time.monotonic()
        await until(lambda: role(there), "viewer")
        assert time.monotonic() - began < 1
        assert (await tenant.owner.delete(path)).status_code == 204
        await refusal(here, text)

    async def test_the_keys_of_a_person_who_is_deactivated_die_with_the_sessions(
        self, world: World, elsewhere: World
    ) -> None:
        tenant, person = await world.tenant(), await someone(world)
        await world.assembly.services.members.add(tenant.system, person.id, Role.MEMBER)
        answer = await person.client(tenant.id).post("/api-keys", json={"name": "key"})
        text, here, there = answer.json()["secret"], book_of(world), book_of(elsewhere)
        await at_hand(world, text)
        await at_hand(elsewhere, text)
        admin = (await someone(world, platform_role=SUPERADMIN)).client()
        assert (await admin.patch(f"/users/{person.id}", json={"is_active": False})).status_code == 200
        assert await refusal(here, text) == await refusal(here, "nonsense")
        await until(lambda: remembered(there, text), None)
        await refusal(there, text)
        assert (await admin.patch(f"/users/{person.id}", json={"is_active": True})).status_code == 200
        assert (await here.load(text)).user_id == person.id

    async def test_a_key_is_read_again_when_the_membership_was(self, world: World, connections: Connections) -> None:
        tenant = await world.tenant()
        text, book = await a_key(tenant), book_of(world)
        before = await at_hand(world, text)
        assert before.user_id is not None
        acting = tenant.system
        await world.assembly.services.members.add(acting, (await someone(world)).id, Role.MEMBER)
        assert book.peek(text) is before  # others come and go
        world.assembly.runtime.facts.forget(member_key(tenant.id, before.user_id))
        assert book.peek(text) is None
        taken = connections.taken
        assert await at_hand(world, text) == before
        assert connections.taken > taken

    async def test_a_permission_that_is_no_more_gives_nothing(self, world: World) -> None:
        tenant = await world.tenant()
        facts = await book_of(world).load(await a_key(tenant, permissions=["projects:*", "items:read:own"]))
        assert facts.scope is not None
        assert {"projects:read", "projects:purge", "items:read:own"} <= facts.scope
        assert not any(name.startswith("items:") and name != "items:read:own" for name in facts.scope)
        catalog = application.catalog()
        assert facts.scope == catalog.expand(["projects:*", "items:read:own", "gone:read"])

    async def test_the_memory_is_bounded(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(facts_of_keys, "KEPT_KEYS", 3)
        tenant = await world.tenant()
        texts, book = [await a_key(tenant) for _ in range(4)], book_of(world)
        before = set(book._compared)
        for text in texts[:3]:
            await at_hand(world, text)
        while len(book._compared) > 3:
            book._compared.popitem(last=False)
        assert book.peek(texts[0]) is not None  # used last, so it stays
        await book.load(texts[3])
        assert set(book._compared) - before == {texts[0], texts[2], texts[3]}
        assert (await book.load(texts[1])).tenant_id == tenant.id


class TestUse:
    async def test_the_last_use_is_written_once_a_minute_behind_the_requests(
        self, later: World, clock: FrozenClock
    ) -> None:
        tenant = await later.tenant()
        text, book = await a_key(tenant), book_of(later)
        facts = await book.load(text)

        async def last_used() -> datetime | None:
            read = (await tenant.owner.get(f"/api-keys/{facts.id}")).json()["last_used_at"]
            return None if read is None else datetime.fromisoformat(read)

        assert await last_used() is None  # it does not wait for the write
        first = clock.now()
        await until(last_used, first)
        for _ in range(3):
            clock.advance(timedelta(seconds=19))
            assert book.peek(text) is not None or await book.load(text)
        await asyncio.sleep(0.7)
        assert await last_used() == first
        clock.advance(timedelta(seconds=3))
        assert book.peek(text) is not None or await book.load(text)
        await until(last_used, clock.now())

    async def test_closing_writes_what_was_noted(self, world: World, elsewhere: World) -> None:
        tenant = await world.tenant()
        facts = await book_of(world).load(await a_key(tenant))
        times = []
        for _ in range(3):
            usage = KeyUsage(world.assembly.runtime.database, world.assembly.runtime.clock)
            usage.note(facts.tenant_id, facts.id, world.assembly.runtime.clock.now())
            began = time.monotonic()
            await usage.close()
            times.append(time.monotonic() - began)
        assert min(times) < 0.4, "it waited for more to gather"
        assert (await tenant.owner.get(f"/api-keys/{facts.id}")).json()["last_used_at"] is not None

    async def test_several_processes_write_once_a_minute_together(self, world: World, clock: FrozenClock) -> None:
        tenant = await world.tenant()
        facts = await book_of(world).load(await a_key(tenant))
        await world.assembly.access.key_usage.close()
        clock.advance(timedelta(minutes=5))
        written = []
        for _ in range(3):
            usage = KeyUsage(world.assembly.runtime.database, clock)
            usage.note(facts.tenant_id, facts.id, clock.now())
            await usage.close()
            written.append((await tenant.owner.get(f"/api-keys/{facts.id}")).json()["last_used_at"])
            clock.advance(timedelta(seconds=30))
        assert written[0] == written[1] < written[2]

    async def test_a_note_that_fails_is_logged_and_fails_no_request(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = await a_key(await world.tenant())
        usage = KeyUsage(cast("Database", _Unreachable()), world.assembly.runtime.clock)
        monkeypatch.setattr(book_of(world), "_usage", usage)
        with structlog.testing.capture_logs() as lines:
            assert isinstance(await book_of(world).load(text), KeyFacts)
            await usage.close()
        assert [line["event"] for line in lines] == ["use of keys not noted"]
        assert text not in str(lines)


class _Unreachable:
    def control_scope(self, **_: object) -> None:
        raise DatabaseUnavailable


async def remembered(book: KeyCache, text: str) -> KeyFacts | None:
    return book.peek(text)


async def until(read: Callable[[], Awaitable[object]], expected: object) -> None:
    """Wait for two seconds at most until `read` says what is expected."""
    for _ in range(100):
        if await read() == expected:
            return
        await asyncio.sleep(0.02)
    assert await read() == expected
