"""What teams take and give over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from tenantry.http import InputSchema, OutputSchema, ShortText, partial
from tenantry.resources import ReadSchema, SqlField
from tenantry.standard.members.repository import email_of, name_of
from tenantry.tenancy import RoleName


class TeamCreate(InputSchema):
    """A new team."""

    name: ShortText
    parent_id: UUID | None = None
    """The team that it stands in: its members count as members of that one too."""
    role: RoleName | None = None
    """A role that everybody in the team, and in the teams below it, has besides their own."""


@partial
class TeamUpdate(TeamCreate):
    """What can be changed about a team; null takes it out of its parent, or takes its role."""


class TeamRead(ReadSchema):
    """A team."""

    name: str
    parent_id: UUID | None
    role: str | None


class TeamMemberAdd(InputSchema):
    """The member to take into a team."""

    user_id: UUID


class TeamMemberRead(OutputSchema):
    """A member in a team; `id` is the user's, like `user_id`, and `created_at` when they came in."""

    id: Annotated[UUID, SqlField(lambda rows: rows.c.user_id)]
    user_id: UUID
    name: Annotated[str, SqlField(name_of)]
    email: Annotated[str, SqlField(email_of)]
    created_at: datetime
