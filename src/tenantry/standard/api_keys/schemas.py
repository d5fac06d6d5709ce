"""What API keys take and give over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from tenantry.access import MAX_PERMISSION
from tenantry.http import AwareDateTime, InputSchema, OutputSchema, ShortText
from tenantry.tenancy import RoleName

PermissionName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PERMISSION)]


class ApiKeyCreate(InputSchema):
    """A new key. It is limited to `permissions` or to those of `role`; without both, to nothing but its holder's."""

    name: ShortText
    permissions: Annotated[list[PermissionName], Field(min_length=1, max_length=200)] | None = None
    """Permissions such as `projects:read`, `projects:update:own` or `projects:*`, each of which the caller holds."""
    role: RoleName | None = None
    expires_at: AwareDateTime | None = None
    """In the future, at most 366 days ahead; without it the key does not expire."""
    service_account_id: UUID | None = None
    """The service account that it acts for; without it, the caller."""

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        if self.permissions is not None and self.role is not None:
            raise PydanticCustomError("scope_ambiguous", "Limit the key by permissions or by a role, one of them")
        return self


class ApiKeyRead(OutputSchema):
    """A key. Its secret was shown once, when it was made; `prefix` is how it begins."""

    id: UUID
    name: str
    prefix: str
    user_id: UUID | None
    service_account_id: UUID | None
    role: str | None
    permissions: list[str] | None
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    """Exact to about a minute."""


class ApiKeyCreated(ApiKeyRead):
    """A key that was just made."""

    secret: Annotated[str | None, Field(repr=False)]
    """The key itself, for `Authorization: Bearer` or `X-API-Key`. It is shown this once: null where a request was
    repeated with its `Idempotency-Key`."""
