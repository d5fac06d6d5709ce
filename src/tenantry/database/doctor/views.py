"""Rule: nothing that reads with its owner's rights can be reached by a serving role, unless listed with a reason.

A view without ``security_invoker``, a materialized view, a foreign table and a definer function show rows that the
caller's own policies would hide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tenantry.database.catalog import Definer, Relation
from tenantry.database.doctor.finding import DatabaseFinding, error
from tenantry.database.doctor.tables import reaching
from tenantry.database.row_security import qualified

_RULE = "views"


def view_findings(relations: Iterable[Relation], allowed: Mapping[str, str]) -> Iterator[DatabaseFinding]:
    """Judge views, materialized views and foreign tables. `allowed` maps a qualified name to the reason."""
    for relation in relations:
        name = qualified(relation.name, relation.schema)
        reached = ", ".join(reaching(relation))
        if relation.is_table or not reached or name in allowed:
            continue
        match relation.kind:
            case "v" if not relation.is_invoker:
                reason = f"this view reads as its owner, and {reached} can read it"
                yield error(_RULE, name, reason, f"ALTER VIEW {name} SET (security_invoker = true)")
            case "m":
                reason = f"a materialized view has no row security, and {reached} can read it"
                yield error(_RULE, name, reason, f"REVOKE ALL ON {name} FROM {reached}")
            case "f":
                reason = f"a foreign table has no row security, and {reached} can reach it"
                yield error(_RULE, name, reason, f"REVOKE ALL ON {name} FROM {reached}")
            case _:
                continue


def definer_findings(definers: Iterable[Definer], allowed: Mapping[str, str]) -> Iterator[DatabaseFinding]:
    """Judge functions that run with their owner's rights."""
    for function in definers:
        if function.callers and function.name not in allowed:
            callers = ", ".join(function.callers)
            reason = f"this function runs with its owner's rights, and {callers} can call it"
            way_out = f"ALTER FUNCTION {function.name} SECURITY INVOKER"
            yield error(_RULE, function.name, reason, way_out)
