"""By hand: the same checks as Tenantry's, as a careful team writes them in raw SQL for one table.

Token (HS256, verified ones remembered), tenant header, membership from memory, permission, row security by a
transaction-local setting, audit line and event in the statement of the write. No query parsing, no ETag, no request
id, no log, no metrics. It shows what the checks cost by themselves, between the floor and the framework.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

from benchmarks.floor import POOL_SIZE, no_reset

ROLE = "benchmark_app"

TABLES = f"""
CREATE TABLE memberships (tenant_id uuid, user_id uuid, role text NOT NULL, PRIMARY KEY (tenant_id, user_id));
CREATE TABLE items (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    name varchar(100) COLLATE "C" NOT NULL,
    description varchar(500),
    price_cents integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ON items (tenant_id, created_at, id);
CREATE TABLE audit_entries (
    tenant_id uuid NOT NULL, id uuid NOT NULL, at timestamptz NOT NULL DEFAULT now(), actor_id uuid NOT NULL,
    action text NOT NULL, resource_id uuid NOT NULL, before jsonb, after jsonb, PRIMARY KEY (tenant_id, id)
);
CREATE TABLE outbox (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL, at timestamptz NOT NULL DEFAULT now(), name text NOT NULL,
    aggregate_id uuid NOT NULL, data jsonb NOT NULL
);
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
CREATE ROLE {ROLE} LOGIN;
GRANT SELECT ON memberships TO {ROLE};
GRANT SELECT, INSERT, UPDATE ON items, audit_entries, outbox TO {ROLE};
CREATE POLICY wall ON items USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY wall ON audit_entries USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY wall ON outbox USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid);
"""

_COLUMNS = "id, name, description, price_cents, created_at, updated_at, version"
_READ = f"SELECT {_COLUMNS} FROM items WHERE id = $1"
_LIST = f"SELECT {_COLUMNS} FROM items ORDER BY created_at DESC, id DESC LIMIT 50"
_CREATE = f"""
WITH created AS (
    INSERT INTO items (tenant_id, id, name, description, price_cents) VALUES ($1, $2, $3, $4, $5) RETURNING *
), audited AS (
    INSERT INTO audit_entries (tenant_id, id, actor_id, action, resource_id, after)
    SELECT $1, $6, $8, 'items.created', id, to_jsonb(created) FROM created
), announced AS (
    INSERT INTO outbox (id, tenant_id, name, aggregate_id, data)
    SELECT $7, $1, 'items.created', id, jsonb_build_object('id', id) FROM created
)
SELECT {_COLUMNS} FROM created
"""
_UPDATE = f"""
WITH target AS (
    SELECT * FROM items WHERE id = $2 FOR NO KEY UPDATE
), changed AS (
    UPDATE items SET price_cents = $3, updated_at = now(), version = items.version + 1 FROM target
    WHERE items.tenant_id = target.tenant_id AND items.id = target.id RETURNING items.*
), audited AS (
    INSERT INTO audit_entries (tenant_id, id, actor_id, action, resource_id, before, after)
    SELECT $1, $4, $6, 'items.updated', target.id,
           jsonb_build_object('price_cents', target.price_cents), jsonb_build_object('price_cents', changed.price_cents)
    FROM target, changed
), announced AS (
    INSERT INTO outbox (id, tenant_id, name, aggregate_id, data)
    SELECT $5, $1, 'items.updated', id, jsonb_build_object('id', id) FROM changed
)
SELECT {_COLUMNS} FROM changed
"""

_ALLOWED = {"owner": frozenset({"read", "write"}), "viewer": frozenset({"read"})}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, for which tenant."""

    user_id: UUID
    tenant_id: UUID


def issue(secret: bytes, user_id: UUID, lifetime: float) -> str:
    """Return an access token of a user for so many seconds."""
    claims = orjson.dumps({"sub": str(user_id), "exp": time.time() + lifetime})
    body = _encoded(b'{"alg":"HS256","typ":"JWT"}') + b"." + _encoded(claims)
    return (body + b"." + _encoded(hmac.digest(secret, body, "sha256"))).decode()


async def read_item(request: Request) -> Response:
    caller = _caller(request, "read")
    async with _transaction(request, caller) as connection:
        row = await connection.fetchrow(_READ, request.path_params["id"])
    return _json(row)


async def list_items(request: Request) -> Response:
    caller = _caller(request, "read")
    async with _transaction(request, caller, "SET LOCAL plan_cache_mode = force_custom_plan") as connection:
        rows = await connection.fetch(_LIST)
    body = orjson.dumps({"items": [dict(row) for row in rows]}, default=str)
    return Response(body, media_type="application/json")


async def create_item(request: Request) -> Response:
    caller = _caller(request, "write")
    item = orjson.loads(await request.body())
    values = (item["name"], item["description"], item["price_cents"], uuid7(), uuid7(), caller.user_id)
    async with _transaction(request, caller) as connection:
        row = await connection.fetchrow(_CREATE, caller.tenant_id, uuid7(), *values)
    return _json(row, status=201)


async def update_item(request: Request) -> Response:
    caller = _caller(request, "write")
    change = orjson.loads(await request.body())
    values = (request.path_params["id"], change["price_cents"], uuid7(), uuid7(), caller.user_id)
    async with _transaction(request, caller) as connection:
        row = await connection.fetchrow(_UPDATE, caller.tenant_id, *values)
    return _json(row)


@asynccontextmanager
async def _transaction(request: Request, caller: Caller, setting: str = "") -> AsyncIterator[asyncpg.Connection]:
    async with request.app.state.pool.acquire() as connection:
        await connection.execute(f"BEGIN; SET LOCAL app.tenant_id = '{caller.tenant_id}'; {setting}")
        try:
            yield connection
        except BaseException:
            await connection.execute("ROLLBACK")
            raise
        if await connection.execute("COMMIT") != "COMMIT":
            raise HTTPException(500)


def _caller(request: Request, action: str) -> Caller:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    verified = _verified(request.app.state.secret, token) if scheme == "Bearer" else None
    if verified is None or verified[1] <= time.time():
        raise HTTPException(401)
    try:
        tenant_id = UUID(request.headers["x-tenant-id"])
    except (KeyError, ValueError):
        raise HTTPException(400) from None
    role = request.app.state.memberships.get((tenant_id, verified[0]))
    if role is None or action not in _ALLOWED[role]:
        raise HTTPException(403)
    return Caller(verified[0], tenant_id)


@lru_cache(maxsize=1024)
def _verified(secret: bytes, token: str) -> tuple[UUID, float] | None:
    body, _, signature = token.encode().rpartition(b".")
    if not hmac.compare_digest(_encoded(hmac.digest(secret, body, hashlib.sha256)), signature):
        return None
    claims = body.partition(b".")[2]
    said = orjson.loads(base64.urlsafe_b64decode(claims + b"=" * (-len(claims) % 4)))
    return UUID(said["sub"]), said["exp"]


def _encoded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _json(row: asyncpg.Record | None, status: int = 200) -> Response:
    if row is None:
        return Response(status_code=404)
    return Response(orjson.dumps(dict(row), default=str), status, media_type="application/json")


def application(dsn: str, secret: bytes) -> Starlette:
    """Return the application."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(dsn, min_size=POOL_SIZE, max_size=POOL_SIZE, reset=no_reset) as pool:
            rows = await pool.fetch("SELECT tenant_id, user_id, role FROM memberships")
            app.state.memberships = {(row["tenant_id"], row["user_id"]): row["role"] for row in rows}
            app.state.pool, app.state.secret = pool, secret
            yield

    routes = [
        Route("/items", list_items, methods=["GET"]),
        Route("/items", create_item, methods=["POST"]),
        Route("/items/{id}", read_item, methods=["GET"]),
        Route("/items/{id}", update_item, methods=["PATCH"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def main() -> None:
    """Serve it on a port of this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--secret", required=True)
    arguments = parser.parse_args()
    uvicorn.run(
        application(arguments.dsn, arguments.secret.encode()),
        port=arguments.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
