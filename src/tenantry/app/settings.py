"""All settings of an application, composed of each package's own group."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import SecretStr

from tenantry.database import DatabaseSettings
from tenantry.http import HttpSettings
from tenantry.identity import IdentitySettings
from tenantry.kernel import ConfigurationError, Environment, SettingsGroup
from tenantry.observability import LogSettings
from tenantry.tenancy import TenancySettings

_SHORTEST_SECRET = 32
_WEAK = ("changeme", "changethis", "change-me", "secret", "password", "tenantry", "example", "default")


class Settings(SettingsGroup):
    """``TENANTRY_…``: every variable that an application reads; `docs/settings.md` lists them."""

    environment: Environment = Environment.PRODUCTION
    """`development`, `test` or `production`. `tenantry dev` is development; everything else must say so."""
    debug: bool = False
    """More in logs; refused in production."""
    data_dir: Path = Path(".tenantry")
    """Where the embedded server and generated secrets of development live."""
    secret: SecretStr | None = None
    """At least 32 characters; signs tokens and cursors. Development makes one and keeps it in the data directory."""
    shutdown_grace: float = 10.0
    """Seconds that running requests get to finish after SIGTERM."""
    database: DatabaseSettings = DatabaseSettings()
    http: HttpSettings = HttpSettings()
    identity: IdentitySettings = IdentitySettings()
    tenancy: TenancySettings = TenancySettings()
    log: LogSettings = LogSettings()

    def with_values(self, **values: Any) -> Self:
        """Return a copy with other values; they are not read from the environment."""
        return self.model_copy(update=values)


def refuse_unsafe(settings: Settings) -> None:
    """Refuse a production start that only development may have. Raises `ConfigurationError` naming every problem.

    >>> refuse_unsafe(Settings(debug=True, secret="x" * 3))
    Traceback (most recent call last):
    ...
    tenantry.kernel.errors.ConfigurationError: TENANTRY_DEBUG: debugging is on in production; unset it.
    TENANTRY_SECRET: 3 characters are too few; use 32 or more, e.g. from `openssl rand -base64 48`.
    TENANTRY_DATABASE_URL: not set; the embedded server is for development. Name your PostgreSQL server.
    """
    if settings.environment is not Environment.PRODUCTION:
        return
    problems = [problem for problem in (_debug(settings), _secret(settings), _urls(settings)) if problem]
    if problems:
        raise ConfigurationError("\n".join(problems))


def _debug(settings: Settings) -> str | None:
    return "TENANTRY_DEBUG: debugging is on in production; unset it." if settings.debug else None


def _secret(settings: Settings) -> str | None:
    way_out = "use 32 or more, e.g. from `openssl rand -base64 48`."
    if settings.secret is None:
        return f"TENANTRY_SECRET: not set; {way_out}"
    secret = settings.secret.get_secret_value()
    if len(secret) < _SHORTEST_SECRET:
        return f"TENANTRY_SECRET: {len(secret)} characters are too few; {way_out}"
    if len(set(secret)) < 8 or any(word in secret.lower() for word in _WEAK):
        return f"TENANTRY_SECRET: it can be guessed; {way_out}"
    return None


def _urls(settings: Settings) -> str | None:
    if settings.database.url is None:
        return (
            "TENANTRY_DATABASE_URL: not set; the embedded server is for development. Name your PostgreSQL server."
        )
    missing = [
        f"TENANTRY_DATABASE_{role}_URL"
        for role in ("control", "platform")
        if getattr(settings.database, f"{role}_url") is None
    ]
    return f"{', '.join(missing).upper()}: not set; each database role has a URL of its own." if missing else None
