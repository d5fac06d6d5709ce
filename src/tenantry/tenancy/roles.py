"""The built-in roles of a tenant. What each may do, access decides; here they have a name and a rank."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

RoleName = Annotated[str, StringConstraints(min_length=1, max_length=50)]
"""The name of a role: a built-in one, or one of the tenant's own."""


class Role(StrEnum):
    """The built-in roles of a tenant, ranked: `owner > manager > member > viewer`."""

    VIEWER = "viewer"
    MEMBER = "member"
    MANAGER = "manager"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        """Position in the order, higher is more."""
        return _RANKS[self]

    def covers(self, minimum: Role) -> bool:
        """Tell whether this role is at least `minimum`.

        >>> Role.MANAGER.covers(Role.MEMBER), Role.VIEWER.covers(Role.MEMBER)
        (True, False)
        """
        return self.rank >= minimum.rank


_RANKS = {role: rank for rank, role in enumerate(Role)}
