"""The files of a chain, in order, rendered to SQL.

A step is rendered once and its SQL is run for each placement: a thousand schemas cost a thousand batches of SQL, not a
thousand runs of Python, and what a dry run shows is what will be sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from tenantry.database.migrations.chains import Chain
from tenantry.kernel import ConfigurationError

FILE_NAME = re.compile(r"(?P<number>\d{4})_(?P<phase>pre|post)_[a-z0-9_]+\.py")
"""``pre`` must run while the previous release still serves; ``post`` only after it is gone."""


@dataclass(frozen=True, slots=True)
class Step:
    """One revision, up or down, as SQL. `version` is the chain's version afterwards; None is its beginning."""

    revision: str
    version: str | None
    statements: tuple[str, ...]
    is_transactional: bool

    @property
    def sql(self) -> str:
        """The statements as one script."""
        return "\n".join(self.statements)


class Scripts:
    """The revisions of one chain. Raises `ConfigurationError` when they are not one line of well-named files."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self._ordered = _ordered(chain)
        self._rendered: dict[tuple[str, bool], Step] = {}

    @cached_property
    def revisions(self) -> tuple[str, ...]:
        """The revisions from the first to the head."""
        return tuple(script.revision for script in self._ordered)

    @property
    def head(self) -> str | None:
        """The newest revision; None for a chain without steps."""
        return self.revisions[-1] if self.revisions else None

    def knows(self, version: str | None) -> bool:
        """Tell whether the version belongs to this chain; one that does not comes from newer code."""
        return version is None or version in self.revisions

    def check(self) -> None:
        """Render every step, so that a file with a fault is found before anything runs."""
        self.after(None)

    def after(self, version: str | None) -> list[Step]:
        """Return the steps from `version` to the head."""
        return [self._step(script, up=True) for script in self._ordered[self._position(version) :]]

    def back(self, version: str | None, target: str | None) -> list[Step]:
        """Return the steps from `version` back to `target`; None is the beginning."""
        undone = self._ordered[self._position(target) : self._position(version)]
        return [self._step(script, up=False) for script in reversed(undone)]

    def _position(self, version: str | None) -> int:
        return 0 if version is None else self.revisions.index(version) + 1

    def _step(self, script: Script, *, up: bool) -> Step:
        key = (script.revision, up)
        if key not in self._rendered:
            self._rendered[key] = _render(script, up=up)
        return self._rendered[key]


class _Recorder:
    """Receives what Alembic would print in its offline mode: one statement with each call."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def write(self, text: str) -> None:
        self.statements.append(text.strip())

    def flush(self) -> None:
        """Nothing is held back."""


def _ordered(chain: Chain) -> list[Script]:
    if not chain.script_location.is_dir():
        return []
    directory = ScriptDirectory(str(chain.script_location), version_locations=[str(chain.script_location)])
    heads = directory.get_heads()
    if len(heads) > 1:
        raise ConfigurationError(f"{chain.name} has {len(heads)} heads ({', '.join(heads)}): make it one line again.")
    ordered = list(directory.walk_revisions())[::-1]
    for script in ordered:
        _check_name(chain, script)
    return ordered


def _check_name(chain: Chain, script: Script) -> None:
    name = script.path.rpartition("/")[2]
    found = FILE_NAME.fullmatch(name)
    if found is None or found["number"] != script.revision:
        raise ConfigurationError(
            f"{chain.name}: {name} must be named {script.revision}_pre_….py or {script.revision}_post_….py, with the "
            "revision as its number."
        )


def _render(script: Script, *, up: bool) -> Step:
    recorder = _Recorder()
    context = MigrationContext.configure(
        dialect=dialect(),  # type: ignore[no-untyped-call]
        opts={"as_sql": True, "output_buffer": recorder, "literal_binds": True},
    )
    run: Callable[[], None] = script.module.upgrade if up else script.module.downgrade
    with Operations.context(context):
        run()
    version = script.revision if up else _one(script.down_revision)
    inside, alone = _split(recorder.statements)
    if inside and alone:
        raise ConfigurationError(
            f"{script.path}: a step that leaves its transaction must do nothing else, or a failure would leave half "
            "of it. Move the other operations to a step of their own."
        )
    return Step(script.revision, version, tuple(inside or alone), is_transactional=not alone)


def _split(statements: list[str]) -> tuple[list[str], list[str]]:
    """Part the statements into those of the transaction and those of blocks that left it."""
    inside: list[str] = []
    alone: list[str] = []
    current = inside
    for statement in statements:
        match statement:
            case "COMMIT;":
                current = alone
            case "BEGIN;":
                current = inside
            case _:
                current.append(statement)
    return inside, alone


def _one(version: str | tuple[str, ...] | list[str] | None) -> str | None:
    return version if version is None or isinstance(version, str) else version[0]
