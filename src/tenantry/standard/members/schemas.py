"""What members take and give over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from tenantry.http import InputSchema, OutputSchema
from tenantry.resources import ReadSchema, SqlField
from tenantry.standard.members.repository import email_of, name_of, teams_of
from tenantry.tenancy import RoleName


class NewMember(InputSchema):
    """A person who is found, and the role that they get."""

    user_id: UUID
    role: RoleName


class RoleChange(InputSchema):
    """The new role of a member."""

    role: RoleName


class TeamOfMember(OutputSchema):
    """A team that a member is in."""

    id: UUID
    name: str


class MemberRead(ReadSchema):
    """A member of the tenant; `id` is the user's, like `user_id`."""

    id: Annotated[UUID, SqlField(lambda rows: rows.c.user_id)]
    user_id: UUID
    name: Annotated[str, SqlField(name_of)]
    email: Annotated[str, SqlField(email_of)]
    role: str
    teams: Annotated[list[TeamOfMember], SqlField(teams_of)]
    """The teams that the member is in directly, by name."""
