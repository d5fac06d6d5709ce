"""What members take and give over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from tenantry.http import Email, InputSchema, OutputSchema
from tenantry.resources import PageFacts
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


class RoleChange(InputSchema):
    """The new role of a member."""

    role: RoleName


class TeamOfMember(OutputSchema):
    """A team that a member is in."""

    id: UUID
    name: str


class MemberRead(OutputSchema):
    """A member of the tenant; `id` is the user's, like `user_id`."""

    id: UUID
    user_id: UUID
    name: str
    email: str
    role: str
    teams: list[TeamOfMember]
    """The teams that the member is in directly, by name."""
    created_at: datetime
    updated_at: datetime


class MemberListItem(MemberRead):
    """A member in a list."""


class MemberPage(OutputSchema):
    """A page of the members."""

    items: list[MemberListItem]
    page: PageFacts
