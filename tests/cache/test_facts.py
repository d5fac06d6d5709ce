"""The rules of the cache by themselves, with a clock that stands still."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from tenantry.cache import MISSING, FactCache
from tenantry.cache.channel import keys_of, payloads

pytestmark = pytest.mark.anyio

KEY = "member:a:b"


@dataclass
class Hands:
    """A clock for intervals that a test moves."""

    at: float = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def facts(hands: Hands) -> FactCache:
    facts = FactCache(monotonic=hands)
    facts.heard(hands.at)
    return facts


def keep(facts: FactCache, key: str, value: object) -> None:
    facts.keep(key, value, since=facts.moment())


class TestTrust:
    def test_nothing_is_answered_before_the_first_echo(self, hands: Hands) -> None:
        facts = FactCache(monotonic=hands)
        keep(facts, KEY, "owner")
        assert facts.peek(KEY) is MISSING

    def test_an_entry_counts_only_while_the_last_echo_is_younger_than_a_second(
        self, facts: FactCache, hands: Hands
    ) -> None:
        keep(facts, KEY, "owner")
        hands.at += 0.99
        assert facts.peek(KEY) == "owner"
        hands.at += 0.01
        assert facts.peek(KEY) is MISSING
        facts.heard(hands.at)
        assert facts.peek(KEY) == "owner"

    def test_an_echo_that_was_held_up_proves_nothing_about_now(self, facts: FactCache, hands: Hands) -> None:
        keep(facts, KEY, "owner")
        sent_at = hands.at
        hands.at += 30
        facts.heard(sent_at)
        assert facts.peek(KEY) is MISSING

    async def test_without_trust_the_loader_is_asked_each_time(self, facts: FactCache, hands: Hands) -> None:
        keep(facts, KEY, "stale")
        hands.at += 5

        async def loader() -> str:
            return "true"

        assert await facts.load(KEY, loader) == "true"

    def test_an_entry_ends_with_its_time_to_live(self, facts: FactCache, hands: Hands) -> None:
        keep(facts, KEY, "owner")
        hands.at += 60
        facts.heard(hands.at)
        assert facts.peek(KEY) is MISSING


class Door:
    """A loader that waits until it is let through, and counts its calls."""

    def __init__(self, *results: object) -> None:
        self.calls = 0
        self._results = list(results)
        self.open = asyncio.Event()

    async def __call__(self) -> object:
        self.calls += 1
        result = self._results.pop(0)
        await self.open.wait()
        if isinstance(result, Exception):
            raise result
        return result


async def begun(*callers: asyncio.Task[object]) -> None:
    for _ in range(3):
        await asyncio.sleep(0)


class TestLoading:
    async def test_many_callers_share_one_load(self, facts: FactCache) -> None:
        door = Door("owner")
        callers = [asyncio.ensure_future(facts.load(KEY, door)) for _ in range(20)]
        await begun(*callers)
        door.open.set()
        assert await asyncio.gather(*callers) == ["owner"] * 20
        assert door.calls == 1
        assert facts.peek(KEY) == "owner"

    async def test_a_load_that_began_before_an_announcement_is_not_stored(self, facts: FactCache) -> None:
        door = Door("owner")
        caller = asyncio.ensure_future(facts.load(KEY, door))
        await begun(caller)
        facts.forget(KEY)
        door.open.set()
        await caller
        assert facts.peek(KEY) is MISSING

    async def test_a_load_that_began_before_the_cache_was_cleared_is_not_stored(self, facts: FactCache) -> None:
        door = Door("owner")
        caller = asyncio.ensure_future(facts.load(KEY, door))
        await begun(caller)
        facts.clear()
        door.open.set()
        await caller
        assert facts.peek(KEY) is MISSING

    async def test_the_announcement_of_another_key_does_not_matter(self, facts: FactCache) -> None:
        door = Door("owner")
        caller = asyncio.ensure_future(facts.load(KEY, door))
        await begun(caller)
        facts.forget("member:a:c")
        door.open.set()
        await caller
        assert facts.peek(KEY) == "owner"

    async def test_who_asks_after_an_announcement_does_not_get_what_was_read_before(self, facts: FactCache) -> None:
        door = Door("before", "after")
        early = asyncio.ensure_future(facts.load(KEY, door))
        await begun(early)
        facts.forget(KEY)
        late = asyncio.ensure_future(facts.load(KEY, door))
        await begun(late)
        door.open.set()
        assert [await early, await late] == ["before", "after"]
        assert facts.peek(KEY) == "after"

    async def test_a_load_that_hangs_is_not_joined_after_a_second(self, facts: FactCache, hands: Hands) -> None:
        door = Door("old", "new")
        early = asyncio.ensure_future(facts.load(KEY, door))
        await begun(early)
        hands.at += 1
        late = asyncio.ensure_future(facts.load(KEY, door))
        await begun(late)
        door.open.set()
        assert [await early, await late] == ["old", "new"]

    async def test_an_error_reaches_every_caller_and_is_not_kept(self, facts: FactCache) -> None:
        door = Door(ValueError("no"), "owner")
        door.open.set()
        results = await asyncio.gather(*(facts.load(KEY, door) for _ in range(3)), return_exceptions=True)
        assert [str(result) for result in results] == ["no"] * 3
        assert await facts.load(KEY, door) == "owner"

    async def test_a_caller_that_gives_up_does_not_end_the_load_of_the_others(self, facts: FactCache) -> None:
        door = Door("owner")
        first, second = (asyncio.ensure_future(facts.load(KEY, door)) for _ in range(2))
        await begun(first, second)
        first.cancel()
        await begun(second)
        door.open.set()
        assert await second == "owner"

    async def test_an_error_that_nobody_waits_for_is_not_reported_as_forgotten(self, facts: FactCache) -> None:
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
        door = Door(ValueError("no"))
        caller = asyncio.ensure_future(facts.load(KEY, door))
        await begun(caller)
        caller.cancel()
        door.open.set()
        await begun(caller)
        assert complaints == []

    @pytest.mark.parametrize(("keep_none", "calls"), [(False, 2), (True, 1)])
    async def test_nothing_is_kept_only_when_the_caller_says_so(
        self, facts: FactCache, keep_none: bool, calls: int
    ) -> None:
        door = Door(None, None)
        door.open.set()
        for _ in range(2):
            assert await facts.load(KEY, door, keep_none=keep_none) is None
        assert door.calls == calls

    def test_facts_of_one_read_are_kept_by_the_same_rule(self, facts: FactCache) -> None:
        since = facts.moment()
        facts.forget("tenant:a")
        facts.keep("tenant:a", "before", since=since)
        facts.keep(KEY, "owner", since=since)
        assert facts.peek("tenant:a") is MISSING
        assert facts.peek(KEY) == "owner"

    def test_a_read_that_outlasts_what_is_remembered_is_not_kept(self, facts: FactCache) -> None:
        since = facts.moment()
        facts.forget(KEY)
        for number in range(10_000):
            facts.forget(f"user:{number}")
        facts.keep(KEY, "before", since=since)
        assert facts.peek(KEY) is MISSING


class TestBounds:
    def test_the_least_recently_used_fact_leaves_a_full_cache(self, hands: Hands) -> None:
        facts = FactCache(capacity=2, monotonic=hands)
        facts.heard(hands.at)
        keep(facts, "user:1", 1)
        keep(facts, "user:2", 2)
        facts.peek("user:1")
        keep(facts, "user:3", 3)
        assert [facts.peek(f"user:{number}") for number in (1, 2, 3)] == [1, MISSING, 3]
        assert len(facts) == 2

    def test_many_keys_are_split_into_payloads_that_postgresql_accepts(self) -> None:
        keys = [f"member:{number:036}:{number:036}" for number in range(1000)]
        sent = list(payloads(keys))
        assert max(len(payload.encode()) for payload in sent) < 8000
        assert [key for payload in sent for key in keys_of(payload)] == keys

    @pytest.mark.parametrize(
        "key", ["user:ada@example.test", "user:a b", "user", "user:A", "echo x 1", "user:" + "a" * 64]
    )
    def test_a_key_that_could_hold_more_than_ids_is_refused(self, key: str) -> None:
        with pytest.raises(ValueError, match="is no key of a fact"):
            list(payloads([key]))
