"""The decision order as a table: what stands first, decides. Each cell is asked in memory and of PostgreSQL.

One cell: may *I* (in a team, which stands in another team, with a role and perhaps a key) update *this task*
of *this project*? A grant is spelled ``subject@place``: given to me, my team, the team above it, my role, or my key;
on the task (`record`), on its project (`parent`), or on every task (`type`). ``?`` behind it: given, but expired.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from tests.access.scenes import FUTURE, PAST, Cast, GivenGrant, OwnRole, Scene, facts_of, verdicts

from planner.projects.models import Project
from planner.tasks.models import Task
from tenantry.access import Decision, Line, Parent, RecordFacts, ResourceAccess
from tenantry.database import Database, DatabaseSettings, DatabaseUrls
from tenantry.kernel import new_id

pytestmark = pytest.mark.anyio

PROJECTS = ResourceAccess("projects", Project, "project", owner="owner_id", grantable=True)
TASKS = ResourceAccess(
    "tasks",
    Task,
    "task",
    owner="owner_id",
    own_when={"update": {"status": "todo"}},
    parent=Parent(PROJECTS, "project_id"),
    grantable=True,
    acl_allow_always={"auditor"},
)

TABLE = """
key   always  deny                allow               owner      role   decided

# Nobody gives anything: no. What roles and ownership give, in their order.
-     -       -                   -                   else       none   no   nothing
-     -       -                   -                   me         none   no   nothing
-     -       -                   -                   team       none   no   nothing
-     -       -                   -                   else       own    no   nothing
-     -       -                   -                   me         own    yes  ownership
-     -       -                   -                   team       own    yes  ownership
-     -       -                   -                   above      own    yes  ownership
-     -       -                   -                   me,done    own    no   nothing
-     -       -                   -                   team,done  own    no   nothing
-     -       -                   -                   else       all    yes  role
-     -       -                   -                   me         all    yes  role
-     -       -                   -                   me,done    all    yes  role

# A grant allows what nothing else does, from each subject and each place.
-     -       -                   me@record           else       none   yes  allow_grant
-     -       -                   me@parent           else       none   yes  allow_grant
-     -       -                   me@type             else       none   yes  allow_grant
-     -       -                   team@record         else       none   yes  allow_grant
-     -       -                   team@parent         else       none   yes  allow_grant
-     -       -                   team@type           else       none   yes  allow_grant
-     -       -                   above@record        else       none   yes  allow_grant
-     -       -                   above@parent        else       none   yes  allow_grant
-     -       -                   above@type          else       none   yes  allow_grant
-     -       -                   role@record         else       none   yes  allow_grant
-     -       -                   role@parent         else       none   yes  allow_grant
-     -       -                   role@type           else       none   yes  allow_grant
all   -       -                   key@record          else       none   yes  allow_grant
all   -       -                   key@parent          else       none   yes  allow_grant
all   -       -                   key@type            else       none   yes  allow_grant
-     -       -                   other@record        else       none   no   nothing
-     -       -                   other@parent        else       none   no   nothing
-     -       -                   other@type          else       none   no   nothing
-     -       -                   key@record          else       none   no   nothing

# It stands before ownership and role, and does not need them.
-     -       -                   me@record           me         own    yes  allow_grant
-     -       -                   me@parent           me,done    own    yes  allow_grant
-     -       -                   role@type           me,done    own    yes  allow_grant
-     -       -                   team@record         else       own    yes  allow_grant
-     -       -                   me@record           else       all    yes  allow_grant
-     -       -                   me@type             me         all    yes  allow_grant

# An expired grant is no grant.
-     -       -                   me@record?          else       none   no   nothing
-     -       -                   team@parent?        else       none   no   nothing
-     -       -                   role@type?          else       none   no   nothing
-     -       me@record?          -                   else       all    yes  role
-     -       above@parent?       -                   else       all    yes  role
-     -       role@type?          -                   else       all    yes  role
-     -       me@record?          me@parent           else       none   yes  allow_grant
-     -       me@record           me@parent?          else       none   no   deny_grant

# A deny stands above every allow, wherever either lies, and above ownership and role.
-     -       me@record           -                   me         all    no   deny_grant
-     -       me@parent           -                   me         all    no   deny_grant
-     -       me@type             -                   me         all    no   deny_grant
-     -       team@record         -                   me         own    no   deny_grant
-     -       team@parent         -                   me         own    no   deny_grant
-     -       team@type           -                   me         own    no   deny_grant
-     -       above@record        -                   else       all    no   deny_grant
-     -       above@parent        -                   else       all    no   deny_grant
-     -       above@type          -                   else       all    no   deny_grant
-     -       role@record         -                   else       all    no   deny_grant
-     -       role@parent         -                   else       all    no   deny_grant
-     -       role@type           -                   else       all    no   deny_grant
all   -       key@record          -                   else       all    no   deny_grant
all   -       key@parent          -                   me         all    no   deny_grant
all   -       key@type            -                   me         all    no   deny_grant
-     -       other@record        -                   else       all    yes  role
-     -       other@parent        -                   else       all    yes  role
-     -       other@type          -                   me         own    yes  ownership
-     -       me@record           me@record           me         all    no   deny_grant
-     -       role@parent         me@record           me         all    no   deny_grant
-     -       above@type          me@record           else       none   no   deny_grant
-     -       me@record           role@type           else       none   no   deny_grant
-     -       team@parent         team@type           else       none   no   deny_grant
-     -       other@record        me@record           else       none   yes  allow_grant

# Roles that are always allowed: not even a deny holds them back.
-     yes     -                   -                   else       none   yes  allow_always
-     yes     me@record           -                   else       none   yes  allow_always
-     yes     me@parent           -                   else       none   yes  allow_always
-     yes     role@type           -                   else       none   yes  allow_always
-     yes     me@type             me@type             me         all    yes  allow_always

# The scope of a key stands before everything: it only takes away.
none  -       -                   -                   me         all    no   key_scope
none  -       -                   me@record           me         all    no   key_scope
none  -       -                   key@type            me         all    no   key_scope
none  -       me@record           -                   me         all    no   key_scope
none  yes     -                   -                   me         all    no   key_scope
all   -       -                   -                   else       all    yes  role
all   -       -                   -                   else       none   no   nothing
all   yes     me@type             -                   else       none   yes  allow_always
own   -       -                   -                   else       all    no   key_scope
own   -       -                   -                   me         all    yes  role
own   -       -                   -                   team       all    yes  role
own   -       -                   -                   me,done    all    no   key_scope
own   -       -                   -                   me         own    yes  ownership
own   -       -                   -                   me         none   no   nothing
own   -       -                   me@record           else       none   no   key_scope
own   -       -                   me@record           me         none   yes  allow_grant
own   -       -                   key@type            else       none   no   key_scope
own   -       me@parent           -                   me         all    no   deny_grant
own   -       me@parent           -                   else       all    no   key_scope
own   yes     -                   -                   else       none   no   key_scope
own   yes     me@type             -                   me         none   yes  allow_always
"""


@dataclass(frozen=True)
class Cell:
    key: str
    always: str
    deny: str
    allow: str
    owner: str
    role: str
    is_allowed: str
    line: str

    @property
    def decision(self) -> tuple[bool, Line]:
        return self.is_allowed == "yes", Line(self.line)

    def __str__(self) -> str:
        given = (self.key, self.always, self.deny, self.allow, self.owner, self.role)
        names = ("key", "always", "deny", "allow", "owner", "role")
        return " ".join(f"{name}:{value}" for name, value in zip(names, given, strict=True) if value != "-")


CELLS = [Cell(*line.split()) for line in TABLE.splitlines()[2:] if line and not line.startswith("#")]


@pytest.fixture(scope="module")
async def database(urls: DatabaseUrls) -> AsyncIterator[Database]:
    opened = Database(urls, DatabaseSettings(pool_size=3, pool_wait=5), constraints={})
    yield opened
    await opened.close()


@dataclass
class Staged:
    """A cell as rows and facts."""

    cast: Cast
    grants: list[GivenGrant]
    task: RecordFacts


def staged(cell: Cell) -> Staged:
    me, team, above, key = new_id(), new_id(), new_id(), new_id()
    role = OwnRole("role", {"all": frozenset({"tasks:update"}), "own": frozenset({"tasks:update:own"})}.get(
        cell.role, frozenset()
    ))  # fmt: skip
    scope = {"none": ["tasks:read"], "own": ["tasks:update:own"], "all": ["tasks:update"]}.get(cell.key)
    subjects = {"me": me, "team": team, "above": above, "role": role.id, "key": key, "other": new_id()}
    owner, _, done = cell.owner.partition(",")
    project = RecordFacts(new_id(), new_id())
    task = RecordFacts(new_id(), {**subjects, "else": new_id()}[owner], {"status": done or "todo"}, project)
    places = {"record": task.id, "parent": project.id, "type": None}
    grants = []
    for effect, spelled in (("deny", cell.deny), ("allow", cell.allow)):
        if spelled != "-":
            subject, _, place = spelled.rstrip("?").partition("@")
            expires = PAST if spelled.endswith("?") else FUTURE
            grants.append(GivenGrant(subjects[subject], "tasks:update", effect, places[place], expires))
    always = ("auditor",) if cell.always == "yes" else ()
    acting = Cast(me, role.name, always, (team, above), key if scope is not None else None, scope, [role])
    return Staged(acting, grants, task)


@pytest.fixture(scope="module")
async def scene(database: Database) -> tuple[Scene, dict[Cell, Staged]]:
    """Every cell in one tenant, and everything once more in another one, to the same subjects, the other way round."""
    cells = {cell: staged(cell) for cell in CELLS}
    mine, foreign = Scene.begin(database), Scene.begin(database)
    for scene in (mine, foreign):
        name = scene.tenant.name
        tasks = [one.task for one in cells.values()]
        await scene.write(
            Project.__table__,
            [{"id": one.parent.id, "owner_id": one.parent.owner_id, "name": name} for one in tasks if one.parent],
        )
        await scene.write(
            Task.__table__,
            [
                {"id": one.id, "owner_id": one.owner_id, "project_id": one.parent.id, "title": name, **one.values}
                for one in tasks
                if one.parent
            ],
        )
    await mine.give(*(grant for one in cells.values() for grant in one.grants))
    await foreign.give(*(
        GivenGrant(grant.subject, grant.action, {"allow": "deny", "deny": "allow"}[grant.effect], grant.record)
        for one in cells.values()
        for grant in one.grants
    ))  # fmt: skip
    return mine, cells


def test_the_table_is_as_large_as_it_has_to_be_and_no_cell_stands_in_it_twice() -> None:
    assert len(CELLS) >= 64
    assert len({str(cell) for cell in CELLS}) == len(CELLS)
    assert {cell.line for cell in CELLS} == set(Line)


@pytest.mark.parametrize("cell", CELLS, ids=str)
async def test_the_decision_in_memory(cell: Cell, scene: tuple[Scene, dict[Cell, Staged]]) -> None:
    tenant, cells = scene
    one = cells[cell]
    principal = tenant.principal(one.cast, one.grants)
    decision = TASKS.decide(principal, "update", one.task, facts_of(one.grants))
    assert (decision.allowed, decision.line) == cell.decision
    if decision.line in (Line.DENY_GRANT, Line.ALLOW_GRANT) and "@type" not in cell.deny + cell.allow:
        assert decision == Decision(decision.allowed, decision.line, named(one, decision.allowed))


def named(one: Staged, is_allowed: bool) -> object:
    """Return the id of the grant that decides."""
    effect = "allow" if is_allowed else "deny"
    return next(grant.id for grant in one.grants if grant.effect == effect)


@pytest.mark.parametrize("cell", CELLS, ids=str)
async def test_the_decision_of_the_database(cell: Cell, scene: tuple[Scene, dict[Cell, Staged]]) -> None:
    tenant, cells = scene
    one = cells[cell]
    principal = tenant.principal(one.cast, one.grants)
    statement = verdicts(TASKS, "update", TASKS.permits(principal, "update"))
    allowed = {row["id"]: row["allowed"] for row in await tenant.rows(statement, principal, ids=[one.task.id])}
    assert allowed == {one.task.id: cell.decision[0]}
