"""A table with every type of column that lists know, and a client that reads its lists as the resources do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from sqlalchemy import (
    Boolean,
    ClauseElement,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    select,
)
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.compiler import SQLCompiler

from tenantry.query import (
    CursorSigner,
    ListRequest,
    ListShape,
    ListSpec,
    PageSizes,
    apply_list,
    count_of,
    keys_of,
    parse_list,
)

DIALECT = dialect()
SIZES = PageSizes(default=50, largest=200)

TASKS = Table(
    "tasks",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("name", String(100, collation="C"), nullable=False),
    Column("nick", String(50)),
    Column("body", Text),
    Column("rank", Integer, nullable=False),
    Column("score", Integer),
    Column("due_on", Date),
    Column("seen_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("done", Boolean, nullable=False),
    Column("flagged", Boolean),
    Column("owner_id", Uuid),
    Column("secret", String(50)),
    prefixes=["TEMPORARY"],
)
PUBLIC = [name for name in TASKS.columns.keys() if name != "secret"]  # noqa: SIM118 - not a mapping
SORTS = [name for name in PUBLIC if name not in ("id", "body")]


@pytest.fixture
async def connection(admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The one connection of these tests; they make temporary tables only."""
    connection = await asyncpg.connect(admin_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def spec() -> ListSpec:
    return ListSpec(
        dict(TASKS.columns),
        fields=PUBLIC,
        filters=PUBLIC,
        sorts=SORTS,
        search={"name", "nick", "body"},
        default_sort="-created_at",
    )


@pytest.fixture(scope="session")
def signer() -> CursorSigner:
    return CursorSigner(b"k" * 32)


@dataclass
class Lists:
    """Reads lists of tasks; `statements` are compiled once per shape."""

    connection: asyncpg.Connection
    spec: ListSpec
    signer: CursorSigner
    binding: str = "tenant:actor:tasks"
    statements: dict[ListShape, SQLCompiler] = field(default_factory=dict)

    async def insert(self, rows: Iterable[Mapping[str, Any]]) -> None:
        names = list(TASKS.columns.keys())
        records = [tuple(row.get(name) for name in names) for row in rows]
        await self.connection.copy_records_to_table("tasks", columns=names, records=records)

    def parse(self, query: str) -> ListRequest:
        return parse_list(query.encode(), self.spec, signer=self.signer, binding=self.binding, sizes=SIZES)

    async def page(self, query: str) -> tuple[list[asyncpg.Record], str | None]:
        """Return the rows of one page and the cursor of the next."""
        request = self.parse(query)
        if request.shape not in self.statements:
            visible = select(*TASKS.columns, *keys_of(request.shape, self.spec))
            self.statements[request.shape] = apply_list(visible, request.shape, self.spec).compile(dialect=DIALECT)
        rows = await self.fetch(self.statements[request.shape], request.params)
        page = rows[: request.limit]
        if len(rows) == len(page):
            return page, None
        keys = [page[-1][f"_k{i}"] for i in range(len(request.shape.sort))]
        return page, self.signer.next_cursor(request, keys, spec=self.spec, binding=self.binding)

    async def walk(self, query: str) -> list[asyncpg.Record]:
        """Return the rows of all pages, page by page."""
        rows, cursor = await self.page(query)
        while cursor is not None:
            page, cursor = await self.page(f"{query}&cursor={cursor}")
            assert page, "a cursor led to an empty page"
            rows += page
        return rows

    async def names(self, query: str) -> list[str]:
        """Return the names of the rows of one page."""
        return [row["name"] for row in (await self.page(query))[0]]

    async def total(self, query: str) -> int:
        request = self.parse(query)
        counted = count_of(select(TASKS), request.shape, self.spec)
        return int((await self.fetch(counted, request.params))[0][0])

    async def fetch(self, statement: ClauseElement | SQLCompiler, params: Mapping[str, Any]) -> list[asyncpg.Record]:
        compiled = statement if isinstance(statement, SQLCompiler) else statement.compile(dialect=DIALECT)
        return await self.connection.fetch(compiled.string, *(params[name] for name in compiled.positiontup))


@pytest.fixture
async def lists(connection: asyncpg.Connection, spec: ListSpec, signer: CursorSigner) -> Lists:
    await connection.execute(str(CreateTable(TASKS).compile(dialect=DIALECT)))
    return Lists(connection, spec, signer)
