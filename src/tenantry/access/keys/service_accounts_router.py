"""Service accounts over HTTP."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from tenantry.access.dependencies import Access, require_permission
from tenantry.access.keys.answering import Service
from tenantry.access.keys.repository import SERVICE_ACCOUNTS
from tenantry.access.keys.schemas import (
    ServiceAccountCreate,
    ServiceAccountPage,
    ServiceAccountRead,
    ServiceAccountUpdate,
)
from tenantry.access.keys.service_accounts import ServiceAccountRecord
from tenantry.http import API_PREFIX, CREATED, VERSIONED, api_router, etag
from tenantry.tenancy import Expected, acting, list_answer, list_binding, parameters_of


def service_accounts_router() -> APIRouter:
    """Return the routes of service accounts."""
    router = api_router("/service-accounts", tags=["service accounts"])
    _add_reading(router)
    _add_changing(router)
    return router


def _add_reading(router: APIRouter) -> None:
    reader = require_permission("service-accounts:read")

    @router.get(
        "",
        operation_id="service_accounts_list",
        response_model=ServiceAccountPage,
        dependencies=[reader],
        openapi_extra=parameters_of(SERVICE_ACCOUNTS),
    )
    async def list_accounts(request: Request, service: Service, access: Access) -> Response:
        """List the service accounts."""
        return await list_answer(
            request,
            SERVICE_ACCOUNTS,
            list_binding(access, "service-accounts"),
            lambda asked: service.accounts.list(acting(access), asked),
        )

    @router.get(
        "/{account_id}", operation_id="service_accounts_read", responses={200: VERSIONED}, dependencies=[reader]
    )
    async def read_account(
        account_id: UUID, response: Response, service: Service, access: Access
    ) -> ServiceAccountRead:
        """A service account."""
        return _versioned(await service.accounts.read(acting(access), account_id), response)


def _add_changing(router: APIRouter) -> None:
    manager = require_permission("service-accounts:manage")

    @router.post(
        "", status_code=201, operation_id="service_accounts_create", responses={201: CREATED}, dependencies=[manager]
    )
    async def create_account(
        payload: ServiceAccountCreate, response: Response, service: Service, access: Access
    ) -> ServiceAccountRead:
        """Make a service account, with a role that the caller could give."""
        made = await service.accounts.create(acting(access), access.principal, name=payload.name, role=payload.role)
        response.headers["Location"] = f"{API_PREFIX}/service-accounts/{made.id}"
        return _versioned(made, response)

    @router.patch(
        "/{account_id}", operation_id="service_accounts_update", responses={200: VERSIONED}, dependencies=[manager]
    )
    async def change_account(
        account_id: UUID,
        payload: ServiceAccountUpdate,
        response: Response,
        service: Service,
        expected: Expected,
        access: Access,
    ) -> ServiceAccountRead:
        """Change a service account's name or role; its keys follow at once."""
        changes = payload.model_dump(exclude_unset=True)
        changed = await service.accounts.change(
            acting(access), access.principal, account_id, changes, expected_version=expected
        )
        return _versioned(changed, response)

    @router.delete("/{account_id}", status_code=204, operation_id="service_accounts_delete", dependencies=[manager])
    async def delete_account(account_id: UUID, service: Service, expected: Expected, access: Access) -> None:
        """Delete a service account and its keys."""
        await service.accounts.delete(acting(access), access.principal, account_id, expected_version=expected)


def _versioned(account: ServiceAccountRecord, response: Response) -> ServiceAccountRead:
    response.headers["ETag"] = etag(account.version)
    return ServiceAccountRead.model_validate(account)
