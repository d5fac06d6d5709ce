"""Settings of tenancy."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from tenantry.database import PlacementKind
from tenantry.kernel import LISTED, SettingsGroup

DEFAULT_SLUG = "default"
"""The tenant that public routes fall back to."""


class TenancySettings(SettingsGroup):
    """``TENANTRY_TENANCY_…``.

    >>> sorted(TenancySettings.model_validate({"reserved_slugs": "default, intern"}).reserved_slugs)
    ['default', 'intern']
    """

    default_placement: PlacementKind = PlacementKind.POOL
    """Where a new tenant's rows live: `pool` (the shared schema) or `schema` (one of its own, which needs the owner's
    connection at creation)."""
    reserved_slugs: Annotated[frozenset[str], LISTED] = frozenset({DEFAULT_SLUG})
    """Slugs that only platform administrators may give, beside the built-in ones that nobody may. `default` is one:
    whoever had it would be shown to every visitor of a public route. A list of yours replaces this one."""
    invitation_days: float = Field(default=7, gt=0, le=90)
    """How long an invitation can be accepted."""
    invitation_link: str | None = Field(default=None, max_length=500)
    """Page that the invitation mail links to; the token is appended (``https://app.example.com/join#``). None: the
    mail shows the token alone."""

    @property
    def invitation_lifetime(self) -> timedelta:
        """How long an invitation can be accepted."""
        return timedelta(days=self.invitation_days)
