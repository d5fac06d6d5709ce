"""`Permit`: how far one action reaches, which is what its statements are planned for."""

from __future__ import annotations

from typing import NamedTuple

from tenantry.access.principal import Breadth


class Permit(NamedTuple):
    """How far one action reaches for a principal: all that its predicate depends on, so that it keys the statement."""

    breadth: Breadth
    granted: bool = False
    """Whether grants on records of this resource may exist; without, its statements do not ask for them."""
    own_only: bool = False
    """Whether the key of the request is limited to own records."""

    @property
    def is_everything(self) -> bool:
        """Whether the rule lets every record through, except what grants deny."""
        return self.breadth in (Breadth.ALL, Breadth.ALWAYS) and not self.own_only

    @property
    def is_nothing(self) -> bool:
        """Whether no record can pass."""
        return self.breadth is Breadth.DENIED or (self.breadth is Breadth.NONE and not self.granted)


Permits = tuple[Permit, ...]
"""The reaches a predicate was built for: of the action, then of reading the resource and each parent above it."""
