"""What service accounts take and give over HTTP."""

from __future__ import annotations

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
