"""Rules: every declared table exists with its wall, its policies and its grants, and no other table can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tenantry.database.catalog import PUBLIC, Relation
from tenantry.database.differences import DifferenceKind, differences
from tenantry.database.doctor.declared import Declared
from tenantry.database.doctor.finding import DatabaseFinding, error, warning
from tenantry.database.roles import SERVING_ROLES
from tenantry.database.row_security import qualified

MISSING = "missing table"
"""The rule of tables that migrations have not made yet."""

_RULES = {
    DifferenceKind.WALL: "row security",
    DifferenceKind.POLICY: "policies",
    DifferenceKind.GRANT: "grants",
    DifferenceKind.STORAGE: "storage",
}


def table_findings(relations: Iterable[Relation], declared: Declared) -> Iterator[DatabaseFinding]:
    """Judge every table of the schemas against its model."""
    live = {(relation.schema, relation.name): relation for relation in relations if relation.is_table}
    for key, table in declared.tables.items():
        relation = live.pop(key, None)
        if relation is None:
            yield error(MISSING, ".".join(key), "the model has no table here", "tenantry migrate")
            continue
        for one in differences(table, relation):
            weigh = warning if one.kind is DifferenceKind.STORAGE else error
            yield weigh(_RULES[one.kind], ".".join(key), one.reason, one.repair)
    for key, relation in live.items():
        yield from _version_table(relation) if key in declared.version_tables else _undeclared(relation)


def _undeclared(relation: Relation) -> Iterator[DatabaseFinding]:
    """A table nobody declares, a partition too: it has no policy that anybody checks."""
    name = qualified(relation.name, relation.schema)
    reached = reaching(relation)
    if reached:
        way_out = f"REVOKE ALL ON {name} FROM {', '.join(reached)}"
        reason = f"no model declares this table, and {', '.join(reached)} can reach it"
        yield error("undeclared table", name, reason, way_out)
    else:
        yield warning("undeclared table", name, "no model declares this table", "Declare a model, or drop it.")


def _version_table(relation: Relation) -> Iterator[DatabaseFinding]:
    for role, privileges in relation.grants.items():
        if extra := ", ".join(sorted(privileges - {"SELECT"})):
            name = qualified(relation.name, relation.schema)
            reason = f"{role} may {extra}: it could pretend that migrations ran"
            yield error("grants", name, reason, f"REVOKE {extra} ON {name} FROM {role}")


def reaching(relation: Relation) -> list[str]:
    """Return the serving roles, and PUBLIC, that were granted anything on the relation."""
    granted = {*relation.grants, *(grant.partition(" ")[0] for grant in relation.column_grants)}
    return sorted(granted & {*SERVING_ROLES, PUBLIC})
