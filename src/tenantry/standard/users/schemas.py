"""What users take and give over HTTP."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tenantry.http import Email, InputSchema, OutputSchema, ShortText, partial


@partial
class ProfileUpdate(InputSchema):
    """What people change about themselves."""

    name: ShortText


@partial
class UserUpdate(InputSchema):
    """What the platform administrator changes about a user; people change their own name."""

    name: ShortText
    email: Email
    is_active: bool


class UserRead(OutputSchema):
    """A user, as the user and the platform administrator see it."""

    id: UUID
    email: str
    name: str
    is_active: bool
    email_verified_at: datetime | None
    platform_role: str | None
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class UserSchemas:
    """What is shown of users, what they change about themselves, and what the platform administrator changes."""

    read: type[UserRead] = UserRead
    profile: type[ProfileUpdate] = ProfileUpdate
    update: type[UserUpdate] = UserUpdate

    @property
    def own_fields(self) -> Set[str]:
        """What people may change about themselves."""
        return self.profile.model_fields.keys()
