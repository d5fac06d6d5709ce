"""What members take and give over HTTP."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from tenantry.http import Email, InputSchema, OutputSchema
from tenantry.resources import ReadSchema, SqlField
from tenantry.standard.members.repository import email_of, name_of, teams_of
from tenantry.tenancy import RoleName


class MemberAdd(InputSchema):
    """A new member: by e-mail address or by the id of a user."""

    email: Email | None = None
    user_id: UUID | None = None
    role: RoleName

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.email is None) == (self.user_id is None):
            raise PydanticCustomError("person_ambiguous", "Name the person by email or by user_id, one of them")
        return self


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
