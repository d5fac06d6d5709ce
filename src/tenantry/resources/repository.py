"""Every statement of a resource, run for one principal in one unit of work. It starts from the visible set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tenantry.access import SUBJECTS, TENANT, Permits, Principal, RecordNotFound, addition, existence, refusal
from tenantry.audit import who
from tenantry.database import Row, UnitOfWork
from tenantry.kernel import ExpectedVersion, NotFound, new_id, require_version, stale_version, versions_of
from tenantry.query import ListPage, ListRequest, ListSpec, read_page
from tenantry.resources import statements
from tenantry.resources.definition import ResourceDefinition
from tenantry.resources.statements import Change, Mutation


@dataclass(frozen=True, slots=True)
class Rendered:
    """A record as PostgreSQL rendered it: the JSON text of the read schema, with its id and version."""

    id: UUID
    json: str
    version: int | None
    """None where records do not count their changes."""


class ResourceRepository:
    """Reads and writes the records of one resource as one principal may."""

    def __init__(self, resource: ResourceDefinition, uow: UnitOfWork, principal: Principal) -> None:
        self.resource = resource
        self.uow = uow
        self.principal = principal
        self._access = resource.access
        self.hidden = resource.access.hidden(principal)
        """The restricted fields that this principal neither reads nor writes."""

    async def read(self, record_id: UUID, *, parent_id: UUID | None = None, **given: Any) -> Rendered:
        """Return one visible record; `given` are the parameters of the definition's rows. Raises `RecordNotFound`."""
        statement = statements.reading(self.resource, self._access.read_permits(self.principal), self.hidden)
        row = await self.uow.one(statement, id=record_id, parent_id=parent_id, **given, **self._actor())
        if row is None:
            raise self._not_found(record_id)
        return Rendered(record_id, row["json"], row["version"])

    async def hold(
        self,
        record_id: UUID,
        verb: str,
        *,
        parent_id: UUID | None = None,
        deleted: bool = False,
        permits: Permits | None = None,
    ) -> Row:
        """Return a record as it is, which nobody changes meanwhile; `deleted` asks for a soft-deleted one.

        `permits` is what the caller has decided already, in place of the rule. Raises `RecordNotFound`, `NotPermitted`.
        """
        permits = permits or self._access.permits(self.principal, verb)
        statement = statements.holding(self.resource, verb, permits, deleted=deleted)
        row = await self.uow.one(statement, id=record_id, parent_id=parent_id, **self._actor())
        if row is None:
            if parent_id is not None:
                await self.require_parent(parent_id, verb)
            raise self._not_found(record_id)
        if not row["allowed"]:
            raise refusal(self._access, verb, record_id)
        return row

    async def page(
        self, request: ListRequest, spec: ListSpec, *, parent_id: UUID | None = None, **given: Any
    ) -> ListPage:
        """Return one page of the visible records, of one parent where `parent_id` is given.

        `given` are the parameters of the definition's rows.
        Raises `RecordNotFound` for a parent that is not visible.
        """
        read = self._access.read_permits(self.principal)
        nested = parent_id is not None
        statement = statements.listing(self.resource, read, request.shape, spec, nested=nested, hidden=self.hidden)
        row = await self.uow.exactly_one(statement, **request.params, parent_id=parent_id, **given, **self._actor())
        page = read_page(row, request, spec)
        if page.is_empty and parent_id is not None:
            await self.require_parent(parent_id)
        return page

    async def create(self, values: Mapping[str, Any], *, action: str) -> Rendered:
        """Insert a record, its audit line and its event; `values` are columns without id and tenant.

        Raises `RecordNotFound` for a parent that is not visible, `NotPermitted` for one that nothing may be added to,
        and the errors of the table's constraints.
        """
        parent = self._access.parent
        above = self._permits_above("create") if parent else ()
        permits = (self._access.permit(self.principal, "create"), *above)
        record_id = new_id()
        made = {"tenant_id": self.uow.tenant_id, "id": record_id}
        full = {name: value for name, value in made.items() if name in self.resource.table.c} | dict(values)
        statement = statements.creation(self.resource, tuple(full), permits, self.hidden)
        row = await self.uow.one(statement, **_set(full), **self._line(action), **self._actor())
        if row is None:
            await self.require_parent(values[parent.column] if parent else record_id, "create")
            raise refusal(self._access, "create")
        return Rendered(row["key"], row["json"], row["version"])

    async def change(
        self,
        record_id: UUID,
        change: Change,
        *,
        verb: str,
        action: str,
        values: Mapping[str, Any] | None = None,
        expected: ExpectedVersion = None,
        parent_id: UUID | None = None,
        permits: Permits | None = None,
    ) -> Rendered:
        """Change a visible record as `verb` allows, with its audit line and event.

        `expected` is the version that the caller saw, `permits` as in `hold`. Raises `RecordNotFound`, `NotPermitted`,
        `StaleVersion`, in this order, and the errors of the table's constraints.
        """
        values = values or {}
        permits = permits or self._access.permits(self.principal, verb)
        shape = Mutation(change, verb, permits, tuple(values), self.hidden)
        statement = statements.mutation(self.resource, shape)
        line = {} if change is Change.NOTHING else self._line(action)
        versions = versions_of(expected)
        asked = {"id": record_id, "parent_id": parent_id, "expected": None if versions is None else sorted(versions)}
        row = await self.uow.one(statement, **asked, **_set(values), **line, **self._actor())
        if row is None:
            raise self._not_found(record_id)
        self._refuse(row, verb, record_id)
        return Rendered(record_id, row["json"], row["version"])

    async def clear(self, *, action: str) -> int:
        """Delete every visible record that the verb ``clear`` may touch; return how many."""
        permits: Permits = self._access.permits(self.principal, "clear")
        statement = statements.clearing(self.resource, permits)
        removed: int = await self.uow.value(statement, **self._line(action), **self._actor())
        return removed

    async def require_visible(self, record_id: UUID) -> None:
        """Raise `RecordNotFound` unless the record is visible."""
        statement = existence(self._access, self._access.read_permits(self.principal))
        if not await self.uow.value(statement, id=record_id, **self._actor()):
            raise self._not_found(record_id)

    async def is_parent_visible(self, parent_id: UUID, verb: str = "read") -> bool:
        """Tell whether a record that could hold this resource's records is visible."""
        parent = self._access.parent
        if parent is None:
            return False
        statement = existence(parent.access, self._permits_above(verb))
        found: bool = await self.uow.value(statement, id=parent_id, **self._actor())
        return found

    async def require_parent(self, parent_id: UUID, verb: str = "read") -> None:
        """Raise `RecordNotFound` unless the parent is visible to whoever has this verb in mind."""
        if not await self.is_parent_visible(parent_id, verb):
            parent = self._access.parent
            found_not = parent.access.not_found if parent else RecordNotFound
            raise found_not(f"The record that holds this list, {parent_id}, was not found.")

    async def parent_of(self, record_id: UUID) -> UUID | None:
        """Return the id of the record above one, None where there is none; nobody moves the record meanwhile.

        Raises `RecordNotFound`.
        """
        parent = self._access.parent
        if parent is None:
            return None
        statement = statements.parent_of(self.resource, parent.column, self._access.read_permits(self.principal))
        found: UUID | None = await self.uow.value(statement, id=record_id, **self._actor())
        if found is None:
            raise self._not_found(record_id)
        return found

    async def require_addable(self, parent_id: UUID) -> None:
        """Refuse a parent as a creation below it would: with `RecordNotFound`, or `NotPermitted`."""
        parent = self._access.parent
        if parent is None:
            return
        permit, read = self._access.permit(self.principal, "create"), self._permits_above("create")
        if not await self.uow.value(addition(self._access, permit, read), id=parent_id, **self._actor()):
            await self.require_parent(parent_id, "create")
            raise refusal(self._access, "create")

    def require_version(self, held: Row, expected: ExpectedVersion) -> None:
        """Raise `StaleVersion` where a record that is held is not at the version that the caller saw."""
        current = held["version"] if self.resource.versioned else None
        require_version(self.resource.singular, current, expected)

    def _refuse(self, row: Row, verb: str, record_id: UUID) -> None:
        if not row["allowed"]:
            raise refusal(self._access, verb, record_id)
        if row["json"] is None:
            raise stale_version(self.resource.singular, row["current"])

    def _permits_above(self, verb: str) -> Permits:
        """The reaches of seeing the records above, for whoever has this verb in mind."""
        return self._access.seen_permits(self.principal, verb)[1:]

    def _not_found(self, record_id: UUID) -> NotFound:
        name = self.resource.singular.replace("_", " ").capitalize()
        return self._access.not_found(f"{name} {record_id} not found.")

    def _actor(self) -> dict[str, Any]:
        return {SUBJECTS: self.principal.subjects, TENANT: self.uow.tenant_id}

    def _line(self, action: str) -> dict[str, Any]:
        return {
            **who(self.uow),
            "tenant_id": self.uow.tenant_id,
            "audit_id": new_id(),
            "event_id": new_id(),
            "action": action,
        }


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"set_{name}": value for name, value in values.items()}
