"""Random policies: a few records of their own, teams, roles, a key, grants, and a person who wants something.

Each is decoded from a string of bytes that Hypothesis draws; all-zero bytes are the simplest policy. It comes in two
translations: for the reference model (`Policy.world`, `Policy.person`) and for the engine (`Policy.cast`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from tests.access import reference
from tests.access.scenes import CATALOG, FUTURE, NOW, PAST, Cast, GivenGrant, OwnRole

from planner.comments.models import Comment
from planner.projects.models import Project
from planner.tasks.models import Task
from tenantry.access import Parent, RecordFacts, ResourceAccess
from tenantry.kernel import new_id

BYTES = 96
"""As many as the largest policy takes."""

ALWAYS = {"projects": frozenset({"chief"}), "tasks": frozenset({"auditor"})}
PROJECTS = ResourceAccess(
    "projects",
    Project,
    "project",
    owner="owner_id",
    own_when={"update": {"status": "draft"}},
    grantable=True,
    acl_allow_always=ALWAYS["projects"],
)
TASKS = ResourceAccess(
    "tasks",
    Task,
    "task",
    owner="owner_id",
    own_when={"update": {"status": "todo"}},
    parent=Parent(PROJECTS, "project_id"),
    grantable=True,
    acl_allow_always=ALWAYS["tasks"],
)
COMMENTS = ResourceAccess(
    "comments", Comment, "comment", owner="owner_id", parent=Parent(TASKS, "task_id"), grantable=True
)
CHAIN = {access.resource: access for access in (PROJECTS, TASKS, COMMENTS)}
OWN_WHEN = {f"{kind}:{verb}": values for kind, one in CHAIN.items() for verb, values in one.own_when.items()}

T = TypeVar("T")


class Dice:
    """Reads choices from bytes."""

    def __init__(self, thrown: bytes) -> None:
        self._thrown = iter(thrown)

    def one(self, options: Sequence[T]) -> T:
        return options[next(self._thrown) % len(options)]


@dataclass(frozen=True)
class Policy:
    kind: str
    verb: str
    world: reference.World
    person: reference.Person
    records: tuple[reference.Record, ...]
    grants: tuple[GivenGrant, ...]

    @property
    def asked(self) -> list[reference.Record]:
        """The records of the kind that is asked for; those that could hold it, where one is to be created."""
        kind = {"tasks": "projects", "comments": "tasks"}[self.kind] if self.verb == "create" else self.kind
        return [record for record in self.records if record.kind == kind]

    @property
    def cast(self) -> Cast:
        """The person with what the gate would know: every team above, every role by name."""
        teams: dict[UUID, None] = {}
        for team in self.person.teams:
            above: UUID | None = team
            while above is not None:
                teams[above] = None
                above = self.world.teams[above][0]
        of_teams = [role for role in (self.world.teams[team][1] for team in teams) if role is not None]
        roles = [*([self.person.role] if self.person.role else []), *of_teams]
        return Cast(
            self.person.id,
            self.person.role.name if self.person.role else "nobody",
            tuple(dict.fromkeys(role.name for role in of_teams)),
            tuple(teams),
            self.person.key,
            self.person.key_scope,
            [OwnRole(role.name, CATALOG.expand(role.gives), role.id) for role in roles],
        )


def policy_of(thrown: bytes) -> Policy:
    dice = Dice(thrown)
    kind = dice.one(("projects", "tasks", "tasks", "projects", "comments"))
    verb = dice.one(("update", "read", "delete", "update", "create"))
    verb = "update" if (kind, verb) == ("projects", "create") else verb
    roles = [_role(dice, name, verb) for name in (dice.one(("clerk", "clerk", "clerk", "auditor", "chief")), "team")]
    teams = _teams(dice, roles[1])
    me, key = new_id(), new_id()
    scope = _scope(dice, kind, verb)
    direct = dice.one(((), (0,), (2,), (0, 1)))
    ids = list(teams)
    person = reference.Person(
        me,
        dice.one((roles[0], roles[0], roles[0], None)),
        tuple(ids[at] for at in direct),
        key if scope is not None else None,
        scope,
    )
    records = _records(dice, (me, new_id(), ids[0], me))
    subjects = (me, ids[0], ids[1], ids[2], roles[0].id, roles[1].id, key, new_id())
    drawn = [_grant(dice, kind, verb, subjects, records) for _ in range(dice.one((0, 1, 2, 3, 4, 6)))]
    grants = tuple({(one.subject, one.action, one.effect, one.record): one for one in drawn}.values())
    given = [reference.Given(one.subject, one.action, one.effect, one.record, one.expires) for one in grants]
    world = reference.World(NOW, teams, given, ALWAYS, OWN_WHEN)
    return Policy(kind, verb, world, person, records, grants)


def _role(dice: Dice, name: str, verb: str) -> reference.Role:
    gives: set[str] = set()
    for kind in CHAIN:
        gives |= dice.one(({f"{kind}:read"}, {f"{kind}:read"}, {f"{kind}:read:own"}, set(), {f"{kind}:*"}))
        gives |= dice.one((set(), {f"{kind}:{verb}"}, {f"{kind}:{verb}:own"}))
    return reference.Role(new_id(), name, frozenset(gives))


def _teams(dice: Dice, role: reference.Role) -> dict[UUID, tuple[UUID | None, reference.Role | None]]:
    """Three teams: each stands alone or in one of those before it, and may have a role."""
    teams: dict[UUID, tuple[UUID | None, reference.Role | None]] = {}
    for _ in range(3):
        above = dice.one((None, *teams))
        teams[new_id()] = (above, dice.one((None, None, None, role)))
    return teams


def _scope(dice: Dice, kind: str, verb: str) -> frozenset[str] | None:
    """Return the scope of the person's key; mostly there is none."""
    reads = {f"{one}:read" for one in CHAIN}
    return dice.one(
        (
            None,
            None,
            None,
            None,
            frozenset({*reads, f"{kind}:{verb}"}),
            frozenset({*reads, f"{kind}:{verb}:own"}),
            frozenset({*reads, f"{kind}:read:own"} - {f"{kind}:read"} | {f"{kind}:{verb}"}),
            frozenset({f"{kind}:*"}),
        )
    )


def _records(dice: Dice, owners: Sequence[UUID]) -> tuple[reference.Record, ...]:
    """Two projects, two tasks in each of them or in one, three comments."""

    def record(kind: str, parent: reference.Record | None, status: Sequence[str]) -> reference.Record:
        values = {"status": dice.one(status)} if status else {}
        is_deleted = dice.one((False,) * 9 + (True,))
        return reference.Record(kind, new_id(), dice.one(owners), parent, is_deleted, values)

    projects = [record("projects", None, ("draft", "submitted")) for _ in range(2)]
    tasks = [record("tasks", dice.one(projects), ("todo", "done")) for _ in range(3)]
    return (*projects, *tasks, *(record("comments", dice.one(tasks), ()) for _ in range(3)))


def _grant(
    dice: Dice, kind: str, verb: str, subjects: Sequence[UUID], records: Sequence[reference.Record]
) -> GivenGrant:
    actions = (f"{kind}:{verb}", f"{kind}:read", f"{kind}:*", "projects:read", "tasks:read", f"tasks:{verb}")
    return GivenGrant(
        dice.one(subjects),
        dice.one(actions),
        dice.one(("allow", "deny")),
        dice.one((*(record.id for record in records), None)),
        dice.one((None, None, FUTURE, PAST)),
    )


def facts(record: reference.Record) -> RecordFacts:
    """Return a record as the decision in memory takes it."""
    above = None if record.parent is None else facts(record.parent)
    return RecordFacts(record.id or new_id(), record.owner, record.values, above, record.is_deleted)


def row(record: reference.Record) -> dict[str, Any]:
    """Return a record as a row of its table."""
    text = {"projects": "name", "tasks": "title", "comments": "body"}[record.kind]
    parent = {"projects": None, "tasks": "project_id", "comments": "task_id"}[record.kind]
    above = {} if parent is None or record.parent is None else {parent: record.parent.id}
    deleted_at = PAST if record.is_deleted else None
    return {"id": record.id, "owner_id": record.owner, text: "CNRY", "deleted_at": deleted_at, **record.values, **above}
