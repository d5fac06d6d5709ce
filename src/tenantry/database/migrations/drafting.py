"""The lines of a migration: Alembic's operations in a safe order, each new table with its wall, foreign keys last.

Foreign keys come last, one statement each, so that every table exists and could be distributed before (dependencies
between tables may form a circle; Citus refuses a table that is created with keys to two kinds of tables).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import sqlalchemy as sa
from alembic.autogenerate import render_op_text
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects.postgresql import JSONB, dialect

from tenantry.database.catalog import Relation
from tenantry.database.differences import differences, render
from tenantry.database.migrations.comparison import ComparisonScope
from tenantry.database.planes import METADATA, Plane
from tenantry.database.roles import DatabaseRole
from tenantry.database.row_security import PRIVILEGES, TENANT_POLICIES, policies_of, privileges_of

_preparer = dialect().identifier_preparer  # type: ignore[no-untyped-call]


class Draft:
    """The body of a migration: lines of `upgrade`, and of `downgrade` in the order in which they undo."""

    def __init__(self) -> None:
        self.upgrade: list[str] = []
        self._undo: list[str] = []

    @property
    def downgrade(self) -> list[str]:
        """The lines that undo, last first."""
        return self._undo[::-1]

    def add_operations(
        self, context: MigrationContext, scope: ComparisonScope, operations: Iterable[ops.MigrateOperation]
    ) -> None:
        """Add what Alembic found: tables with their indexes and walls, other changes, then foreign keys."""
        renderer = Renderer(context)
        found = list(operations)
        created = {one.table_name: one for one in found if isinstance(one, ops.CreateTableOp)}
        keys = [key for one in created.values() for key in _foreign_keys(one)]
        keys += [_declared_key(scope, one) for one in found if isinstance(one, ops.CreateForeignKeyOp)]
        for one in found:
            if isinstance(one, ops.CreateForeignKeyOp):
                continue
            if isinstance(one, ops.CreateTableOp):
                self._add(renderer.text(_without_keys(one)), renderer.text(one.reverse()))
                self.upgrade += _security(_declared(one))
            else:
                is_part = isinstance(one, ops.CreateIndexOp) and one.table_name in created
                self._add(renderer.text(one), None if is_part else renderer.text(one.reverse()))
        for key in keys:
            is_part = key.table.name in created
            drop = ops.DropConstraintOp.from_constraint(key)
            self._add(_foreign_key(key, renderer), None if is_part else renderer.text(drop))

    def add_security(self, scope: ComparisonScope, live: dict[str, Relation]) -> None:
        """Add what changed in the policies and grants of tables that exist already."""
        for name, table in scope.tables.items():
            if name in live:
                for difference in differences(table, live[name]):
                    self._add(difference.operation, difference.reverse or None)

    def _add(self, line: str, undo: str | None) -> None:
        self.upgrade.append(line)
        if undo is not None:
            self._undo.append(undo)


class Renderer:
    """Turns Alembic's operations into Python."""

    def __init__(self, context: MigrationContext) -> None:
        options = {
            "sqlalchemy_module_prefix": "sa.",
            "alembic_module_prefix": "op.",
            "render_item": _rendered_type,
            "render_as_batch": False,
            "user_module_prefix": None,
        }
        self._context = AutogenContext(context, opts=options)
        self._context.imports = set()

    def text(self, operation: ops.MigrateOperation) -> str:
        """Return the call as it stands in a migration file."""
        return render_op_text(self._context, operation)


def _rendered_type(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Render a decorated type as the type below it: a migration must not import what models may change."""
    if kind != "type":
        return False
    if isinstance(item, JSONB):
        return "postgresql.JSONB()"
    if isinstance(item, sa.TypeDecorator):
        below = item.impl_instance
        return _rendered_type(kind, below, context) or f"sa.{below!r}"
    return False


def _declared(operation: ops.CreateTableOp) -> sa.Table:
    constraint = next(one for one in operation.columns if isinstance(one, sa.PrimaryKeyConstraint))
    return constraint.table


def _foreign_keys(operation: ops.CreateTableOp) -> list[sa.ForeignKeyConstraint]:
    found = [one for one in operation.columns if isinstance(one, sa.ForeignKeyConstraint)]
    return sorted(found, key=lambda one: str(one.name))


def _declared_key(scope: ComparisonScope, operation: ops.CreateForeignKeyOp) -> sa.ForeignKeyConstraint:
    keys = scope.tables[operation.source_table].foreign_key_constraints
    return next(key for key in keys if _name(key) == operation.constraint_name)


def _without_keys(operation: ops.CreateTableOp) -> ops.CreateTableOp:
    kept = [one for one in operation.columns if not isinstance(one, sa.ForeignKeyConstraint)]
    return ops.CreateTableOp(
        operation.table_name,
        kept,
        schema=operation.schema,
        comment=operation.comment,
        prefixes=operation.prefixes,
        _namespace_metadata=operation._namespace_metadata,  # noqa: SLF001 - Alembic offers no other way to copy it
        _constraints_included=True,
        **operation.kw,
    )


def _security(table: sa.Table) -> list[str]:
    policies, privileges = policies_of(table), privileges_of(table)
    name, schema = repr(str(table.name)), "" if table.schema is None else f", schema={table.schema!r}"
    lines: list[str] = []
    if table.metadata is METADATA[Plane.TENANT]:
        own = _listed(privileges.pop(DatabaseRole.APP, frozenset()))
        extra = f", privileges={own!r}" if own != _listed(PRIVILEGES) else ""
        lines.append(f"op.enable_tenant_security({name}{extra})")
        lines += [f"op.create_policy({name}, {render(one)})" for one in policies[len(TENANT_POLICIES) :]]
    elif policies:
        lines.append(f"op.enable_policies({name}, [{', '.join(render(one) for one in policies)}]{schema})")
    grants = (f"op.grant({name}, {str(role)!r}, {_listed(names)!r}{schema})" for role, names in privileges.items())
    return [*lines, *grants]


def _listed(privileges: Sequence[str] | frozenset[str]) -> str:
    return ", ".join(name for name in PRIVILEGES if name in privileges)


def _foreign_key(key: sa.ForeignKeyConstraint, renderer: Renderer) -> str:
    target = key.referred_table
    forced = [one.name for one in dict.fromkeys((key.table, target)) if policies_of(one)]
    if not forced:
        return renderer.text(ops.CreateForeignKeyOp.from_constraint(key))
    columns = ", ".join(f"{own!r}: {one.column.name!r}" for own, one in zip(key.column_keys, key.elements, strict=True))
    extra = f", ondelete={key.ondelete!r}" if key.ondelete not in {None, "RESTRICT"} else ""
    extra += "" if key.table.schema is None else f", schema={key.table.schema!r}"
    extra += "" if {key.table.name, target.name} == set(forced) else f", forced={forced!r}"
    return f"op.add_tenant_foreign_key({_name(key)!r}, {key.table.name!r}, {target.name!r}, {{{columns}}}{extra})"


def _name(key: sa.ForeignKeyConstraint) -> str:
    return str(_preparer.format_constraint(key, _alembic_quote=False))
