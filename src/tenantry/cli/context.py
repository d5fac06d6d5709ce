"""What every command starts from: the application it works on and the settings of the environment."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from tenantry.app import Application, Assembly, Settings

T = TypeVar("T")

DataDir = Annotated[Path | None, typer.Option(help="Data directory of development (default .tenantry).")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]


def load_application() -> Application:
    """Return the application that ``--app`` names. Raises `ConfigurationError`."""
    from tenantry.app import Application
    from tenantry.kernel import ConfigurationError

    reference = os.environ.get("TENANTRY_APP", "planner.app:application")
    module_name, _, attribute = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), attribute or "application")
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(
            f"--app {reference}: {error}. Write module:attribute, as in planner.app:application."
        ) from error
    gc.freeze()
    gc.enable()  # after `main`: everything is imported now
    if not isinstance(found, Application):
        raise ConfigurationError(f"--app {reference} is a {type(found).__name__}, not a tenantry Application.")
    return found


def load(*, environment: str | None = None, data_dir: Path | None = None) -> Settings:
    """Return the settings of `read`, with the secret of development."""
    from tenantry.app import with_development_secret

    return with_development_secret(read(environment=environment, data_dir=data_dir))


def read(*, environment: str | None = None, data_dir: Path | None = None) -> Settings:
    """Return the settings of the process's environment, and write nothing; arguments of the command line win.

    `environment` is the default of the command, used where ``TENANTRY_ENVIRONMENT`` says nothing. Without one, a
    command works on the development data that is there, and otherwise in production (see `usual_environment`).
    """
    from tenantry.app import Settings
    from tenantry.kernel import load_settings

    environ = {name: value for name, value in os.environ.items() if name != "TENANTRY_APP"}
    if not environ.get("TENANTRY_ENVIRONMENT"):
        environ["TENANTRY_ENVIRONMENT"] = environment or usual_environment(environ, data_dir)
    overrides: dict[str, Any] = {} if data_dir is None else {"data_dir": data_dir}
    return load_settings(Settings, environ, **overrides)


def usual_environment(environ: Mapping[str, str], data_dir: Path | None) -> str:
    """Return where a command works that was not told: in development only where `tenantry dev` has worked before.

    A production process names the URLs of several roles; development names one or none.
    """
    from tenantry.app import has_development_state

    directory = data_dir or Path(environ.get("TENANTRY_DATA_DIR") or ".tenantry")
    is_development = not environ.get("TENANTRY_DATABASE_CONTROL_URL") and has_development_state(directory)
    return "development" if is_development else "production"


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Assembly]:
    """Provide the assembled application for a command that works through the services."""
    from tenantry.app import assembled, database_urls
    from tenantry.observability import configure_logging

    application = load_application()
    configure_logging("warning", "console")
    quiet = settings.model_copy(update={"log": settings.log.model_copy(update={"access": False})})
    async with database_urls(settings) as urls, assembled(application, quiet, urls) as assembly:
        yield assembly


def checked(kind: Any, value: str, name: str) -> str:
    """Return an argument as the API's own field type takes it. Raises `InvalidInput` naming the argument."""
    from pydantic import TypeAdapter, ValidationError

    from tenantry.kernel import InvalidInput

    try:
        found: str = TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise InvalidInput(f"{name}: {error.errors()[0]['msg']}") from None
    return found


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)
