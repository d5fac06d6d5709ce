"""Settings of the logs."""

from __future__ import annotations

from typing import Literal

from tenantry.kernel import Environment, SettingsGroup


class LogSettings(SettingsGroup):
    """``TENANTRY_LOG_…`` (the field is called `log` where settings are composed)."""

    level: Literal["debug", "info", "warning", "error", "critical"] = "info"
    """The least important level that is written."""
    format: Literal["json", "console"] | None = None
    """One JSON object a line, or lines for people. None: JSON in production, console elsewhere."""
    access: bool = True
    """Write one line for every request."""

    def format_for(self, environment: Environment) -> Literal["json", "console"]:
        """Return the format to use.

        >>> LogSettings().format_for(Environment.PRODUCTION)
        'json'
        """
        return self.format or ("json" if environment is Environment.PRODUCTION else "console")
