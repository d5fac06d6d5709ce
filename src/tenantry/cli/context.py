"""What every command starts from: the application it works on and the settings of the environment."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tenantry.app import Application, Assembly, Settings

T = TypeVar("T")


def load_application() -> Application:
    """Return the application that ``--app`` names. Raises `ConfigurationError`."""
    from tenantry.app import Application
    from tenantry.kernel import ConfigurationError

    reference = os.environ.get("TENANTRY_APP", "planner.app:application")
    module_name, _, attribute = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), attribute or "application")
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"--app {reference}: {error}. Write module:attribute, as in planner.app:application."
        ) from error
    if not isinstance(found, Application):
        raise ConfigurationError(f"--app {reference} is a {type(found).__name__}, not a tenantry Application.")
    return found


def load(*, environment: str | None = None, data_dir: Path | None = None) -> Settings:
    """Return the settings of the process's environment; arguments of the command line win.

    `environment` is the default of the command, used where ``TENANTRY_ENVIRONMENT`` says nothing.
    """
    from tenantry.app import Settings, with_development_secret
    from tenantry.kernel import load_settings

    environ = {name: value for name, value in os.environ.items() if name != "TENANTRY_APP"}
    if environment is not None:
        environ.setdefault("TENANTRY_ENVIRONMENT", environment)
    overrides: dict[str, Any] = {} if data_dir is None else {"data_dir": data_dir}
    return with_development_secret(load_settings(Settings, environ, **overrides))


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Assembly]:
    """Provide the assembled application for a command that works through the services."""
    from tenantry.app import assembled, database_urls

    quiet = settings.model_copy(update={"log": settings.log.model_copy(update={"access": False})})
    async with database_urls(settings) as urls, assembled(load_application(), quiet, urls) as assembly:
        yield assembly


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)
