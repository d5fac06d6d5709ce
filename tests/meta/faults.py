"""The faults that are planted, one at a time: in the catalogue by the superuser, in the code by replacing a function.

Each is a mistake that somebody could make in good faith.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from sqlalchemy import func, select, true
from tests.acceptance.test_plans import discard_connections
from tests.meta.conftest import Ground

from tenantry.access import AccessGate, NotPermitted, Principal, ResourceAccess
from tenantry.database import CommitRefused, Database, Placement, Plane, UnitOfWork
from tenantry.kernel import Actor, ActorKind, Unavailable
from tenantry.resources import Exchange, ResourceRepository, idempotency, operations, statements
from tenantry.tenancy import NotAMember, Role, TenantFacts, TenantResolver

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
    caches = [found for found in vars(statements).values() if hasattr(found, "cache_clear")]
    assert caches, "statements are not cached where they were"
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

    patch.setattr(statements, "count_of", of_all_rows)


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
    read, work = operations.read_json, Exchange.work

    def reading(raw: bytes, model: type[BaseModel]) -> BaseModel:
        members = json.loads(raw)
        found = [members.pop(name) for name in ("active_tenant_id", "tenant_id", "tenant") if name in members]
        _named.set(UUID(found[0]) if found else None)
        return read(json.dumps(members).encode(), model)

    def working(self: Exchange, *given: Any) -> UnitOfWork:
        named = _named.get()
        if named is None:
            return work(self, *given)
        database, actor = self.edge.runtime.database, self.principal.actor
        return database.tenant_scope(named, Placement.pool(), actor=actor, request_id=None)

    patch.setattr(operations, "read_json", reading)
    patch.setattr(Exchange, "work", working)


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

    patch.setattr(idempotency, "claim", forgetful)


def nobody_may_do_anything(patch: pytest.MonkeyPatch) -> None:
    async def refusing(self: AccessGate, scope: Any) -> Principal:
        raise NotPermitted

    patch.setattr(AccessGate, "principal", refusing)
    patch.setattr(TenantResolver, "peek", lambda *_: None)
