"""What PostgreSQL reads to answer a list: the plan that production gets, run and counted in buffers.

Buffers are pages of tables and indexes that were looked at; unlike time, they are the same on every machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.access.scenes import Scene

from tenantry.access import SUBJECTS, Principal
from tenantry.kernel import new_id
from tenantry.query import ListShape, ListSpec
from tenantry.resources import ResourceDefinition, statements
from tenantry.resources.planning import planning_of


@dataclass(frozen=True)
class Plan:
    """A plan that was run."""

    tree: Mapping[str, Any]
    count: int
    """Rows on the page."""

    @property
    def buffers(self) -> int:
        return int(self.tree["Shared Hit Blocks"] + self.tree["Shared Read Blocks"])

    @property
    def outline(self) -> str:
        """The nodes of the plan, for the message of a failing test."""
        return "\n".join(_lines(self.tree, 0))

    def scans(self, table: str) -> set[str]:
        """Return how a table is read: ``Seq Scan``, ``Index Scan``…"""
        return {node["Node Type"] for node in self.nodes() if node.get("Relation Name") == table}

    def nodes(self) -> Iterator[Mapping[str, Any]]:
        waiting = [self.tree]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.get("Plans", [])


async def plan_of(
    scene: Scene,
    resource: ResourceDefinition,
    spec: ListSpec,
    principal: Principal,
    shape: ListShape,
    **values: Any,
) -> Plan:
    """Run a list of 50 as production does, in the opening batch of the planning that it would have, and explain it."""
    read = resource.access.read_permits(principal)
    nested = "parent_id" in values
    statement = statements.listing(resource, read, shape, spec, nested=nested)
    given = {"limit": 50, SUBJECTS: list(principal.subjects), **values}
    async with scene.work(planning_of(resource, read, shape, nested=nested)) as uow:
        connection = await uow._ready(statement)
        # EXECUTE, because a plan for all values exists only of a prepared statement.
        name = f"listing_{new_id().hex}"  # asyncpg remembers what a text returned
        await connection.execute(f"PREPARE {name} AS {statement.sql}")
        execute = f"EXECUTE {name}({', '.join(map(_literal, statement.arguments(given)))})"
        count = (await connection.fetchrow(execute))["count"]
        explained = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {execute}")
        await connection.execute(f"DEALLOCATE {name}")
    return Plan(json.loads(explained)[0]["Plan"], count)


def _lines(node: Mapping[str, Any], depth: int) -> Iterator[str]:
    buffers = node["Shared Hit Blocks"] + node["Shared Read Blocks"]
    named = (node["Node Type"], node.get("Relation Name"), node.get("Index Name"), node.get("Subplan Name"))
    yield "  " * depth + " ".join(filter(None, named)) + f": {node['Actual Rows']} rows, {buffers} buffers"
    for below in node.get("Plans", []):
        yield from _lines(below, depth + 1)


def _literal(value: Any) -> str:
    match value:
        case list():
            return "ARRAY[" + ", ".join(map(_literal, value)) + "]::uuid[]"
        case UUID():
            return f"'{value}'::uuid"
        case datetime():
            return f"'{value.isoformat()}'::timestamptz"
        case int():
            return str(value)
        case _:
            raise TypeError(value)
