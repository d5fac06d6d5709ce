"""The rules of a resource. Subclasses override what differs; it knows no HTTP and never commits.

Each write names its audit line and event: the two are one fact (``projects.created``), and the repository writes
both in the statement of the row itself.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel

from tenantry.access import Extent, FieldNotPermitted, Principal, refusal
from tenantry.database import UnitOfWork
from tenantry.kernel import FieldError
from tenantry.query import ListRequest, ListSpec
from tenantry.resources.definition import ResourceDefinition
from tenantry.resources.repository import Rendered, RenderedPage, ResourceRepository
from tenantry.resources.statements import Change
from tenantry.runtime import Runtime


class ResourceService:
    """Create, read, list, update, replace, delete, restore and clear, for one principal in one unit of work."""

    resource: ClassVar[ResourceDefinition]

    def __init__(self, uow: UnitOfWork, principal: Principal, runtime: Runtime) -> None:
        self.uow = uow
        self.principal = principal
        self.runtime = runtime
        self.records = ResourceRepository(self.resource, uow, principal)

    async def create(self, payload: BaseModel, *, parent_id: UUID | None = None) -> Rendered:
        """Add a record. Raises `NotPermitted`, and `RecordNotFound` for a parent that is not visible."""
        await self._require_create(parent_id)
        await self._require_writable(payload)
        values = await self.values(self._fields(payload))
        if self.resource.owned:
            values["owner_id"] = self.principal.user_id
        if self.resource.access.parent is not None:
            values[self.resource.access.parent.column] = parent_id
        return await self.records.create(values, action=f"{self.resource.name}.created")

    async def readmit(self, payload: BaseModel, *, parent_id: UUID | None = None) -> None:
        """Refuse what `create` would refuse now: for an answer that is given again to a repeated request."""
        await self._require_create(parent_id)
        await self._require_writable(payload)
        if parent_id is not None:
            await self.records.require_addable(parent_id)

    async def read(self, record_id: UUID) -> Rendered:
        """Return one record. Raises `RecordNotFound`."""
        return await self.records.read(record_id)

    async def list(self, request: ListRequest, spec: ListSpec, *, parent_id: UUID | None = None) -> RenderedPage:
        """Return one page of the visible records, of one parent where `parent_id` is given."""
        return await self.records.page(request, spec, parent_id=parent_id)

    async def update(self, record_id: UUID, payload: BaseModel, *, expected: int | None = None) -> Rendered:
        """Change the fields that `payload` sets. Raises `RecordNotFound`, `NotPermitted`, `StaleVersion`.

        To move a record below another parent needs the permission to create one there.
        """
        await self._require_writable(payload, record_id)
        values = await self.values(self._fields(payload, exclude_unset=True))
        await self._require_move(record_id, values)
        change = Change.SET if values else Change.NOTHING
        return await self._write(record_id, change, "update", "updated", values=values, expected=expected)

    async def replace(self, record_id: UUID, payload: BaseModel, *, expected: int | None = None) -> Rendered:
        """Set every writable field, those that `payload` leaves out to their defaults."""
        await self._require_writable(payload, record_id)
        values = await self.values(self._fields(payload))
        await self._require_move(record_id, values)
        return await self._write(record_id, Change.SET, "update", "updated", values=values, expected=expected)

    async def delete(self, record_id: UUID, *, expected: int | None = None, hard: bool = False) -> Rendered:
        """Delete a record: mark it where the model soft-deletes, unless `hard`, which needs the verb ``purge``."""
        if hard:
            return await self._write(record_id, Change.REMOVE, "purge", "purged", expected=expected)
        change = Change.MARK_DELETED if self.resource.soft_deletes else Change.REMOVE
        return await self._write(record_id, change, "delete", "deleted", expected=expected)

    async def restore(self, record_id: UUID, *, expected: int | None = None) -> Rendered:
        """Bring a soft-deleted record back; who may delete it may restore it."""
        return await self._write(record_id, Change.RESTORE, "delete", "restored", expected=expected)

    async def clear(self) -> int:
        """Delete all records that are visible to the principal; return how many."""
        return await self.records.clear(action=f"{self.resource.name}.cleared")

    async def values(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the column values for the fields of a payload; override to check or to derive some."""
        return fields

    def _fields(self, payload: BaseModel, *, exclude_unset: bool = False) -> dict[str, Any]:
        """Return the fields of a payload, without those that the principal does not see: they stay as they are."""
        return payload.model_dump(exclude_unset=exclude_unset, exclude=set(self.records.hidden) or None)

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
        reach = self.resource.access.reach(self.principal, "create")
        if reach.is_nothing or (parent_id is None and reach.extent is Extent.NONE):
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
        expected: int | None = None,
    ) -> Rendered:
        action = f"{self.resource.name}.{happened}"
        return await self.records.change(record_id, change, verb=verb, action=action, values=values, expected=expected)
