"""Teams over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from tenantry.http import API_PREFIX, CREATED, VERSIONED, api_router, etag
from tenantry.tenancy.answering import Expected, Service, acting, list_answer, list_binding, parameters_of
from tenantry.tenancy.rules import TenancyRules, TenantAccess
from tenantry.tenancy.teams.repository import TEAM_MEMBERS, TEAMS
from tenantry.tenancy.teams.schemas import (
    TeamCreate,
    TeamMemberAdd,
    TeamMemberPage,
    TeamMemberRead,
    TeamPage,
    TeamRead,
    TeamUpdate,
)
from tenantry.tenancy.teams.service import TeamRecord


def teams_router(rules: TenancyRules) -> APIRouter:
    """Return the routes of the current tenant's teams and of who is in them."""
    router = api_router("/teams", tags=["teams"])
    reader: Any = Depends(rules.may_read_teams)
    manager: Any = Depends(rules.may_manage_teams)
    _add_teams(router, reader, manager)
    _add_team_members(router, reader, manager)
    return router


def _add_teams(router: APIRouter, reader: Any, manager: Any) -> None:
    """Add the teams themselves."""

    @router.get(
        "",
        operation_id="teams_list",
        response_model=TeamPage,
        dependencies=[reader],
        openapi_extra=parameters_of(TEAMS),
    )
    async def list_teams(request: Request, service: Service, access: TenantAccess = reader) -> Response:
        """List the teams."""
        return await list_answer(
            request, TEAMS, list_binding(access, "teams"), lambda asked: service.teams.list(acting(access), asked)
        )

    @router.post("", status_code=201, operation_id="teams_create", responses={201: CREATED}, dependencies=[manager])
    async def create_team(
        payload: TeamCreate, response: Response, service: Service, access: TenantAccess = manager
    ) -> TeamRead:
        """Make a team."""
        team = await service.teams.create(acting(access), payload.name, parent_id=payload.parent_id, role=payload.role)
        response.headers["Location"] = f"{API_PREFIX}/teams/{team.id}"
        return _versioned(team, response)

    @router.get("/{team_id}", operation_id="teams_read", responses={200: VERSIONED}, dependencies=[reader])
    async def read_team(team_id: UUID, response: Response, service: Service, access: TenantAccess = reader) -> TeamRead:
        """A team."""
        return _versioned(await service.teams.read(acting(access), team_id), response)

    @router.patch("/{team_id}", operation_id="teams_update", responses={200: VERSIONED}, dependencies=[manager])
    async def update_team(
        team_id: UUID,
        payload: TeamUpdate,
        response: Response,
        service: Service,
        expected: Expected,
        access: TenantAccess = manager,
    ) -> TeamRead:
        """Rename a team, move it, or change the role that it gives."""
        changes = payload.model_dump(exclude_unset=True)
        changed = await service.teams.change(acting(access), team_id, changes, expected_version=expected)
        return _versioned(changed, response)

    @router.delete("/{team_id}", status_code=204, operation_id="teams_delete", dependencies=[manager])
    async def delete_team(team_id: UUID, service: Service, expected: Expected, access: TenantAccess = manager) -> None:
        """Delete a team in which no other stands."""
        await service.teams.delete(acting(access), team_id, expected_version=expected)


def _add_team_members(router: APIRouter, reader: Any, manager: Any) -> None:
    """Add who is in a team."""

    @router.get(
        "/{team_id}/members",
        operation_id="teams_members_list",
        response_model=TeamMemberPage,
        dependencies=[reader],
        openapi_extra=parameters_of(TEAM_MEMBERS),
    )
    async def list_team_members(
        request: Request, team_id: UUID, service: Service, access: TenantAccess = reader
    ) -> Response:
        """List those who are directly in a team."""
        return await list_answer(
            request,
            TEAM_MEMBERS,
            list_binding(access, f"teams:{team_id}:members"),
            lambda asked: service.teams.members(acting(access), team_id, asked),
        )

    @router.post("/{team_id}/members", status_code=201, operation_id="teams_members_create", dependencies=[manager])
    async def add_team_member(
        team_id: UUID, payload: TeamMemberAdd, service: Service, access: TenantAccess = manager
    ) -> TeamMemberRead:
        """Take a member into a team."""
        added = await service.teams.add_member(acting(access), team_id, payload.user_id)
        return TeamMemberRead.model_validate(added)

    @router.delete(
        "/{team_id}/members/{user_id}", status_code=204, operation_id="teams_members_delete", dependencies=[manager]
    )
    async def remove_team_member(
        team_id: UUID, user_id: UUID, service: Service, access: TenantAccess = manager
    ) -> None:
        """Take a member out of a team."""
        await service.teams.remove_member(acting(access), team_id, user_id)


def _versioned(team: TeamRecord, response: Response) -> TeamRead:
    response.headers["ETag"] = etag(team.version)
    return TeamRead.model_validate(team)
