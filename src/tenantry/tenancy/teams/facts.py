"""What is remembered about the teams of a tenant: which stands in which, and the roles that they give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class TeamFacts:
    """A team: the one that it stands in, and the role that it gives."""

    parent_id: UUID | None
    role: str | None


class TeamTree:
    """Every team of a tenant. Whoever is in a team counts as in every team above it.

    >>> top, sub = UUID(int=1), UUID(int=2)
    >>> tree = TeamTree({top: TeamFacts(None, "manager"), sub: TeamFacts(top, None)})
    >>> tree.above([sub]) == (sub, top), tree.roles_of([sub, top])
    (True, ('manager',))
    """

    def __init__(self, teams: Mapping[UUID, TeamFacts]) -> None:
        self._teams = teams

    def __len__(self) -> int:
        return len(self._teams)

    def __contains__(self, team_id: UUID) -> bool:
        return team_id in self._teams

    def above(self, team_ids: Iterable[UUID]) -> tuple[UUID, ...]:
        """Return the teams with all above them, each once; a team that is no more is in none."""
        found: dict[UUID, None] = {}
        for team_id in team_ids:
            at: UUID | None = team_id
            while at is not None and at not in found and at in self._teams:
                found[at] = None
                at = self._teams[at].parent_id
        return tuple(found)

    def roles_of(self, team_ids: Iterable[UUID]) -> tuple[str, ...]:
        """Return the roles that these teams give, each once."""
        roles = (self._teams[team_id].role for team_id in team_ids if team_id in self._teams)
        return tuple(dict.fromkeys(role for role in roles if role is not None))

    def roles_above(self, team_id: UUID | None) -> tuple[str, ...]:
        """Return the roles that somebody in this team has by it."""
        return () if team_id is None else self.roles_of(self.above([team_id]))

    def has_children(self, team_id: UUID) -> bool:
        """Tell whether another team stands in this one."""
        return any(team.parent_id == team_id for team in self._teams.values())

    def height(self, team_id: UUID) -> int:
        """Return how many levels the team has, with those below it; one pass over the tenant's teams."""
        return max(
            (way.index(team_id) + 1 for way in (self.above([one]) for one in self._teams) if team_id in way), default=1
        )


def teams_key(tenant_id: UUID) -> str:
    """Return the key of a tenant's `TeamTree`."""
    return f"teams:{tenant_id}"
