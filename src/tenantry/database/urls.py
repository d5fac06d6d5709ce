"""The five connection URLs, one for each role."""

from __future__ import annotations

from dataclasses import dataclass, field

from tenantry.database.roles import DatabaseRole
from tenantry.kernel import ConfigurationError


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Where each role connects. `repr` shows no URL, because they hold passwords.

    >>> DatabaseUrls({DatabaseRole.APP: "postgresql://a:secret@h/d"})
    DatabaseUrls(roles=['app'])
    """

    _by_role: dict[DatabaseRole, str] = field(repr=False)

    def __repr__(self) -> str:
        return f"DatabaseUrls(roles={[role.name.lower() for role in self._by_role]})"

    def of(self, role: DatabaseRole) -> str:
        """Return the URL of `role`. Raises `ConfigurationError` naming the missing setting."""
        try:
            return self._by_role[role]
        except KeyError:
            variable = "TENANTRY_DATABASE_URL" if role is DatabaseRole.APP else f"TENANTRY_DATABASE_{role.name}_URL"
            raise ConfigurationError(f"{variable} is not set: this command connects as {role.value}.") from None

    def has(self, role: DatabaseRole) -> bool:
        """Tell whether the role has a URL here; a serving process has none for the owner."""
        return role in self._by_role
