"""What roles take and give over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError
from sqlalchemy import ARRAY, Uuid, any_, literal

from tenantry.access import BUILT_IN_IDS, MAX_PERMISSION, MAX_ROLE_NAME
from tenantry.http import InputSchema, OutputSchema, partial
from tenantry.resources import PageFacts, SqlField
from tenantry.tenancy import Role

MAX_PERMISSIONS = 500

_BUILT_IN = literal(list(BUILT_IN_IDS.values()), ARRAY(Uuid))


def _printable(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("not_printable", "Use printable characters only")
    return text


NewRoleName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_ROLE_NAME),
    AfterValidator(_printable),
]
PermissionName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PERMISSION)]


class RoleCreate(InputSchema):
    """A role of the tenant's own."""

    name: NewRoleName
    description: Annotated[str, StringConstraints(max_length=500)] | None = None
    counts_as: Role = Role.VIEWER
    """The built-in role that it is where a rule asks for a minimum role; it gives no permissions."""
    permissions: Annotated[list[PermissionName], Field(default_factory=list, max_length=MAX_PERMISSIONS)]
    """What the role gives: `notes:read`, `notes:update:own` for own records, `notes:*` for everything with notes."""


@partial
class RoleUpdate(RoleCreate):
    """What can be changed about a role. `permissions` are replaced as a whole."""


class RoleRead(OutputSchema):
    """A role."""

    id: UUID
    name: str
    description: str | None
    counts_as: str
    permissions: list[str]
    is_builtin: Annotated[bool, SqlField(lambda rows: rows.c.id == any_(_BUILT_IN))]
    """Built-in roles are the same in every tenant and cannot be changed."""
    created_at: datetime | None
    updated_at: datetime | None
    version: int


class PermissionRead(OutputSchema):
    """A permission: what it means, and the built-in roles that hold it. `id` is its name."""

    id: str
    name: str
    description: str
    resource: str
    verb: str
    roles: list[str]


class PermissionPage(OutputSchema):
    """A page of the permissions."""

    items: list[PermissionRead]
    page: PageFacts
