"""What invitations take and give over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, SecretStr

from tenantry.http import Email, InputSchema, OutputSchema
from tenantry.tenancy import RoleName


class InvitationCreate(InputSchema):
    """Whom to invite, to which role."""

    email: Email
    role: RoleName


class InvitationAccept(InputSchema):
    """The token of the mail."""

    token: Annotated[SecretStr, Field(max_length=200)]


class InvitationRead(OutputSchema):
    """An open invitation."""

    id: UUID
    email: str
    role: str
    invited_by: UUID | None
    created_at: datetime
    expires_at: datetime


class JoinedTenant(OutputSchema):
    """The tenant that an invitation led to, and the role there."""

    id: UUID
    slug: str
    name: str
    role: str
