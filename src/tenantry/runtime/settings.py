"""Settings for services that are made for one unit of work, and so cannot be handed them by the assembly."""

from __future__ import annotations

from typing import TypeVar

from tenantry.kernel import ConfigurationError, SettingsGroup

Group = TypeVar("Group", bound=SettingsGroup)


class SettingsGroups:
    """The groups of settings of an application, each found by its type.

    >>> class Mailing(SettingsGroup):
    ...     sender: str = "post@example.test"
    >>> class Settings(SettingsGroup):
    ...     mailing: Mailing = Mailing()
    >>> SettingsGroups(Settings())[Mailing].sender
    'post@example.test'
    """

    def __init__(self, composed: SettingsGroup | None = None) -> None:
        values = [getattr(composed, name) for name in type(composed).model_fields] if composed is not None else []
        self._groups = {type(value): value for value in (composed, *values) if isinstance(value, SettingsGroup)}

    def __getitem__(self, kind: type[Group]) -> Group:
        """Return the group of a type. Raises `ConfigurationError` for one that the settings are not composed of."""
        group = self._groups.get(kind)
        if not isinstance(group, kind):
            raise ConfigurationError(f"{kind.__name__} is no group of the application's settings.")
        return group
