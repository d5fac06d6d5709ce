"""Grants over HTTP: those on records under each record, those on whole resources in one place."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from tenantry.access import Access, AccessContext, ResourceAccess, member
from tenantry.http import API_PREFIX, CREATED, api_router
from tenantry.kernel import with_article
from tenantry.resources import (
    Answer,
    Expected,
    Idempotency,
    Idempotent,
    Operation,
    ResourceRouter,
    list_answer,
    list_binding,
    page_model,
    parameters_of,
)
from tenantry.standard.dependencies import standard_service
from tenantry.standard.grants.records import RecordGrants
from tenantry.standard.grants.repository import OF_RECORD
from tenantry.standard.grants.schemas import GrantCreate, GrantRead, TypeGrantCreate
from tenantry.standard.grants.service import GrantService, TypeGrantService

GrantPage = page_model("GrantPage", GrantRead)

type_grants = ResourceRouter(
    TypeGrantService,
    "/grants",
    create=TypeGrantCreate,
    operations={Operation.CREATE, Operation.LIST, Operation.READ, Operation.DELETE},
    filters={"resource_type", "subject_type", "subject_id", "action", "effect", "expires_at"},
    sort={"created_at", "action"},
    default_sort="created_at",
    id_in_path="grant_id",
)


Service = Annotated[GrantService, standard_service("grants")]


def record_grants_router(of: ResourceAccess, path: str) -> APIRouter:
    """Return the routes of the grants on records of one resource; `path` is where its records are, below the prefix."""
    router = api_router(path + "/{id}/grants", tags=[of.resource], dependencies=[member])
    one = with_article(of.singular)

    @router.get(
        "",
        operation_id=f"{of.resource}_grants_list",
        summary=f"List the grants on {one}",
        response_model=GrantPage,
        openapi_extra=parameters_of(OF_RECORD),
    )
    async def list_grants(id: UUID, request: Request, service: Service, access: Access) -> Response:  # noqa: A002
        """Who may, or may not, do what with the record by grants. Expired ones are listed too."""
        return await list_answer(
            request,
            OF_RECORD,
            list_binding(access, f"grants:{id}"),
            lambda asked: service.records.list(access, of, id, asked),
        )

    @router.post(
        "",
        status_code=201,
        operation_id=f"{of.resource}_grants_create",
        summary=f"Grant something on {one}",
        response_model=GrantRead,
        responses={201: CREATED},
    )
    async def give(
        id: UUID,  # noqa: A002
        payload: GrantCreate,
        service: Service,
        access: Access,
        idempotency: Idempotent,
    ) -> Response:
        """Allow or deny a subject an action on the record and what lies below it. A deny stands above every allow."""
        return await _give(service.records, access, idempotency, of, id, payload, f"{API_PREFIX}{path}/{id}/grants")

    @router.delete(
        "/{grant_id}",
        status_code=204,
        operation_id=f"{of.resource}_grants_delete",
        summary=f"Take a grant on {one} back",
    )
    async def take(id: UUID, grant_id: UUID, service: Service, access: Access, expected: Expected) -> None:  # noqa: A002
        """Take a grant back; it counts no more from the next request on."""
        await service.records.take(access, of, id, grant_id, expected=expected)

    return router


async def _give(
    grants: RecordGrants,
    access: AccessContext,
    idempotency: Idempotency,
    of: ResourceAccess,
    record_id: UUID,
    payload: GrantCreate,
    place: str,
) -> Response:
    """Give the grant once for each `Idempotency-Key`; `place` is the path of the grants of the record."""
    subject = await grants.prepare(access, of, record_id, payload)
    async with access.work() as uow:

        async def work() -> Answer:
            grant = await grants.give(uow, access, of, record_id, payload, subject)
            return Answer(201, grant.model_dump_json().encode(), location=f"{place}/{grant.id}")

        answer = await idempotency.answer(uow, work)
    return answer.response()
