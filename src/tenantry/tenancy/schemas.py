"""What tenancy takes and gives over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, SecretStr, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from tenantry.database import PlacementKind
from tenantry.http import Email, InputSchema, OutputSchema, SafeJson, ShortText, Slug, partial

RoleName = Annotated[str, StringConstraints(min_length=1, max_length=50)]
"""The name of a role: a built-in one, or one of the tenant's own."""


class TenantCreate(InputSchema):
    """A new tenant; the caller becomes its owner."""

    name: ShortText
    slug: Slug


class PlatformTenantCreate(TenantCreate):
    """A new tenant, made by the platform."""

    owner_id: UUID | None = None
    """The first owner; without one, the caller."""
    placement: PlacementKind | None = None
    """Where its rows live; without one, as the settings say."""


@partial
class TenantUpdate(InputSchema):
    """What can be changed about a tenant. `config` is replaced as a whole; every member of the tenant can read it."""

    name: ShortText
    slug: Slug
    config: SafeJson


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


class InvitationCreate(InputSchema):
    """Whom to invite, to which role."""

    email: Email
    role: RoleName


class InvitationAccept(InputSchema):
    """The token of the mail."""

    token: Annotated[SecretStr, Field(max_length=200)]


class TenantRead(OutputSchema):
    """A tenant."""

    id: UUID
    slug: str
    name: str
    status: str
    """`active`, `suspended`, or `preparing` while its schema is made."""
    placement: str
    """`pool` or `schema`."""
    config: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    version: int


class OwnTenant(OutputSchema):
    """A tenant that the caller belongs to."""

    id: UUID
    slug: str
    name: str
    status: str
    role: str
    created_at: datetime


class TenantSummary(OutputSchema):
    """A tenant in the platform's list."""

    id: UUID
    slug: str
    name: str
    status: str
    placement: str
    created_at: datetime
    updated_at: datetime
    version: int


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


class InvitationRead(OutputSchema):
    """An open invitation."""

    id: UUID
    email: str
    role: str
    invited_by: UUID | None
    created_at: datetime
    expires_at: datetime


class InvitationListItem(InvitationRead):
    """An invitation in a list."""


class JoinedTenant(OutputSchema):
    """The tenant that an invitation led to, and the role there."""

    id: UUID
    slug: str
    name: str
    role: str


class PlatformStatsRead(OutputSchema):
    """How much there is: tenants by status, memberships, people who belong to any tenant, open invitations."""

    tenants: dict[str, int]
    memberships: int
    people: int
    open_invitations: int


class ListPosition(OutputSchema):
    """Where a list goes on."""

    next_cursor: str | None
    has_more: bool
    total: int | None = None
    """How many there are on all pages; with `with_total=true`."""


class OwnTenantPage(OutputSchema):
    """A page of the caller's tenants."""

    items: list[OwnTenant]
    page: ListPosition


class TenantPage(OutputSchema):
    """A page of all tenants."""

    items: list[TenantSummary]
    page: ListPosition


class MemberPage(OutputSchema):
    """A page of the members."""

    items: list[MemberListItem]
    page: ListPosition


class InvitationPage(OutputSchema):
    """A page of the open invitations."""

    items: list[InvitationListItem]
    page: ListPosition
