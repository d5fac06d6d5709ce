"""Teams: making and moving them, and who is in them. Nobody gets a role by a team from somebody who may not give it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from tenantry.access import Parent, ResourceAccess
from tenantry.resources import ResourceDefinition, ResourceService, Write
from tenantry.standard.teams.schemas import TeamMemberRead, TeamRead
from tenantry.tenancy import (
    IS_MEMBER,
    Team,
    TeamCycle,
    TeamHasTeams,
    TeamMember,
    TeamMemberNotFound,
    TeamNotFound,
    TeamTooDeep,
    TeamTree,
    TooManyTeams,
    UnknownMember,
    UnknownParent,
    lock_roles,
    lock_roles_shared,
    member_key,
    read_tree,
    teams_key,
)

MAX_TEAMS = 2_000
MAX_LEVELS = 20

TEAM_ACCESS = ResourceAccess(
    "teams",
    Team,
    "team",
    permissions=dict.fromkeys(("create", "update", "delete"), "teams:manage"),
    whole=True,
    not_found=TeamNotFound,
)
TEAM_MEMBER_ACCESS = ResourceAccess(
    "team-members",
    TeamMember,
    "team",
    parent=Parent(TEAM_ACCESS, "team_id"),
    permissions={"read": "teams:read", "create": "teams:manage", "delete": "teams:manage"},
    whole=True,
    not_found=TeamMemberNotFound,
)


class TeamService(ResourceService):
    """The teams of one tenant."""

    resource = ResourceDefinition(TEAM_ACCESS, read=TeamRead)

    async def lock(self, verb: str, record_id: UUID | None) -> None:
        """Be the only one who changes what teams mean."""
        await lock_roles(self.uow, self.principal.tenant.id)
        self._tree = await read_tree(self.uow, self.principal.tenant.id)

    async def check_create(self, write: Write) -> None:
        """Refuse a place that there is not, and a role that whoever acts may not give."""
        _require_place(self._tree, write.values["parent_id"], height=1)
        await self._require_exchange(taken=(), given=(write.values["role"],))

    async def check_update(self, write: Write) -> None:
        """Refuse a place that there is not, and roles that people get or lose by it and are not one's own to give."""
        before, tree = write.before, self._tree
        taken: list[str | None] = []
        given: list[str | None] = []
        if write.changes("parent_id"):
            new_parent = write.values["parent_id"]
            _require_place(tree, new_parent, height=tree.height(before["id"]), team_id=before["id"])
            taken += tree.roles_above(before["parent_id"])
            given += tree.roles_above(new_parent)
        if write.changes("role"):
            taken.append(before["role"])
            given.append(write.values["role"])
        await self._require_exchange(taken=taken, given=given)

    async def check_delete(self, write: Write) -> None:
        """Refuse to take roles that are above whoever acts."""
        await self._require_exchange(taken=self._tree.roles_above(write.before["id"]), given=None)

    async def conflict(self, write: Write) -> None:
        """Refuse too many teams, and the end of one in which others stand."""
        if write.verb == "create" and len(self._tree) >= MAX_TEAMS:
            raise TooManyTeams(f"A tenant has at most {MAX_TEAMS} teams.")
        if write.verb == "delete" and self._tree.has_children(write.before["id"]):
            raise TeamHasTeams

    def announced(self, write: Write, record_id: UUID) -> Iterable[str]:
        """The tree of the tenant."""
        return (teams_key(self.principal.tenant.id),)

    async def _require_exchange(self, *, taken: Iterable[str | None], given: Iterable[str | None] | None) -> None:
        if named := _named(taken):
            await self.delegation.require_may_take(*named)
        if given is not None:
            await self.delegation.require_may_give(*_named(given))


class TeamMemberService(ResourceService):
    """Who is in the teams of one tenant."""

    resource = ResourceDefinition(TEAM_MEMBER_ACCESS, read=TeamMemberRead, key="user_id", subject="team_id")

    async def lock(self, verb: str, record_id: UUID | None) -> None:
        """Let no team change its meaning; whoever takes somebody out changes it."""
        await (lock_roles_shared if verb == "create" else lock_roles)(self.uow, self.principal.tenant.id)

    async def check_create(self, write: Write) -> None:
        """Refuse roles that whoever acts may not give, and people who are no members."""
        tenant_id, user_id = self.principal.tenant.id, write.values["user_id"]
        await self.delegation.require_may_give(*await self._roles_of(write.parent_id))
        if not await self.uow.value(IS_MEMBER, tenant_id=tenant_id, user_id=user_id):
            raise UnknownMember.at("/user_id")

    async def check_delete(self, write: Write) -> None:
        """Refuse roles that whoever acts may not take."""
        await self.delegation.require_may_take(*await self._roles_of(write.parent_id))

    def announced(self, write: Write, record_id: UUID) -> Iterable[str]:
        """The memberships of whoever comes or goes."""
        return (member_key(self.principal.tenant.id, record_id),)

    def action(self, happened: str) -> str:
        """Both are changes of the team."""
        return {"created": "teams.member_added", "deleted": "teams.member_removed"}[happened]

    async def _roles_of(self, team_id: UUID | None) -> tuple[str, ...]:
        return (await read_tree(self.uow, self.principal.tenant.id)).roles_above(team_id)


def _named(roles: Iterable[str | None]) -> list[str]:
    return sorted({role for role in roles if role is not None})


def _require_place(tree: TeamTree, parent_id: UUID | None, *, height: int, team_id: UUID | None = None) -> None:
    """Refuse a place in the tree that does not exist, lies in the team itself, or is too deep."""
    if parent_id is None:
        return
    if parent_id not in tree:
        raise UnknownParent.at("/parent_id")
    above = tree.above([parent_id])
    if team_id in above:
        raise TeamCycle.at("/parent_id")
    if len(above) + height > MAX_LEVELS:
        raise TeamTooDeep.at("/parent_id")
