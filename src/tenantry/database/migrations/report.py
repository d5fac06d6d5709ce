"""What a run of migrations did, place by place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened in one schema. `applied` are the revisions as ``chain:revision``; `error` says why it stopped.

    In a dry run `applied` are the revisions that would be, and `sql` is what would be sent.
    """

    place: str
    applied: tuple[str, ...] = ()
    error: str | None = None
    sql: str = ""


@dataclass(slots=True)
class MigrationReport:
    """The outcomes in the order in which they came."""

    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def failed(self) -> list[Outcome]:
        """The places that are not at the newest version. Running again tries only what is missing."""
        return [outcome for outcome in self.outcomes if outcome.error is not None]

    @property
    def exit_code(self) -> int:
        """What `tenantry migrate` returns to the shell."""
        return 1 if self.failed else 0


@dataclass(frozen=True, slots=True)
class Gap:
    """A schema whose chain is not at the version of this code.

    `is_ahead`: the database knows a revision that this code does not, so this code is the older one.
    """

    place: str
    chain: str
    version: str | None
    head: str | None
    is_ahead: bool

    def __str__(self) -> str:
        found = self.version or "nothing"
        return f"{self.place}: {self.chain} is at {found}, this code needs {self.head or 'nothing'}"


Progress = Callable[[Outcome], None]
"""Called after each place."""
