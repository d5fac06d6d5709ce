"""What service accounts take and give over HTTP."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tenantry.http import InputSchema, ShortText, partial
from tenantry.resources import ReadSchema
from tenantry.tenancy import RoleName


class ServiceAccountCreate(InputSchema):
    """A new service account, with a role that the caller could give."""

    name: ShortText
    role: RoleName


@partial
class ServiceAccountUpdate(ServiceAccountCreate):
    """What can be changed about a service account."""


class ServiceAccountRead(ReadSchema):
    """A service account."""

    name: str
    role: str
    created_by: UUID | None
    sponsor_id: UUID | None
    """Who answers for it: the person who gave it its role. It acts while they may give that role."""
    suspended_at: datetime | None
    """Since when nobody answers for it; until somebody takes it over, its keys are refused."""
