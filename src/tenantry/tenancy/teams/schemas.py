"""What teams take and give over HTTP."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tenantry.http import InputSchema, OutputSchema, ShortText, partial
from tenantry.tenancy.schemas import ListPosition, RoleName


class TeamCreate(InputSchema):
    """A new team."""

    name: ShortText
    parent_id: UUID | None = None
    """The team that it stands in: its members count as members of that one too."""
    role: RoleName | None = None
    """A role that everybody in the team, and in the teams below it, has besides their own."""


@partial
class TeamUpdate(InputSchema):
    """What can be changed about a team; null takes it out of its parent, or takes its role."""

    name: ShortText
    parent_id: UUID | None
    role: RoleName | None


class TeamMemberAdd(InputSchema):
    """The member to take into a team."""

    user_id: UUID


class TeamRead(OutputSchema):
    """A team."""

    id: UUID
    name: str
    parent_id: UUID | None
    role: str | None
    created_at: datetime
    updated_at: datetime
    version: int


class TeamListItem(TeamRead):
    """A team in a list."""


class TeamMemberRead(OutputSchema):
    """A member in a team; `id` is the user's, like `user_id`, and `created_at` when they came in."""

    id: UUID
    user_id: UUID
    name: str
    email: str
    created_at: datetime


class TeamPage(OutputSchema):
    """A page of the teams."""

    items: list[TeamListItem]
    page: ListPosition


class TeamMemberPage(OutputSchema):
    """A page of the members in a team."""

    items: list[TeamMemberRead]
    page: ListPosition
