"""Notes about a tenant, in the control plane: the smallest resource there, declared as a team would."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from tenantry.access import Permissions, ResourceAccess, Role
from tenantry.app import Application
from tenantry.database import ControlModel
from tenantry.module import Module
from tenantry.resources import CreateSchema, ReadSchema, ResourceDefinition, ResourceRouter, ResourceService, partial
from tenantry.standard import standard_modules


class TenantNote(ControlModel):
    """A note that the control plane keeps about a tenant."""

    __tablename__ = "tenant_notes"

    text: Mapped[str] = mapped_column(String(200, collation="C"))
    phone: Mapped[str | None] = mapped_column(String(30), info={"sensitive": True})


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
