"""Rule: every key of a tenant table starts with the tenant.

A unique constraint without it tells one tenant that another has the same value; a foreign key without it accepts
another tenant's row, and its cascade deletes across tenants (both were seen happening).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tenantry.database.catalog import ForeignKey, Index, Trigger
from tenantry.database.doctor.declared import Declared
from tenantry.database.doctor.finding import DatabaseFinding, error, warning
from tenantry.database.row_security import qualified, quoted

_TENANT = "tenant_id"


def index_findings(indexes: Iterable[Index], declared: Declared) -> Iterator[DatabaseFinding]:
    """Judge unique indexes by their first column, and others by whether row security lets them be used."""
    for index in indexes:
        if index.schema not in declared.tenant_schemas or (index.schema, index.table) in declared.version_tables:
            continue
        place = f"{qualified(index.table, index.schema)} index {index.name}"
        if index.is_unique and index.columns[0] != _TENANT:
            reason = f"it is unique over all tenants ({', '.join(index.columns)})"
            yield error("keys", place, reason, f"Make it unique over ({_TENANT}, {', '.join(index.columns)}).")
        if not index.is_valid:
            reason = "it was left half-built"
            yield warning("indexes", place, reason, f"REINDEX INDEX CONCURRENTLY {qualified(index.name, index.schema)}")
        if not index.is_unique:
            yield from _unused(index, place)


def foreign_key_findings(keys: Iterable[ForeignKey], declared: Declared) -> Iterator[DatabaseFinding]:
    """Judge the foreign keys of tenant tables."""
    for key in keys:
        if key.schema not in declared.tenant_schemas:
            continue
        place = f"{qualified(key.table, key.schema)} {key.name}"
        drop = f"ALTER TABLE {qualified(key.table, key.schema)} DROP CONSTRAINT {quoted(key.name)}"
        if key.target_schema != key.schema:
            yield error("keys", place, f"it leads out of the placement, to {key.target_schema}.{key.target}", drop)
        elif (key.columns[0], key.referred[0]) != (_TENANT, _TENANT):
            reason = "it accepts rows of other tenants, because it does not start with tenant_id on both sides"
            yield error("keys", place, reason, f"{drop}; then op.add_tenant_foreign_key with tenant_id first")
        if key.on_delete in {"n", "d"}:
            reason = "ON DELETE SET NULL or SET DEFAULT would change the tenant of the row"
            yield error("keys", place, reason, "Use CASCADE or RESTRICT, and set the column to null in code.")
        if not key.is_valid:
            way_out = f"ALTER TABLE {qualified(key.table, key.schema)} VALIDATE CONSTRAINT {quoted(key.name)}"
            yield warning("keys", place, "existing rows were never checked against it", way_out)


def trigger_findings(triggers: Iterable[Trigger], declared: Declared) -> Iterator[DatabaseFinding]:
    """Report triggers: they act where nobody reads the code, and Citus refuses them."""
    for trigger in triggers:
        if trigger.schema in declared.tenant_schemas:
            table = qualified(trigger.table, trigger.schema)
            way_out = f"DROP TRIGGER {quoted(trigger.name)} ON {table}"
            yield error("distribution", table, f"the trigger {trigger.name} acts behind the service's back", way_out)


def _unused(index: Index, place: str) -> Iterator[DatabaseFinding]:
    for column in index.leaking:
        reason = f"row security keeps queries from using it: comparing {column} is not leakproof"
        yield warning("operators", place, reason, "Use text, integer, uuid, date or timestamptz for it.")
    if "(expression)" in index.columns:
        reason = "row security keeps queries from using an index on an expression whose function is not leakproof"
        yield warning("operators", place, reason, "Store the value in a column of its own.")
