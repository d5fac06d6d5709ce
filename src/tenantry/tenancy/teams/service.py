"""Teams: making and moving them, and who is in them. Nobody gets a role by a team from somebody who may not give it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tenantry.audit import record
from tenantry.database import Row, UnitOfWork
from tenantry.http import require_version
from tenantry.kernel import FieldError, InvalidInput, new_id
from tenantry.query import ListRequest
from tenantry.runtime import Runtime
from tenantry.tenancy.actor import Acting
from tenantry.tenancy.authority import RoleAuthority
from tenantry.tenancy.errors import (
    TeamCycle,
    TeamHasTeams,
    TeamMemberNotFound,
    TeamNotFound,
    TeamTooDeep,
    TooManyTeams,
    UnknownMember,
    UnknownParent,
)
from tenantry.tenancy.facts import member_key
from tenantry.tenancy.holding import lock_holdings, share_holdings
from tenantry.tenancy.repository import IS_MEMBER
from tenantry.tenancy.row_list import ListPage
from tenantry.tenancy.teams.facts import TeamTree, teams_key
from tenantry.tenancy.teams.reading import read_tree
from tenantry.tenancy.teams.repository import (
    DELETE_TEAM,
    DELETE_TEAM_MEMBER,
    INSERT_TEAM,
    INSERT_TEAM_MEMBER,
    TEAM_BY_ID,
    TEAM_MEMBER_BY_ID,
    TEAM_MEMBERS,
    TEAMS,
    UPDATE_TEAM,
)

MAX_TEAMS = 2_000
MAX_LEVELS = 20

_CHANGEABLE = ("name", "parent_id", "role")


@dataclass(frozen=True, slots=True)
class TeamRecord:
    """A team."""

    id: UUID
    name: str
    parent_id: UUID | None
    role: str | None
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class TeamMemberRecord:
    """A member in a team. `id` is the user's."""

    id: UUID
    user_id: UUID
    name: str
    email: str
    created_at: datetime


class Teams:
    """The teams of one tenant. `roles` says who may give which role."""

    def __init__(self, runtime: Runtime, roles: RoleAuthority) -> None:
        self._database = runtime.database
        self._facts = runtime.facts
        self._roles = roles

    async def list(self, acting: Acting, request: ListRequest) -> ListPage:
        """Return a page of the teams."""
        async with self._scope(acting) as uow:
            return await TEAMS.read(uow, request, tenant_id=acting.tenant_id)

    async def read(self, acting: Acting, team_id: UUID) -> TeamRecord:
        """Return a team. Raises `TeamNotFound`."""
        async with self._scope(acting) as uow:
            return await _read(uow, acting.tenant_id, team_id)

    async def create(
        self, acting: Acting, name: str, *, parent_id: UUID | None = None, role: str | None = None
    ) -> TeamRecord:
        """Make a team, in another one if `parent_id` says so.

        Raises `TeamNameTaken`, `TooManyTeams`, `UnknownParent`, `TeamTooDeep`, `UnknownRole` and `RoleAboveOwn`.
        """
        async with self._scope(acting) as uow:
            await lock_holdings(uow, acting.tenant_id)
            tree = await read_tree(uow, acting.tenant_id)
            _require_place(tree, parent_id, height=1)
            await self._roles.require_may_give(uow, acting, *([] if role is None else [role]))
            if len(tree) >= MAX_TEAMS:
                raise TooManyTeams(f"A tenant has at most {MAX_TEAMS} teams.")
            values = {"name": name, "parent_id": parent_id, "role": role}
            row = await uow.one(INSERT_TEAM, tenant_id=acting.tenant_id, team_id=new_id(), **values)
            team = _found(row)
            await self._trace(uow, acting, "teams.created", team.id, after=_audited(team, _CHANGEABLE))
        return team

    async def change(
        self, acting: Acting, team_id: UUID, changes: Mapping[str, Any], *, expected_version: int | None = None
    ) -> TeamRecord:
        """Change `name`, `parent_id` or `role`.

        Whoever moves a team, or changes its role, has to be able to give the roles that people get or lose by it.
        Raises as `create` does, and `TeamNotFound`, `StaleVersion` and `TeamCycle`.
        """
        async with self._scope(acting) as uow:
            await lock_holdings(uow, acting.tenant_id)
            before = await _read(uow, acting.tenant_id, team_id)
            changed = [name for name in _CHANGEABLE if name in changes and changes[name] != getattr(before, name)]
            values = {name: changes.get(name, getattr(before, name)) for name in _CHANGEABLE}
            await self._require_change(uow, acting, before, values)
            require_version(before.version, expected_version)
            if not changed:
                return before
            row = await uow.one(
                UPDATE_TEAM,
                tenant_id=acting.tenant_id,
                team_id=team_id,
                **{f"new_{name}": value for name, value in values.items()},
            )
            after = _found(row)
            traced = {"before": _audited(before, changed), "after": _audited(after, changed)}
            await self._trace(uow, acting, "teams.updated", team_id, **traced)
        return after

    async def delete(self, acting: Acting, team_id: UUID, *, expected_version: int | None = None) -> None:
        """Delete a team in which no other stands; its members stay in the tenant.

        Raises `TeamNotFound`, `StaleVersion`, `TeamHasTeams` and `RoleAboveOwn`.
        """
        async with self._scope(acting) as uow:
            await lock_holdings(uow, acting.tenant_id)
            before = await _read(uow, acting.tenant_id, team_id)
            tree = await read_tree(uow, acting.tenant_id)
            await self._roles.require_may_take(uow, acting, *tree.roles_above(team_id))
            require_version(before.version, expected_version)
            if tree.has_children(team_id):
                raise TeamHasTeams
            await uow.run(DELETE_TEAM, tenant_id=acting.tenant_id, team_id=team_id)
            await self._trace(uow, acting, "teams.deleted", team_id, before=_audited(before, _CHANGEABLE))

    async def members(self, acting: Acting, team_id: UUID, request: ListRequest) -> ListPage:
        """Return a page of those who are directly in a team. Raises `TeamNotFound`."""
        async with self._scope(acting) as uow:
            await _read(uow, acting.tenant_id, team_id)
            return await TEAM_MEMBERS.read(uow, request, tenant_id=acting.tenant_id, team_id=team_id)

    async def add_member(self, acting: Acting, team_id: UUID, user_id: UUID) -> TeamMemberRecord:
        """Take a member into a team.

        Raises `TeamNotFound`, `UnknownMember`, `AlreadyInTeam`, and `RoleAboveOwn` for the roles that come with it.
        """
        async with self._scope(acting) as uow:
            await share_holdings(uow, acting.tenant_id)
            roles = await _roles_by(uow, acting.tenant_id, team_id)
            await self._roles.require_may_give(uow, acting, *roles)
            if not await uow.value(IS_MEMBER, tenant_id=acting.tenant_id, user_id=user_id):
                raise UnknownMember(errors=[FieldError("/user_id", UnknownMember.title, UnknownMember.code)])
            await uow.run(INSERT_TEAM_MEMBER, tenant_id=acting.tenant_id, team_id=team_id, user_id=user_id)
            await self._trace_member(uow, acting, "teams.member_added", team_id, user_id)
            row = await uow.exactly_one(TEAM_MEMBER_BY_ID, tenant_id=acting.tenant_id, team_id=team_id, user_id=user_id)
        return TeamMemberRecord(**row)

    async def remove_member(self, acting: Acting, team_id: UUID, user_id: UUID) -> None:
        """Take a member out of a team. Raises `TeamNotFound`, `TeamMemberNotFound` and `RoleAboveOwn`."""
        async with self._scope(acting) as uow:
            await lock_holdings(uow, acting.tenant_id)
            roles = await _roles_by(uow, acting.tenant_id, team_id)
            await self._roles.require_may_take(uow, acting, *roles)
            if not await uow.run(DELETE_TEAM_MEMBER, tenant_id=acting.tenant_id, team_id=team_id, user_id=user_id):
                raise TeamMemberNotFound
            await self._trace_member(uow, acting, "teams.member_removed", team_id, user_id)

    async def _require_change(
        self, uow: UnitOfWork, acting: Acting, before: TeamRecord, values: Mapping[str, Any]
    ) -> None:
        tree = await read_tree(uow, acting.tenant_id)
        parent_id, moves = values["parent_id"], values["parent_id"] != before.parent_id
        if moves:
            _require_place(tree, parent_id, height=tree.height(before.id), team_id=before.id)
        taken = {before.role} if values["role"] != before.role else set()
        given = {values["role"]} if values["role"] != before.role else set()
        if moves:
            taken |= set(tree.roles_above(before.parent_id))
            given |= set(tree.roles_above(parent_id))
        await self._roles.require_may_take(uow, acting, *sorted(role for role in taken if role is not None))
        await self._roles.require_may_give(uow, acting, *sorted(role for role in given if role is not None))

    async def _trace(self, uow: UnitOfWork, acting: Acting, action: str, team_id: UUID, **values: Any) -> None:
        await record(uow, action, resource_type="team", resource_id=team_id, **values)
        await self._facts.announce(uow, teams_key(acting.tenant_id))

    async def _trace_member(self, uow: UnitOfWork, acting: Acting, action: str, team_id: UUID, user_id: UUID) -> None:
        where = {"user_id": str(user_id)}
        before, after = (None, where) if action == "teams.member_added" else (where, None)
        await record(uow, action, resource_type="team", resource_id=team_id, before=before, after=after)
        await self._facts.announce(uow, member_key(acting.tenant_id, user_id))

    def _scope(self, acting: Acting) -> UnitOfWork:
        return self._database.control_scope(
            actor=acting.actor, request_id=acting.request_id, tenant_id=acting.tenant_id
        )


def _require_place(tree: TeamTree, parent_id: UUID | None, *, height: int, team_id: UUID | None = None) -> None:
    """Refuse a place in the tree that does not exist, lies in the team itself, or is too deep."""
    if parent_id is None:
        return
    if parent_id not in tree:
        raise _misplaced(UnknownParent)
    above = tree.above([parent_id])
    if team_id in above:
        raise _misplaced(TeamCycle)
    if len(above) + height > MAX_LEVELS:
        raise _misplaced(TeamTooDeep)


def _misplaced(error: type[InvalidInput]) -> InvalidInput:
    return error(errors=[FieldError("/parent_id", error.title, error.code)])


def _found(row: Row | None) -> TeamRecord:
    if row is None:
        raise TeamNotFound
    return TeamRecord(**row)


async def _read(uow: UnitOfWork, tenant_id: UUID, team_id: UUID) -> TeamRecord:
    return _found(await uow.one(TEAM_BY_ID, tenant_id=tenant_id, team_id=team_id))


async def _roles_by(uow: UnitOfWork, tenant_id: UUID, team_id: UUID) -> tuple[str, ...]:
    """Return the roles that come with a place in a team. Raises `TeamNotFound`."""
    tree = await read_tree(uow, tenant_id)
    if team_id not in tree:
        raise TeamNotFound
    return tree.roles_above(team_id)


def _audited(team: TeamRecord, names: Any) -> dict[str, Any]:
    values = asdict(team)
    return {name: str(values[name]) if isinstance(values[name], UUID) else values[name] for name in names}
