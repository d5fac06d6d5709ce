"""The faults that are planted, one at a time: in the catalogue by the superuser, in the code by replacing a function.

Each is a mistake that somebody could make in good faith.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from copy import copy
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from sqlalchemy import false, func, select, true
from tests.acceptance.test_plans import discard_connections
from tests.meta.conftest import Ground

from tenantry.access import (
    AccessContext,
    AccessGate,
    GrantFacts,
    NotPermitted,
    Principal,
    ResourceAccess,
    checking,
    decision,
    granted,
    resource,
    type_grants_key,
)
from tenantry.access.decision import Line
from tenantry.access.models import Effect
from tenantry.access.principal import Breadth
from tenantry.database import CommitRefused, Database, Placement, Plane, Statement, UnitOfWork
from tenantry.kernel import Actor, ActorKind, Unavailable
from tenantry.query import ListSpec, pages
from tenantry.resources import Idempotency, ResourceRepository, operations, statements
from tenantry.tenancy import NotAMember, Role, TenantCache, TenantFacts, TenantResolver

KEPT_IN = (statements, checking)
"""The modules that keep compiled statements."""

Plant = Callable[[Ground], AbstractAsyncContextManager[None]]


def in_catalogue(fault: str, repair: str) -> Plant:
    """Return the fault that a statement makes and another one mends."""

    @asynccontextmanager
    async def planted(ground: Ground) -> AsyncIterator[None]:
        await ground.admin.execute(fault)
        try:
            yield
        finally:
            await ground.admin.execute(repair)

    return planted


def in_code(change: Callable[[pytest.MonkeyPatch], None]) -> Plant:
    """Return the fault that replaces a part of the application; compiled statements are forgotten before and after."""

    @asynccontextmanager
    async def planted(ground: Ground) -> AsyncIterator[None]:
        with pytest.MonkeyPatch.context() as patch, fresh_statements():
            change(patch)
            yield
        discard_connections(ground.world)  # a faulty request may have left something on its connection

    return planted


@contextmanager
def fresh_statements() -> Iterator[None]:
    caches = [found for kept in KEPT_IN for found in vars(kept).values() if hasattr(found, "cache_clear")]
    assert len(caches) > len(KEPT_IN), "statements are not cached where they were"
    for cache in caches:
        cache.cache_clear()
    try:
        yield
    finally:
        for cache in caches:
            cache.cache_clear()


def set_for_set_local(patch: pytest.MonkeyPatch) -> None:
    opened = Database._open

    def lasting(self: Database, pool: Any, plane: Any, opening: str, **named: Any) -> UnitOfWork:
        return opened(self, pool, plane, opening.replace("SET LOCAL app.tenant_id", "SET app.tenant_id"), **named)

    patch.setattr(Database, "_open", lasting)


def count_without_the_predicate(patch: pytest.MonkeyPatch) -> None:
    def of_all_rows(statement: Any, _shape: Any, _spec: Any) -> Any:
        return select(func.count()).select_from(statement.get_final_froms()[0])

    patch.setattr(pages, "count_of", of_all_rows)


def soft_delete_unseen(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ResourceAccess, "visible", lambda self, rows, read, *, deleted=False: true())


def commit_after_the_answer(patch: pytest.MonkeyPatch) -> None:
    commit = UnitOfWork._commit
    late: set[asyncio.Task[None]] = set()

    async def behind_the_answer(self: UnitOfWork) -> None:
        if self.plane is not Plane.TENANT:  # the tenant that the check works in must be there
            await commit(self)
            return

        async def later() -> None:
            await asyncio.sleep(0.02)
            with suppress(Unavailable):  # the check has failed meanwhile, and closed the pool
                await commit(self)

        task = asyncio.create_task(later())
        late.add(task)
        task.add_done_callback(late.discard)

    patch.setattr(UnitOfWork, "_commit", behind_the_answer)


def commit_unchecked(patch: pytest.MonkeyPatch) -> None:
    commit = UnitOfWork._commit

    async def trusting(self: UnitOfWork) -> None:
        try:
            await commit(self)
        except CommitRefused:
            return

    patch.setattr(UnitOfWork, "_commit", trusting)


_named: ContextVar[UUID | None] = ContextVar("named", default=None)


def tenant_from_the_body(patch: pytest.MonkeyPatch) -> None:
    read, work = operations.read_json, AccessContext.work

    def reading(raw: bytes, model: type[BaseModel]) -> BaseModel:
        members = json.loads(raw)
        found = [members.pop(name) for name in ("active_tenant_id", "tenant_id", "tenant") if name in members]
        _named.set(UUID(found[0]) if found else None)
        return read(json.dumps(members).encode(), model)

    def working(self: AccessContext, *given: Any) -> UnitOfWork:
        named = _named.get()
        if named is None:
            return work(self, *given)
        database, actor = self.runtime.database, self.principal.actor
        return database.tenant_scope(named, Placement.pool(), actor=actor, request_id=None)

    patch.setattr(operations, "read_json", reading)
    patch.setattr(AccessContext, "work", working)


def membership_unchecked(patch: pytest.MonkeyPatch) -> None:
    resolve = AccessGate.principal

    async def trusting(self: AccessGate, scope: Any) -> Principal:
        try:
            return await resolve(self, scope)
        except NotAMember:
            identity = await self.identity(scope)
            asked = dict(scope["headers"]).get(b"x-tenant-id")
            if asked is None:
                raise
            tenant = TenantFacts(UUID(asked.decode()), "x", "x", "active", Placement.pool())  # type: ignore[arg-type]
            permissions = self.catalog.of_role(Role.OWNER)
            actor = Actor(ActorKind.USER, identity.user_id)
            return Principal(actor, identity.user_id, tenant, Role.OWNER, permissions)

    patch.setattr(AccessGate, "principal", trusting)


def version_ignored(patch: pytest.MonkeyPatch) -> None:
    change = ResourceRepository.change

    async def careless(self: ResourceRepository, *given: Any, **named: Any) -> Any:
        return await change(self, *given, **(named | {"expected": None}))

    patch.setattr(ResourceRepository, "change", careless)


def key_not_claimed(patch: pytest.MonkeyPatch) -> None:
    async def forgetful(*_given: Any, **_named: Any) -> None:
        return None

    patch.setattr(Idempotency, "_claim", forgetful)


def denies_ignored_in_lists(patch: pytest.MonkeyPatch) -> None:
    listing = statements.listing.__wrapped__

    def without_denies(*given: Any, **named: Any) -> Statement:
        with pytest.MonkeyPatch.context() as compiling:
            compiling.setattr(resource, "denied", lambda actions: lambda column: false())
            return listing(*given, **named)

    patch.setattr(statements, "listing", without_denies)


def allow_before_deny(patch: pytest.MonkeyPatch) -> None:
    swapped = {Line.DENY_GRANT: (Line.ALLOW_GRANT, True), Line.ALLOW_GRANT: (Line.DENY_GRANT, False)}
    order = tuple(swapped.get(line, (line, allows)) for line, allows in decision.ORDER)
    patch.setattr(decision, "ORDER", order)


def expired_grants_on_records_count(patch: pytest.MonkeyPatch) -> None:
    records_of = granted._records_of

    def of_all_times(actions: Sequence[str], effect: Effect) -> Any:
        asked = records_of(actions, effect)
        *conditions, _not_expired = asked.whereclause.clauses
        return select(*asked.selected_columns).where(*conditions)

    patch.setattr(granted, "_records_of", of_all_times)


def expired_grants_on_resources_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(GrantFacts, "is_in_force", lambda self, now: True)


def type_grants_without_the_tenant(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(import_module("tenantry.standard.grants.service"), "type_grants_key", _everywhere)
    load, peek = TenantCache.load, TenantCache.peek
    patch.setattr(TenantCache, "load", lambda self, tenant_id: load(_of_all(self), tenant_id))
    patch.setattr(TenantCache, "peek", lambda self, tenant_id: peek(_of_all(self), tenant_id))


def _of_all(cache: TenantCache[Any]) -> TenantCache[Any]:
    if cache._key is not type_grants_key:
        return cache
    wider = copy(cache)
    wider._key = _everywhere
    return wider


def _everywhere(_tenant_id: UUID) -> str:
    return "typegrants:all"


def key_scope_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Principal, "scope", lambda self, permission: Breadth.ALL)


def keys_outlive_the_membership(patch: pytest.MonkeyPatch) -> None:
    of_key, known = AccessGate._of_key, dict[str, Principal]()

    async def remembering(self: AccessGate, text: str, *given: Any) -> Principal:
        if text not in known:
            known[text] = await of_key(self, text, *given)
        return known[text]

    patch.setattr(AccessGate, "_of_key", remembering)


def hidden_fields_can_be_sorted_by(patch: pytest.MonkeyPatch) -> None:
    without = ListSpec.without

    def sorts_kept(self: ListSpec, hidden: frozenset[str]) -> ListSpec:
        narrowed = copy(without(self, hidden))
        narrowed.sorts, narrowed.sort_terms = self.sorts, self.sort_terms
        return narrowed

    patch.setattr(ListSpec, "without", sorts_kept)


def nobody_may_do_anything(patch: pytest.MonkeyPatch) -> None:
    async def refusing(self: AccessGate, scope: Any) -> Principal:
        raise NotPermitted

    patch.setattr(AccessGate, "principal", refusing)
    patch.setattr(TenantResolver, "peek", lambda *_: None)
