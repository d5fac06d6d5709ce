"""The rule of access once more, written from its description alone, to be compared with the engine.

It shares nothing with `tenantry.access`: it walks teams and records itself, reads clocks and wildcards itself, and goes
down the numbered lines of the design one after the other. It is slow and it is short; where it differs from the
engine, one of the two is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Role:
    """What a role gives: ``projects:update``, ``projects:update:own``, ``projects:*``."""

    id: UUID
    name: str
    gives: frozenset[str]


@dataclass(frozen=True)
class Person:
    """Who acts: in which role, in which teams (with the team above each, and its role), with which key."""

    id: UUID
    role: Role | None
    teams: tuple[UUID, ...] = ()
    key: UUID | None = None
    key_scope: frozenset[str] | None = None


@dataclass(frozen=True)
class Record:
    kind: str
    id: UUID | None
    """None for a record that is about to be created."""
    owner: UUID | None = None
    parent: Record | None = None
    is_deleted: bool = False
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Given:
    """A grant; without a record it is on a whole resource."""

    subject: UUID
    action: str
    effect: str
    record: UUID | None
    expires: datetime | None


@dataclass(frozen=True)
class World:
    """A tenant: its teams (the team above, the role), its grants, and what its resources declare."""

    now: datetime
    teams: Mapping[UUID, tuple[UUID | None, Role | None]]
    grants: Iterable[Given]
    always: Mapping[str, frozenset[str]]
    """The roles that each resource always allows."""
    own_when: Mapping[str, Mapping[str, str]]
    """By permission, what a record has to be like so that its owner may."""

    def visible(self, person: Person, record: Record) -> bool:
        """*Visible* is the decision for `read`; a child is visible only if its parent is."""
        above = record.parent is None or self.visible(person, record.parent)
        return above and not record.is_deleted and self.decide(person, "read", record)

    def may(self, person: Person, verb: str, record: Record) -> bool:
        """A write needs visible *and* its action."""
        return self.visible(person, record) and self.decide(person, verb, record)

    def decide(self, person: Person, verb: str, record: Record) -> bool:
        """Lines 3 to 8; before them the scope of a key, which only ever takes away."""
        permission = f"{record.kind}:{verb}"
        roles, subjects = self._stands_for(person)
        owns = record.owner in subjects and all(
            record.values.get(name) == value for name, value in self.own_when.get(permission, {}).items()
        )
        if person.key_scope is not None and not (
            _names(person.key_scope, permission) or (owns and f"{permission}:own" in person.key_scope)
        ):
            return False
        if {role.name for role in roles} & self.always.get(record.kind, frozenset()):  # 3
            return True
        effects = {one.effect for one in self.grants if self._applies(one, permission, record, subjects)}
        if "deny" in effects:  # 4
            return False
        if "allow" in effects:  # 5
            return True
        gives = frozenset().union(*(role.gives for role in roles))
        if owns and f"{permission}:own" in gives:  # 6
            return True
        return _names(gives, permission)  # 7, else 8

    def _stands_for(self, person: Person) -> tuple[list[Role], set[UUID]]:
        teams, waiting = set[UUID](), list(person.teams)
        while waiting:
            team = waiting.pop()
            teams.add(team)
            if (above := self.teams[team][0]) is not None:
                waiting.append(above)
        roles = [role for role in (person.role, *(self.teams[team][1] for team in teams)) if role is not None]
        key = set() if person.key is None else {person.key}
        return roles, {person.id, *teams, *(role.id for role in roles), *key}

    def _applies(self, grant: Given, permission: str, record: Record, subjects: set[UUID]) -> bool:
        above, lineage = record.parent, [record.id]
        while above is not None:
            lineage.append(above.id)
            above = above.parent
        in_force = grant.expires is None or grant.expires > self.now
        on_it = grant.record is None or grant.record in lineage
        return in_force and on_it and grant.subject in subjects and _names({grant.action}, permission)


def _names(permissions: Iterable[str], permission: str) -> bool:
    return permission in permissions or permission.partition(":")[0] + ":*" in permissions
