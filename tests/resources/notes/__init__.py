"""Notes about a tenant, in the control plane: the smallest resource there, declared as a team would."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import StringConstraints
from sqlalchemy import ForeignKey, String, func
from sqlalchemy.orm import Mapped, mapped_column

from tenantry.access import Permissions, ResourceAccess, Role
from tenantry.app import Application
from tenantry.database import ControlTable, Timestamp
from tenantry.database.row_security import Policy, tenant_or_own
from tenantry.module import Module
from tenantry.resources import CreateSchema, ReadSchema, ResourceDefinition, ResourceRouter, ResourceService, partial
from tenantry.standard import standard_modules


class TenantNote(ControlTable):
    """A note that the control plane keeps about a tenant."""

    __tablename__ = "tenant_notes"
    __policies__: ClassVar[tuple[Policy, ...]] = tenant_or_own()
    __privileges__: ClassVar[dict[str, str]] = {"tenantry_control": "SELECT, INSERT, UPDATE, DELETE"}

    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("control.tenants.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(200, collation="C"))
    phone: Mapped[str | None] = mapped_column(String(30), info={"sensitive": True})
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    version: Mapped[int] = mapped_column(server_default="1")


class NoteCreate(CreateSchema):
    text: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    phone: Annotated[str, StringConstraints(max_length=30)] | None = None


@partial
class NoteUpdate(NoteCreate): ...


class NoteRead(ReadSchema):
    text: str
    phone: str | None


NOTES = Permissions(
    "tenant-notes", dict.fromkeys(("read", "create", "update", "delete"), "Notes."), {Role.MANAGER: {"*"}}
)


class NoteService(ResourceService):
    resource = ResourceDefinition(
        ResourceAccess("tenant-notes", TenantNote, "tenant_note", whole=True), NoteRead, guarded=False
    )


notes = ResourceRouter(
    NoteService, "/tenant-notes", create=NoteCreate, update=NoteUpdate, filters={"text"}, sort={"created_at", "text"}
)
module = Module("tenant-notes", models=(TenantNote,), permissions=NOTES, routers=(notes,))
application = Application(title="Notes", package="tests.resources.notes", modules=(*standard_modules(), module))
