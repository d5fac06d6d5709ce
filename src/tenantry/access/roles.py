"""Roles: named permission sets with a rank. Custom roles of a tenant will be further sets of the same kind."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """The built-in roles of a tenant, ranked: ``owner > manager > member > viewer``.

    >>> Role.MANAGER.covers(Role.MEMBER), Role.VIEWER.covers(Role.MEMBER)
    (True, False)
    """

    VIEWER = "viewer"
    MEMBER = "member"
    MANAGER = "manager"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        """Position in the order, higher is more."""
        return _RANKS[self]

    def covers(self, minimum: Role) -> bool:
        """Tell whether this role is at least `minimum`."""
        return self.rank >= minimum.rank


_RANKS = {role: rank for rank, role in enumerate(Role)}


class PlatformRole(StrEnum):
    """Roles outside tenants."""

    SUPERADMIN = "superadmin"
