"""Service accounts over HTTP."""

from __future__ import annotations

from uuid import UUID

from fastapi import Response

from tenantry.access import Access, member
from tenantry.database import Plane
from tenantry.http import VERSIONED, api_router
from tenantry.resources import Answer, Expected, Idempotent, ResourceRouter
from tenantry.standard.service_accounts.schemas import ServiceAccountCreate, ServiceAccountRead, ServiceAccountUpdate
from tenantry.standard.service_accounts.service import ServiceAccountService

service_accounts = ResourceRouter(
    ServiceAccountService,
    "/service-accounts",
    create=ServiceAccountCreate,
    update=ServiceAccountUpdate,
    filters={"role", "sponsor_id", "created_at"},
    sort={"name", "created_at"},
    default_sort="name",
    search={"name"},
    id_in_path="account_id",
    tag="service accounts",
)

taking_over = api_router("/service-accounts", tags=["service accounts"], dependencies=[member])


@taking_over.post(
    "/{account_id}/take-over",
    operation_id="service_accounts_take_over",
    response_model=ServiceAccountRead,
    responses={200: VERSIONED},
)
async def take_over(account_id: UUID, access: Access, expected: Expected, idempotency: Idempotent) -> Response:
    """Answer for a service account in place of its sponsor; if it is suspended, it acts again.

    It needs the permission to manage service accounts, and the account's role has to be one that the caller may give.
    """
    async with access.work(Plane.CONTROL) as uow:
        accounts = ServiceAccountService(uow, access.principal, access.runtime)

        async def work() -> Answer:
            taken = await accounts.take_over(account_id, expected=expected)
            return Answer(200, taken.json.encode(), version=taken.version)

        async def readmit() -> None:
            accounts.admit(access.principal, "update")

        answer = await idempotency.answer(uow, work, readmit=readmit)
    return answer.response()
