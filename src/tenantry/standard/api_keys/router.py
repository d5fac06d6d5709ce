"""API keys over HTTP."""

from __future__ import annotations

import json

from fastapi import Response

from tenantry.access import Access, require_permission
from tenantry.database import Plane
from tenantry.http import API_PREFIX, api_router
from tenantry.resources import Answer, Idempotent, Operation, Rendered, ResourceRouter
from tenantry.standard.api_keys.schemas import ApiKeyCreate, ApiKeyCreated
from tenantry.standard.api_keys.service import ApiKeyService

api_keys = ResourceRouter(
    ApiKeyService,
    "/api-keys",
    operations={Operation.READ, Operation.LIST, Operation.DELETE},
    filters={"user_id", "service_account_id", "created_at", "expires_at", "last_used_at"},
    sort={"name", "created_at", "expires_at", "last_used_at"},
    search={"name", "prefix"},
    id_in_path="key_id",
    tag="api keys",
)

creation = api_router("/api-keys", tags=["api keys"])

_CREATED = {
    "headers": {
        "Location": {"description": "Where the key is.", "schema": {"type": "string", "format": "uri-reference"}},
        "Cache-Control": {"description": "`no-store`: the secret is shown once.", "schema": {"type": "string"}},
    }
}


@creation.post(
    "",
    status_code=201,
    operation_id="api_keys_create",
    response_model=ApiKeyCreated,
    responses={201: _CREATED},
    dependencies=[require_permission("api-keys:create")],
)
async def create_key(payload: ApiKeyCreate, access: Access, idempotency: Idempotent) -> Response:
    """Make a key. The answer holds its secret, which is never shown again, to a repeated request neither."""
    async with access.work(Plane.CONTROL) as uow:
        keys = ApiKeyService(uow, access.principal, access.runtime)

        async def work() -> Answer:
            made = await keys.create(payload)
            return _created(made, keys.secret.text)

        answer = await idempotency.answer(uow, work, readmit=lambda: keys.readmit(payload))
    return answer.response()


def _created(made: Rendered, secret: str) -> Answer:
    """Return the answer with the secret, and without it what is stored for a repeated request."""
    shown, stored = (json.dumps(json.loads(made.json) | {"secret": told}).encode() for told in (secret, None))
    return Answer(201, shown, location=f"{API_PREFIX}/api-keys/{made.id}", repeated=stored)
