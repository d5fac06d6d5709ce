"""The floor: Starlette, asyncpg and orjson as a competent developer writes them, without any check.

No token, no tenant, no permission, no row security, no audit, no log line: what is left is what these three libraries
cost. The pool has asyncpg's defaults, so a release runs asyncpg's reset query; ``--no-reset`` switches that off for
who wants to know what it costs.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

POOL_SIZE = 8

TABLE = """
CREATE TABLE items (
    id uuid PRIMARY KEY,
    name varchar(100) COLLATE "C" NOT NULL,
    description varchar(500),
    price_cents integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1
);
CREATE INDEX ON items (created_at, id);
"""

_COLUMNS = "id, name, description, price_cents, created_at, updated_at, version"
_READ = f"SELECT {_COLUMNS} FROM items WHERE id = $1"
_LIST = f"SELECT {_COLUMNS} FROM items ORDER BY created_at DESC, id DESC LIMIT 50"
_CREATE = f"INSERT INTO items (id, name, description, price_cents) VALUES ($1, $2, $3, $4) RETURNING {_COLUMNS}"
_UPDATE = (
    f"UPDATE items SET price_cents = $2, updated_at = now(), version = version + 1 WHERE id = $1 RETURNING {_COLUMNS}"
)


async def read_item(request: Request) -> Response:
    async with request.app.state.pool.acquire() as connection:
        row = await connection.fetchrow(_READ, request.path_params["id"])
    return _json(row) if row else Response(status_code=404)


async def list_items(request: Request) -> Response:
    async with request.app.state.pool.acquire() as connection:
        rows = await connection.fetch(_LIST)
    body = orjson.dumps({"items": [dict(row) for row in rows]}, default=str)
    return Response(body, media_type="application/json")


async def create_item(request: Request) -> Response:
    item = orjson.loads(await request.body())
    async with request.app.state.pool.acquire() as connection:
        row = await connection.fetchrow(_CREATE, uuid7(), item["name"], item["description"], item["price_cents"])
    return _json(row, status=201)


async def update_item(request: Request) -> Response:
    change = orjson.loads(await request.body())
    async with request.app.state.pool.acquire() as connection:
        row = await connection.fetchrow(_UPDATE, request.path_params["id"], change["price_cents"])
    return _json(row) if row else Response(status_code=404)


def _json(row: asyncpg.Record, status: int = 200) -> Response:
    # `default`: orjson knows uuid.UUID, but not asyncpg's subclass of it
    return Response(orjson.dumps(dict(row), default=str), status, media_type="application/json")


def application(dsn: str, *, resets: bool = True) -> Starlette:
    """Return the application; `resets` keeps asyncpg's reset query at each release."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        options = {} if resets else {"reset": no_reset}
        async with asyncpg.create_pool(dsn, min_size=POOL_SIZE, max_size=POOL_SIZE, **options) as pool:
            app.state.pool = pool
            yield

    routes = [
        Route("/items", list_items, methods=["GET"]),
        Route("/items", create_item, methods=["POST"]),
        Route("/items/{id}", read_item, methods=["GET"]),
        Route("/items/{id}", update_item, methods=["PATCH"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def no_reset(connection: asyncpg.Connection) -> None:
    """Leave the connection as it is."""


def main() -> None:
    """Serve the floor on a port of this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--no-reset", action="store_true")
    arguments = parser.parse_args()
    uvicorn.run(
        application(arguments.dsn, resets=not arguments.no_reset),
        port=arguments.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
