"""API keys over HTTP."""

from __future__ import annotations

from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from tenantry.access import Access, member, require_permission
from tenantry.http import API_PREFIX, api_router
from tenantry.resources import list_answer, list_binding, parameters_of
from tenantry.standard.api_keys.repository import API_KEYS
from tenantry.standard.api_keys.schemas import ApiKeyCreate, ApiKeyCreated, ApiKeyPage, ApiKeyRead
from tenantry.standard.api_keys.service import ApiKeys, NewKey

_CREATED = {
    "headers": {
        "Location": {"description": "Where the key is.", "schema": {"type": "string", "format": "uri-reference"}},
        "Cache-Control": {"description": "`no-store`: the secret is shown once.", "schema": {"type": "string"}},
    }
}


def api_key_service(request: Request) -> ApiKeys:
    """Return the service of the application."""
    return cast("ApiKeys", request.app.state.assembly.services.api_keys)


Service = Annotated[ApiKeys, Depends(api_key_service)]


def api_keys_router() -> APIRouter:
    """Return the routes of API keys."""
    router = api_router("/api-keys", tags=["api keys"])
    creator = require_permission("api-keys:create")

    @router.get(
        "",
        operation_id="api_keys_list",
        response_model=ApiKeyPage,
        dependencies=[member],
        openapi_extra=parameters_of(API_KEYS),
    )
    async def list_keys(request: Request, service: Service, access: Access) -> Response:
        """List keys: one's own, or with `api-keys:read` those of everybody."""
        return await list_answer(
            request,
            API_KEYS,
            list_binding(access, "api-keys"),
            lambda asked: service.list(access, asked),
        )

    @router.post("", status_code=201, operation_id="api_keys_create", responses={201: _CREATED}, dependencies=[creator])
    async def create_key(payload: ApiKeyCreate, response: Response, service: Service, access: Access) -> ApiKeyCreated:
        """Make a key. The answer holds its secret, which is never shown again."""
        made = await service.create(access, NewKey(**payload.model_dump()))
        response.headers["Location"] = f"{API_PREFIX}/api-keys/{made.record.id}"
        response.headers["Cache-Control"] = "no-store"
        shown = ApiKeyRead.model_validate(made.record)
        return ApiKeyCreated(**shown.model_dump(), secret=made.secret)

    @router.get("/{key_id}", operation_id="api_keys_read", dependencies=[member])
    async def read_key(key_id: UUID, service: Service, access: Access) -> ApiKeyRead:
        """A key."""
        return ApiKeyRead.model_validate(await service.read(access, key_id))

    @router.delete("/{key_id}", status_code=204, operation_id="api_keys_delete", dependencies=[member])
    async def delete_key(key_id: UUID, service: Service, access: Access) -> None:
        """Delete a key; it is refused from now on."""
        await service.delete(access, key_id)

    return router
