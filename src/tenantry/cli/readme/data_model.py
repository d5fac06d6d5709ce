"""*Data Model*: the tables of a module, with what the database checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import dialect

from tenantry.cli.readme.tables import code, table
from tenantry.database import Plane, plane_of
from tenantry.database.row_security import model_of
from tenantry.module import Module
from tenantry.resources import ResourceRouter

_DIALECT = dialect()  # type: ignore[no-untyped-call]
_OF_EVERY_RECORD = ("tenant_id", "id", "created_at", "updated_at", "version", "deleted_at", "deleted_by")
_PLANES = {Plane.CONTROL: "control plane", Plane.SHARED: "shared plane", Plane.TENANT: "tenant plane, row security"}


def data_model(module: Module) -> str:
    """Return the tables of a module's models and resources; an empty text where it has none."""
    tables = [model.__table__ for model in module.models]
    tables += [router.service.resource.table for router in module.routers if isinstance(router, ResourceRouter)]
    return "\n\n".join(_described(one) for one in dict.fromkeys(tables))


def _described(one: Table) -> str:
    facts = [_PLANES[plane_of(model_of(one))]]
    if "deleted_at" in one.c:
        facts.append("soft delete")
    if "version" in one.c:
        facts.append("version")
    rows = [_column(column) for column in one.columns if column.name not in _OF_EVERY_RECORD]
    parts = [f"`{one.name}` ({', '.join(facts)})"]
    parts += [table(["column", "type", ""], rows)] if rows else []
    common = code(name for name in _OF_EVERY_RECORD if name in one.c)
    parts.append("\n".join(f"- {line}" for line in (*_constraints(one), f"beside them: {common}")))
    return "\n\n".join(parts)


def _column(column: Column[object]) -> list[str]:
    notes = [] if column.nullable else ["not null"]
    if column.info.get("sensitive"):
        notes.append("sensitive: masked in the trail")
    return [f"`{column.name}`", f"`{column.type.compile(dialect=_DIALECT)}`", ", ".join(notes)]


def _constraints(one: Table) -> Iterator[str]:
    """Yield keys, references and checks, in an order that does not change from run to run."""
    yield f"primary key {_names(one.primary_key.columns)}"
    for constraint in sorted(one.constraints, key=lambda constraint: str(constraint.name)):
        match constraint:
            case ForeignKeyConstraint():
                target = constraint.elements[0].target_fullname.rpartition(".")[0]
                action = f", on delete {constraint.ondelete.lower()}" if constraint.ondelete else ""
                yield f"{_names(constraint.columns)} references `{target}`{action}"
            case CheckConstraint():
                yield f"check `{constraint.sqltext}`"
            case UniqueConstraint():
                yield f"unique {_names(constraint.columns)}"
    for index in sorted(one.indexes, key=lambda index: str(index.name)):
        if index.unique:
            where = index.dialect_options["postgresql"]["where"]
            yield f"unique ({code(str(part) for part in _parts(index.expressions))})" + (
                f" where `{where}`" if where is not None else ""
            )


def _parts(expressions: Iterable[object]) -> Iterator[object]:
    return (one.name if isinstance(one, Column) else one for one in expressions)


def _names(columns: Iterable[Column[object]]) -> str:
    return f"({code(column.name for column in columns)})"
