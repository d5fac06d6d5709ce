"""All settings of an application, composed of each package's own group."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from pydantic import Field

from tenantry.database import DatabaseSettings
from tenantry.http import HttpSettings
from tenantry.identity import IdentitySettings
from tenantry.kernel import ConfigurationError, Environment, SettingsGroup
from tenantry.observability import LogSettings
from tenantry.query import PageSizes
from tenantry.tenancy import TenancySettings

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})


class Settings(SettingsGroup):
    """``TENANTRY_…``: every variable that an application reads; `docs/settings.md` lists them."""

    environment: Environment = Environment.PRODUCTION
    """`development`, `test` or `production`. `tenantry dev` is development; everything else must say so."""
    debug: bool = False
    """More in logs; refused in production."""
    data_dir: Path = Path(".tenantry")
    """Where the embedded server and generated secrets of development live."""
    shutdown_grace: float = Field(default=8.0, ge=1, le=300)
    """Seconds that running requests get to finish after SIGTERM; what takes longer is cut off."""
    database: DatabaseSettings = DatabaseSettings()
    http: HttpSettings = HttpSettings()
    identity: IdentitySettings = IdentitySettings()
    tenancy: TenancySettings = TenancySettings()
    log: LogSettings = LogSettings()

    @property
    def page_sizes(self) -> PageSizes:
        """How many items a page of a list has, as the parser and the OpenAPI document take it."""
        return PageSizes(self.http.page_size, self.http.max_page_size)


def refuse_unsafe(settings: Settings) -> None:
    """Refuse a production start that only development may have. Raises `ConfigurationError` naming every problem.

    >>> try: refuse_unsafe(Settings(debug=True))
    ... except ConfigurationError as error: print(error.detail.splitlines()[0])
    TENANTRY_DEBUG: debugging is on in production; unset it.
    """
    if settings.environment is not Environment.PRODUCTION:
        return
    problems = [*_debug(settings), *settings.identity.problems(settings.environment), *_urls(settings.database)]
    if problems:
        raise ConfigurationError("\n".join(problems))


def _debug(settings: Settings) -> Iterator[str]:
    if settings.debug:
        yield "TENANTRY_DEBUG: debugging is on in production; unset it."


def _urls(database: DatabaseSettings) -> Iterator[str]:
    if database.url is None:
        yield "TENANTRY_DATABASE_URL is not set: the embedded server is for development; name your PostgreSQL server."
        return
    for role in ("control", "platform"):
        if getattr(database, f"{role}_url") is None:
            yield f"TENANTRY_DATABASE_{role.upper()}_URL is not set: each database role has a URL of its own."
    if database.plaintext:
        return
    for name in ("url", "control_url", "worker_url", "platform_url", "owner_url"):
        url = getattr(database, name)
        if url is not None and _travels_open(url.get_secret_value()):
            yield (
                f"TENANTRY_DATABASE_{name.upper()} leads to another machine without TLS: add ?sslmode=require (or "
                "verify-full), or set TENANTRY_DATABASE_PLAINTEXT=true where the network between is private."
            )


def _travels_open(url: str) -> bool:
    """Tell whether a connection may leave this machine unencrypted; `prefer`, the default, gives in to anybody.

    >>> _travels_open("postgresql://app@db.internal/planner"), _travels_open("postgresql://app@localhost/planner")
    (True, False)
    """
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    host = parts.hostname or query.get("host", ["/"])[0]
    is_local = host.startswith("/") or host in _LOCAL
    return not is_local and query.get("sslmode", ["prefer"])[0] not in _ENCRYPTED
