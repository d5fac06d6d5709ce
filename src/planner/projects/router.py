"""HTTP to service."""

from __future__ import annotations

from uuid import UUID

from fastapi import Response

from planner.projects.schemas import ProjectCreate, ProjectRead, ProjectUpdate, Transfer
from planner.projects.service import ProjectService
from tenantry.access import Access, member
from tenantry.http import api_router
from tenantry.resources import STANDARD, Answer, Expected, Idempotent, Operation, ResourceRouter

router = ResourceRouter(
    ProjectService,
    "/projects",
    create=ProjectCreate,
    update=ProjectUpdate,
    operations=STANDARD | {Operation.REPLACE, Operation.RESTORE},
    filters={"name", "status", "owner_id", "due_on", "created_at", "budget_cents"},
    sort={"created_at", "name", "due_on", "budget_cents"},
    search={"name", "description"},
)

transfers = api_router("/projects", tags=["projects"])


@transfers.post(
    "/{id}/transfer",
    operation_id="projects_transfer",
    summary="Give a project to another owner",
    response_model=ProjectRead,
    dependencies=[member],
)
async def transfer(
    id: UUID,  # noqa: A002 - the contract's name
    payload: Transfer,
    access: Access,
    expected: Expected,
    idempotency: Idempotent,
) -> Response:
    """Give the project to another member of the tenant, or to a team: then it is everybody's own who is in it."""
    async with access.work() as uow:
        projects = ProjectService(uow, access.principal, access.runtime)

        async def work() -> Answer:
            project = await projects.transfer(id, payload.owner_id, expected=expected)
            return Answer(200, project.json.encode(), project.version)

        answer = await idempotency.answer(uow, work, readmit=lambda: projects.require_transferable(id))
    return answer.response()
