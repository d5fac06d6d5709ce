"""The port of permissions: what the roles and permissions of an application mean; `access` implements it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol


class PermissionMeanings(Protocol):
    """Every permission of an application, and what each built-in role holds."""

    @property
    def descriptions(self) -> Mapping[str, str]:
        """Every permission with what it means."""
        ...

    @property
    def singulars(self) -> Mapping[str, str]:
        """The resources of tenants by name, and what one record of each is called: those that can be granted whole."""
        ...

    def of_role(self, role: str) -> frozenset[str]:
        """Return the permissions of a built-in role."""
        ...

    def expand(self, names: Iterable[str]) -> frozenset[str]:
        """Return the single permissions that names stand for."""
        ...

    def require_known(self, names: Iterable[str]) -> None:
        """Refuse names that stand for nothing."""
        ...
