"""The rules of a resource. Subclasses override what differs; it knows no HTTP and never commits.

Each write names its audit line and event: the two are one fact (``projects.created``), and the repository writes
both in the statement of the row itself.

A write asks in one order, for every resource of every plane: `lock` → the record is visible (404) and the verb allowed
(403) → `check_create`, `check_update`, `check_delete`, `check_restore` → the version (412) → `conflict` (409) → the
write itself, with the constraints (409) → `announced` and `after`, in the same transaction. What a new record needs to
be committed before that transaction does `prepare`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel

from tenantry.access import (
    AccessContext,
    Breadth,
    FieldNotPermitted,
    Permits,
    Principal,
    RoleDelegation,
    refusal,
    require_anywhere,
)
from tenantry.database import UnitOfWork
from tenantry.kernel import ExpectedVersion, FieldError
from tenantry.query import ListPage, ListRequest, ListSpec
from tenantry.resources.definition import ResourceDefinition
from tenantry.resources.repository import Rendered, ResourceRepository
from tenantry.resources.statements import Change
from tenantry.resources.write import Write
from tenantry.runtime import Runtime

CHECKS = {
    "create": "check_create",
    "update": "check_update",
    "delete": "check_delete",
    "purge": "check_delete",
    "restore": "check_restore",
}
"""The hook that checks each verb."""


class ResourceService:
    """Create, read, list, update, replace, delete, restore and clear, for one principal in one unit of work.

    A service without checks writes with one statement. One that checks a verb, or whose definition is `guarded`, finds
    and locks the record first; a guarded service without the hook of a verb refuses that verb.
    """

    resource: ClassVar[ResourceDefinition]

    def __init__(self, uow: UnitOfWork, principal: Principal, runtime: Runtime) -> None:
        self.uow = uow
        self.principal = principal
        self.runtime = runtime
        self.records = ResourceRepository(self.resource, uow, principal)

    @property
    def delegation(self) -> RoleDelegation:
        """Which roles the principal may give and take, as it is in this unit of work."""
        return RoleDelegation(self.uow, self.principal, self.runtime.permissions)

    # What differs from resource to resource

    @classmethod
    async def prepare(cls, context: AccessContext, payload: BaseModel) -> None:
        """Do what has to be committed before the transaction of a new record begins; that may still be refused."""

    async def lock(self, verb: str, record_id: UUID | None) -> None:
        """Take the locks of a write; nothing has been read before. `record_id` is None for a new record."""

    def permits(self, verb: str, record_id: UUID) -> Permits | None:  # noqa: ARG002 - what a hook may need
        """Return what is decided already about a write to one record; None: its permission decides."""
        return None

    async def check_create(self, write: Write) -> None:
        """Refuse a new record that is permitted as such."""
        self._refuse_unchecked(write)

    async def check_update(self, write: Write) -> None:
        """Refuse a change that is permitted as such."""
        self._refuse_unchecked(write)

    async def check_delete(self, write: Write) -> None:
        """Refuse a deletion, soft or for good, that is permitted as such."""
        self._refuse_unchecked(write)

    async def check_restore(self, write: Write) -> None:
        """Refuse to bring a record back."""
        self._refuse_unchecked(write)

    async def conflict(self, write: Write) -> None:
        """Refuse what can be asked for, but not now (409): after the version, which is told to whoever may write."""

    def announced(self, write: Write, record_id: UUID) -> Iterable[str]:  # noqa: ARG002 - what a hook may need
        """Return the keys of the facts that a write to the control plane changes; see `tenantry.cache`."""
        return ()

    async def after(self, write: Write, record: Rendered) -> None:
        """Do what follows from a write, in its transaction."""

    def action(self, happened: str) -> str:
        """Return the name of the audit line and the event."""
        return f"{self.resource.name.replace('-', '_')}.{happened}"

    def row_parameters(self) -> Mapping[str, Any]:
        """Return the parameters of the definition's `rows`, where more is read than the table holds."""
        return {}

    async def values(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the column values for the fields of a payload; override to check or to derive some."""
        return fields

    @classmethod
    def checks(cls, verb: str) -> bool:
        """Tell whether the service has a hook of its own for a verb."""
        hook = CHECKS.get(verb)
        return hook is not None and getattr(cls, hook) is not getattr(ResourceService, hook)

    @classmethod
    def admit(cls, principal: Principal, verb: str) -> None:
        """Refuse whoever lacks a permission that is for every record or none, before anything else is looked at."""
        if cls.resource.access.whole:
            require_anywhere(principal, cls.resource.access, verb)

    # The operations

    async def create(self, payload: BaseModel, *, parent_id: UUID | None = None) -> Rendered:
        """Add a record. Raises `NotPermitted`, and `RecordNotFound` for a parent that is not visible."""
        await self._require_create(parent_id)
        await self._require_writable(payload)
        await self.lock("create", None)
        values = await self.values(self._fields(payload)) | self._stamped(parent_id)
        write = Write("create", values, parent_id=parent_id)
        if self._looks_first("create"):
            if parent_id is not None:
                await self.records.require_addable(parent_id)
            await self.check_create(write)
            await self.conflict(write)
        record = await self.records.create(values, action=self.action("created"))
        await self._finish(write, record)
        return record

    async def readmit(self, payload: BaseModel, *, parent_id: UUID | None = None) -> None:
        """Refuse what `create` would refuse now: for an answer that is given again to a repeated request."""
        await self._require_create(parent_id)
        await self._require_writable(payload)
        if parent_id is not None:
            await self.records.require_addable(parent_id)
        if self._looks_first("create"):
            await self.lock("create", None)
            await self.check_create(Write("create", await self.values(self._fields(payload)), parent_id=parent_id))

    async def read(self, record_id: UUID, *, parent_id: UUID | None = None) -> Rendered:
        """Return one record. Raises `RecordNotFound`."""
        return await self.records.read(record_id, parent_id=parent_id, **self.row_parameters())

    async def list(self, request: ListRequest, spec: ListSpec, *, parent_id: UUID | None = None) -> ListPage:
        """Return one page of the visible records, of one parent where `parent_id` is given."""
        return await self.records.page(request, spec, parent_id=parent_id, **self.row_parameters())

    async def update(self, record_id: UUID, payload: BaseModel, *, expected: ExpectedVersion = None) -> Rendered:
        """Change the fields that `payload` sets. Raises `RecordNotFound`, `NotPermitted`, `StaleVersion`.

        To move a record below another parent needs the permission to create one there.
        """
        await self._require_writable(payload, record_id)
        values = await self.values(self._fields(payload, exclude_unset=True))
        await self._require_move(record_id, values)
        return await self._write(record_id, Change.SET, "update", "updated", values=values, expected=expected)

    async def replace(self, record_id: UUID, payload: BaseModel, *, expected: ExpectedVersion = None) -> Rendered:
        """Set every writable field, those that `payload` leaves out to their defaults."""
        await self._require_writable(payload, record_id)
        values = await self.values(self._fields(payload))
        await self._require_move(record_id, values)
        return await self._write(record_id, Change.SET, "update", "updated", values=values, expected=expected)

    async def delete(
        self, record_id: UUID, *, expected: ExpectedVersion = None, hard: bool = False, parent_id: UUID | None = None
    ) -> Rendered:
        """Delete a record: mark it where the model soft-deletes, unless `hard`, which needs the verb ``purge``."""
        asked: dict[str, Any] = {"expected": expected, "parent_id": parent_id}
        if hard:
            return await self._write(record_id, Change.REMOVE, "purge", "purged", **asked)
        change = Change.MARK_DELETED if self.resource.soft_deletes else Change.REMOVE
        return await self._write(record_id, change, "delete", "deleted", **asked)

    async def restore(self, record_id: UUID, *, expected: ExpectedVersion = None) -> Rendered:
        """Bring a soft-deleted record back; who may delete it may restore it."""
        return await self._write(record_id, Change.RESTORE, "delete", "restored", expected=expected)

    async def clear(self) -> int:
        """Delete all records that are visible to the principal; return how many. Guarded ones go one by one alone."""
        if self.resource.guarded:
            raise refusal(self.resource.access, "clear")
        await self.lock("clear", None)
        return await self.records.clear(action=self.action("cleared"))

    def _fields(self, payload: BaseModel, *, exclude_unset: bool = False) -> dict[str, Any]:
        """Return the fields of a payload, without those that the principal does not see: they stay as they are."""
        return payload.model_dump(exclude_unset=exclude_unset, exclude=set(self.records.hidden) or None)

    def _stamped(self, parent_id: UUID | None) -> dict[str, Any]:
        """Return what a new record says by itself: whose it is, who made it, what it belongs to."""
        stamped: dict[str, Any] = {}
        if self.resource.owned:
            stamped["owner_id"] = self.principal.user_id
        if "created_by" in self.resource.table.c:
            stamped["created_by"] = self.principal.user_id
        if self.resource.access.parent is not None:
            stamped[self.resource.access.parent.column] = parent_id
        return stamped

    def _looks_first(self, verb: str) -> bool:
        return self.resource.guarded or self.checks(verb)

    def _refuse_unchecked(self, write: Write) -> None:
        """Refuse what nobody checks: a hook that was forgotten, or misspelt, lets nothing through."""
        if self.resource.guarded:
            raise refusal(self.resource.access, write.verb)

    async def _require_writable(self, payload: BaseModel, record_id: UUID | None = None) -> None:
        """Refuse a payload that names fields which the principal does not see, after a record that it does not see."""
        refused = sorted(payload.model_fields_set & self.records.hidden)
        if not refused:
            return
        if record_id is not None:
            await self.records.require_visible(record_id)
        raise FieldNotPermitted(
            permission=self.resource.access.restricted[refused[0]],
            resource_type=self.resource.singular,
            record_id=record_id,
            errors=[FieldError(f"/{name}", FieldNotPermitted.title, FieldNotPermitted.code) for name in refused],
        )

    async def _require_move(self, record_id: UUID, values: dict[str, Any]) -> None:
        """Refuse to move a record below a parent to which it could not be added, if the change moves it at all."""
        parent = self.resource.access.parent
        if parent is None or parent.column not in values:
            return
        if await self.records.parent_of(record_id) != values[parent.column]:
            await self.records.require_addable(values[parent.column])

    async def _require_create(self, parent_id: UUID | None) -> None:
        """Refuse whoever may add records nowhere: 404 for a parent that is not visible comes before the 403.

        Grants on a parent can allow it below that parent: then the statement decides, with the parent at hand.
        """
        permit = self.resource.access.permit(self.principal, "create")
        if permit.is_nothing or (parent_id is None and permit.breadth is Breadth.NONE):
            if parent_id is not None:
                await self.records.require_parent(parent_id)
            raise refusal(self.resource.access, "create")

    async def _write(
        self,
        record_id: UUID,
        change: Change,
        verb: str,
        happened: str,
        *,
        values: dict[str, Any] | None = None,
        expected: ExpectedVersion = None,
        parent_id: UUID | None = None,
    ) -> Rendered:
        """Change a record that exists, in the order that the head of this file says."""
        permits = self.permits(verb, record_id)
        if permits is None:
            self.admit(self.principal, verb)
        checked = "restore" if change is Change.RESTORE else verb
        await self.lock(checked, record_id)
        write = Write(checked, values or {}, parent_id=parent_id)
        if self._looks_first(checked):
            is_deleted = change is Change.RESTORE
            found = await self.records.hold(record_id, verb, parent_id=parent_id, deleted=is_deleted, permits=permits)
            changing = {name: value for name, value in write.values.items() if found[name] != value}
            write = Write(checked, changing, found, parent_id)
            await self._check(write)
            self.records.require_version(found, expected)
            await self.conflict(write)
        if change is Change.SET and not write.values:
            change = Change.NOTHING
        record = await self.records.change(
            record_id,
            change,
            verb=verb,
            action=self.action(happened),
            values=write.values,
            expected=expected,
            parent_id=parent_id,
            permits=permits,
        )
        if change is not Change.NOTHING:
            await self._finish(write, record)
        return record

    async def _check(self, write: Write) -> None:
        hook = CHECKS.get(write.verb)
        if hook is None:
            self._refuse_unchecked(write)
        else:
            await getattr(self, hook)(write)

    async def _finish(self, write: Write, record: Rendered) -> None:
        if keys := tuple(self.announced(write, record.id)):
            await self.runtime.facts.announce(self.uow, *keys)
        await self.after(write, record)
