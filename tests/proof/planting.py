"""Leaks as a hurried change would make them; each is planted into the running application and taken out again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, true

from tenantry.access import NotPermitted, RecordNotFound, ResourceAccess, granted, resource, type_grants_key
from tenantry.access.gate import AccessGate
from tenantry.proof import Scratch
from tenantry.query import ListSpec, Paging, pages
from tenantry.resources import statements
from tenantry.resources.answer import Answer
from tenantry.resources.operations import Exchange, Operations
from tenantry.resources.repository import ResourceRepository
from tenantry.tenancy import Membership, TenantCache, TenantResolver

Plant = Any
"""(patch, scratch) → None, or a context manager."""


@contextmanager
def fresh_statements() -> Iterator[None]:
    """Compile anew what a leak is planted into, and again when it is out."""
    compiled = (statements.listing, statements.reading, statements.mutation)
    for one in compiled:
        one.cache_clear()
    yield
    for one in compiled:
        one.cache_clear()


def counts_everything(patch: pytest.MonkeyPatch, scratch: Scratch) -> None:
    real = pages.count_of
    patch.setattr(pages, "count_of", lambda rows, shape, spec: real(select(rows.get_final_froms()[0]), shape, spec))


def search_forgets_the_predicate(patch: pytest.MonkeyPatch, scratch: Scratch) -> None:
    _listing_without(patch, lambda shape: shape.search)


def cursor_forgets_the_predicate(patch: pytest.MonkeyPatch, scratch: Scratch) -> None:
    _listing_without(patch, lambda shape: shape.paging is Paging.KEYSET)


def list_ignores_denials(patch: pytest.MonkeyPatch, scratch: Scratch) -> None:
    denied, listing, listed = resource.denied, statements.listing.__wrapped__, []

    def list_it(*given: Any, **named: Any) -> Any:
        listed.append(True)
        try:
            return listing(*given, **named)
        finally:
            listed.clear()

    patch.setattr(statements, "listing", list_it)
    patch.setattr(resource, "denied", lambda actions: (lambda _: ~true()) if listed else denied(actions))


def expired_grants_count(patch: pytest.MonkeyPatch, scratch: Scratch) -> None:
    real = granted._records_of

    def records_of(actions: Any, effect: Any) -> Any:
        found = real(actions, effect)
        return select(*found.selected_columns).where(*list(found._where_criteria)[:-1])

    patch.setattr(granted, "_records_of", records_of)


def restricted_fields_sort(patch: pytest.MonkeyPatch, scratch: Scratch) -> None:
    patch.setattr(ListSpec, "without", lambda self, hidden: self)


def foreign_is_forbidden(patch: pytest.MonkeyPatch, scratch: Scratch) -> None:
    real = ResourceRepository.read

    async def read(self: ResourceRepository, record_id: UUID, **named: Any) -> Any:
        try:
            return await real(self, record_id, **named)
        except RecordNotFound:
            if await _exists(scratch, self.resource.table.name, record_id):
                raise NotPermitted from None
            raise

    patch.setattr(ResourceRepository, "read", read)


def foreign_has_an_etag(patch: pytest.MonkeyPatch, scratch: Scratch) -> None:
    real = Operations.read

    async def read(self: Operations, exchange: Exchange) -> Answer:
        try:
            return await real(self, exchange)
        except RecordNotFound:
            exists = await _exists(scratch, self.resource.table.name, exchange.id_in_path())
            return Answer(404, b"{}", version=1 if exists else None)

    patch.setattr(Operations, "read", read)


def foreign_takes_longer(patch: pytest.MonkeyPatch, scratch: Scratch) -> None:
    """What exists is asked for again and again; what exists nowhere is another id each time."""
    real, asked = ResourceRepository.read, Counter[UUID]()

    async def read(self: ResourceRepository, record_id: UUID, **named: Any) -> Any:
        try:
            return await real(self, record_id, **named)
        except RecordNotFound:
            asked[record_id] += 1
            await asyncio.sleep(0.05 if asked[record_id] > 3 else 0)
            raise

    patch.setattr(ResourceRepository, "read", read)


def header_is_trusted(patch: pytest.MonkeyPatch, scratch: Scratch) -> None:
    real = TenantResolver._memberships

    async def memberships(self: TenantResolver, user_id: UUID, tenant_id: UUID | None, slug: str | None) -> Any:
        found = await real(self, user_id, tenant_id, slug)
        return found or [Membership(tenant, "viewer") for tenant in await self._public(tenant_id, slug)]

    patch.setattr(TenantResolver, "_memberships", memberships)


def key_outlives_membership(patch: pytest.MonkeyPatch, scratch: Scratch) -> None:
    async def of_key(self: AccessGate, text: str, sent: Any, state: dict[str, Any]) -> Any:
        key = await self.keys.load(text)
        tenant = await self.resolver.active(key.tenant_id)
        return await self.principals.of_key(key, Membership(tenant, "member"))

    patch.setattr(AccessGate, "_of_key", of_key)


def type_grants_of_everybody(patch: pytest.MonkeyPatch, scratch: Scratch) -> None:
    real = TenantCache._read_now

    async def read(self: TenantCache[Any], tenant_id: UUID) -> Any:
        if self._key is not type_grants_key:
            return await real(self, tenant_id)
        tenants = await _fetch(scratch, "SELECT DISTINCT tenant_id FROM control.type_grants")
        return tuple([one for row in tenants for one in await real(self, row["tenant_id"])])

    patch.setattr(TenantCache, "_read_now", read)


@asynccontextmanager
async def simple_foreign_key(patch: pytest.MonkeyPatch, scratch: Scratch) -> AsyncIterator[None]:
    """The key of a task's project without the tenant, and a service that does not look for the project."""

    async def is_visible(self: ResourceRepository, parent_id: UUID) -> bool:
        return True

    async def is_addable(self: ResourceRepository, parent_id: UUID) -> None:
        return

    patch.setattr(ResourceRepository, "is_parent_visible", is_visible)
    patch.setattr(ResourceRepository, "require_addable", is_addable)
    drop = "ALTER TABLE pool.tasks DROP CONSTRAINT fk_tasks_tenant_id_project_id;"
    add = "ALTER TABLE pool.tasks ADD CONSTRAINT fk_tasks_tenant_id_project_id FOREIGN KEY "
    only = "ALTER TABLE pool.projects ADD CONSTRAINT only_id UNIQUE (id);"
    await _fetch(scratch, f"DO $$ BEGIN {drop} {only} {add} (project_id) REFERENCES pool.projects (id); END $$")
    yield
    whole = "(tenant_id, project_id) REFERENCES pool.projects (tenant_id, id) ON DELETE CASCADE"
    gone = "DELETE FROM pool.tasks t WHERE NOT EXISTS (SELECT FROM pool.projects p WHERE (p.tenant_id, p.id) = "
    without = f"{drop} ALTER TABLE pool.projects DROP CONSTRAINT only_id; {gone} (t.tenant_id, t.project_id));"
    await _fetch(scratch, f"DO $$ BEGIN {without} {add} {whole}; END $$")


def _listing_without(patch: pytest.MonkeyPatch, applies: Any) -> None:
    visible, listing, listed = ResourceAccess.visible, statements.listing.__wrapped__, []

    def list_it(resource: Any, read: Any, shape: Any, spec: Any, **named: Any) -> Any:
        listed.extend([True] if applies(shape) else [])
        try:
            return listing(resource, read, shape, spec, **named)
        finally:
            listed.clear()

    patch.setattr(statements, "listing", list_it)
    patch.setattr(
        ResourceAccess,
        "visible",
        lambda self, rows, read, **named: true() if listed else visible(self, rows, read, **named),
    )


async def _exists(scratch: Scratch, table: str, record_id: UUID) -> bool:
    return bool(await _fetch(scratch, f"SELECT FROM pool.{table} WHERE id = '{record_id}'"))


async def _fetch(scratch: Scratch, query: str) -> list[Any]:
    connection = await asyncpg.connect(scratch.admin_url)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()
