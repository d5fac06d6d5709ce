"""Operations for migration files: Alembic's own, and those that row security needs.

A migration file starts with ``from tenantry.database.migrations import op``. What it says is final: it names policies
and privileges itself and reads nothing from the models, which go on changing after it was released.

Files are rendered to SQL once and the SQL is run for each placement, so a migration cannot read from the database;
changes of many rows are jobs, those of few a `backfill`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from alembic.op import *  # noqa: F403 - this module is Alembic's `op` with our operations beside it
from alembic.op import execute, get_context

from tenantry.database.roles import DatabaseRole
from tenantry.database.row_security import (
    TENANT_POLICIES,
    Policy,
    grant_statements,
    parse_privileges,
    qualified,
    quoted,
    wall_statements,
)


def timeouts(*, lock: str = "5s", statement: str = "60s") -> None:
    """Bound how long this migration may wait for a lock and how long one of its statements may take.

    A statement that waits for a lock makes every later query on the table wait behind it. Failing after seconds and
    trying again is better than standing in everybody's way.
    """
    execute(f"SET LOCAL lock_timeout = '{lock}'")
    execute(f"SET LOCAL statement_timeout = '{statement}'")


def enable_tenant_security(table: str, *, privileges: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Put up the wall of a tenant table and let the application role do what `privileges` lists.

    The table is unqualified, because the same step runs in every placement. The restrictive policy ``tenant_wall``
    keeps each transaction to its tenant; ``tenant_rows`` lets the rows that are left through.
    """
    _run(wall_statements(quoted(table), TENANT_POLICIES))
    _run(grant_statements(quoted(table), {DatabaseRole.APP: parse_privileges(privileges)}))


def enable_policies(table: str, policies: Sequence[Policy], *, schema: str | None = None) -> None:
    """Switch row security on for a control or shared table, also for its owner, and create `policies`.

    A role that none of them names sees nothing, whatever it was granted.
    """
    _run(wall_statements(qualified(table, schema), policies))


def create_policy(table: str, policy: Policy, *, schema: str | None = None) -> None:
    """Add one policy. A permissive one lets more rows through; the restrictive wall stays in force."""
    execute(policy.statement(qualified(table, schema)))


def drop_policy(table: str, name: str, *, schema: str | None = None) -> None:
    """Remove a policy by its name. A role that no policy names any more sees nothing."""
    execute(f"DROP POLICY {quoted(name)} ON {qualified(table, schema)}")


def backfill(table: str, statement: str, *, schema: str | None = None) -> None:
    """Run a statement that reads or changes the rows of every tenant in one table.

    The owner stands behind row security as well, so it is lifted from the owner until the statement is done; the lock
    of ``ALTER TABLE`` keeps everybody else out meanwhile, and if anything fails, nothing has happened. For tables that
    a statement gets through within the timeouts: more rows than that are changed by the application, a batch at a time.
    """
    name = qualified(table, schema)
    execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
    execute(statement)
    execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")


def grant(table: str, role: str, privileges: str, *, schema: str | None = None) -> None:
    """Let `role` do what `privileges` lists (SELECT, INSERT, UPDATE, DELETE) on a table."""
    listed = ", ".join(sorted(parse_privileges(privileges)))
    execute(f"GRANT {listed} ON {qualified(table, schema)} TO {quoted(role)}")
    if schema is not None:
        execute(f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {quoted(role)}")


def revoke(table: str, role: str, privileges: str, *, schema: str | None = None) -> None:
    """Take back what `privileges` lists from `role`."""
    listed = ", ".join(sorted(parse_privileges(privileges)))
    execute(f"REVOKE {listed} ON {qualified(table, schema)} FROM {quoted(role)}")


def add_tenant_foreign_key(
    name: str,
    table: str,
    target: str,
    columns: Mapping[str, str],
    *,
    ondelete: str = "RESTRICT",
    schema: str | None = None,
    forced: Sequence[str] | None = None,
) -> None:
    """Add a foreign key between tables under forced row security. `columns` maps each column to its target.

    PostgreSQL checks the existing rows as the owner. Under FORCE that check is refused, or, where row security filters
    instead of refusing, it sees no rows and declares the key valid over rows that dangle (measured). So FORCE is lifted
    from both tables, the key added and FORCE restored, in the one transaction of the migration; nobody else ever sees
    the tables without it.

    `forced` names the tables under row security where it is only one of the two, as in the control plane.
    """
    if ondelete not in {"RESTRICT", "CASCADE"}:
        raise ValueError(f"{name}: ON DELETE {ondelete} would null the tenant as well; only RESTRICT or CASCADE")
    tables = dict.fromkeys(qualified(one, schema) for one in ((table, target) if forced is None else forced))
    _run(f"ALTER TABLE {one} NO FORCE ROW LEVEL SECURITY" for one in tables)
    own, referred = (", ".join(quoted(column) for column in side) for side in (columns.keys(), columns.values()))
    execute(
        f"ALTER TABLE {qualified(table, schema)} ADD CONSTRAINT {quoted(name)} FOREIGN KEY ({own}) "
        f"REFERENCES {qualified(target, schema)} ({referred}) ON DELETE {ondelete}"
    )
    _run(f"ALTER TABLE {one} FORCE ROW LEVEL SECURITY" for one in tables)


def create_index_concurrently(
    name: str, table: str, columns: Sequence[str], *, unique: bool = False, where: str | None = None
) -> None:
    """Build an index on a tenant table without blocking its writers. The only operation of its migration.

    It runs outside a transaction, so it may be left half-built; the next run removes the remains and starts again.
    """
    kind = "UNIQUE INDEX" if unique else "INDEX"
    listed = ", ".join(quoted(column) for column in columns)
    condition = f" WHERE {where}" if where else ""
    with get_context().autocommit_block():
        execute(f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(name)}")
        execute(f"CREATE {kind} CONCURRENTLY {quoted(name)} ON {quoted(table)} ({listed}){condition}")


def _run(statements: Iterable[str]) -> None:
    for statement in statements:
        execute(statement)
