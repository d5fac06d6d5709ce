"""What tenants take and give over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tenantry.database import PlacementKind
from tenantry.http import InputSchema, OutputSchema, SafeJson, ShortText, Slug, partial
from tenantry.resources import PageFacts


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


@dataclass(frozen=True, slots=True)
class TenantSchemas:
    """What members see of their tenant, and what can be changed about it."""

    read: type[TenantRead] = TenantRead
    update: type[TenantUpdate] = TenantUpdate


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


class SlugRead(OutputSchema):
    """A slug that a tenant has, or had."""

    id: str
    slug: str
    tenant_id: UUID
    is_current: bool
    """Whether the tenant has it now; if not, the platform can release it."""
    created_at: datetime


class PlatformStatsRead(OutputSchema):
    """How much there is: tenants by status, memberships, people who belong to any tenant, open invitations."""

    tenants: dict[str, int]
    memberships: int
    people: int
    open_invitations: int


class OwnTenantPage(OutputSchema):
    """A page of the caller's tenants."""

    items: list[OwnTenant]
    page: PageFacts


class SlugPage(OutputSchema):
    """A page of all slugs."""

    items: list[SlugRead]
    page: PageFacts


class TenantPage(OutputSchema):
    """A page of all tenants."""

    items: list[TenantSummary]
    page: PageFacts
