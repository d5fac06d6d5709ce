"""The statements of a resource, compiled once for each shape.

A write is one data-modifying statement: it finds the visible row and locks it, changes it, appends the audit line and
the event, and returns the JSON of the answer together with what a refusal needs to know. PostgreSQL runs each part of
a ``WITH`` once and to the end, whether the outer query reads it or not
(https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-MODIFYING).

`FOR NO KEY UPDATE` locks the row against other writers but not against foreign keys that point to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Delete,
    FromClause,
    Integer,
    Table,
    Text,
    Update,
    Uuid,
    any_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from tenantry.access import Permits
from tenantry.audit import MASK, AuditEntry, ControlAuditEntry
from tenantry.database import Plane, Statement, sql_literal
from tenantry.events import ControlOutboxEvent, OutboxEvent
from tenantry.query import ListShape, ListSpec, json_of, page_statement, whole_row
from tenantry.resources.definition import ResourceDefinition
from tenantry.resources.projection import Projection
from tenantry.resources.purging import without_grants

_SHAPES_KEPT = 1024
"""Compiled statements of each kind that are kept in the process; the least used one is compiled again when needed."""

Hidden = frozenset[str]
"""The restricted fields that are left out."""

NONE_HIDDEN: Hidden = frozenset()

TRAILS = {
    Plane.TENANT: (AuditEntry.__table__, OutboxEvent.__table__),
    Plane.CONTROL: (ControlAuditEntry.__table__, ControlOutboxEvent.__table__),
}
"""Where the audit line and the event of a write go."""


@lru_cache(maxsize=_SHAPES_KEPT)
def reading(resource: ResourceDefinition, read: Permits, hidden: Hidden = NONE_HIDDEN) -> Statement:
    """One visible record: ``json, version``; no row where it is not visible. Parameters: ``id``."""
    rows = resource.source
    body = _body(resource.item, rows, hidden)
    return Statement(
        select(json_of(body).label("json"), _version(resource, rows).label("version"))
        .select_from(rows.join(body, true()))
        .where(*_named(resource, rows), resource.access.visible(rows, read))
    )


@lru_cache(maxsize=_SHAPES_KEPT)
def holding(resource: ResourceDefinition, verb: str, permits: Permits, *, deleted: bool = False) -> Statement:
    """One visible record, locked until the end: its columns and ``allowed``; no row where it is not visible."""
    table, access = resource.table, resource.access
    allowed = access.allowed(verb, permits, table).label("allowed")
    visible = access.visible(table, permits[1:], deleted=deleted)
    found = select(*table.c, allowed).where(*_named(resource, table), visible)
    return Statement(found.with_for_update(key_share=True, of=table))


@lru_cache(maxsize=_SHAPES_KEPT)
def parent_of(resource: ResourceDefinition, parent_column: str, read: Permits) -> Statement:
    """The id of the record above a visible one, which is held until the end. Parameters: ``id``."""
    table = resource.table
    found = select(table.c[parent_column]).where(table.c.id == bindparam("id"), resource.access.visible(table, read))
    return Statement(found.with_for_update(key_share=True, of=table))


@lru_cache(maxsize=_SHAPES_KEPT)
def listing(
    resource: ResourceDefinition,
    read: Permits,
    shape: ListShape,
    spec: ListSpec,
    *,
    nested: bool = False,
    hidden: Hidden = NONE_HIDDEN,
) -> Statement:
    """A page of visible records, as `read_page` reads it. `nested` lists those of one parent, ``parent_id``."""
    source, parent = resource.source, resource.access.parent
    visible = select(source).where(resource.access.visible(source, read))
    if nested and parent is not None:
        visible = visible.where(source.c[parent.column] == bindparam("parent_id"))
    return page_statement(visible, resource.line.of(source, only=shape.fields, hidden=hidden), shape, spec)


@lru_cache(maxsize=_SHAPES_KEPT)
def creation(
    resource: ResourceDefinition, columns: tuple[str, ...], permits: Permits, hidden: Hidden = NONE_HIDDEN
) -> Statement:
    """Insert one record with its audit line and event: ``json, version``.

    No row where the parent is not visible, or the verb ``create`` is not allowed below it. `permits` are those of
    creating, then of reading the parents. Parameters: ``set_<column>`` for each of `columns`, and those of `_lines`.
    """
    table, parent = resource.table, resource.access.parent
    insertion = insert(table)
    if parent is None:
        insertion = insertion.values({name: _value(table, name) for name in columns})
    else:
        parents = parent.access.table
        found = exists().where(
            parents.c.id == _value(table, parent.column),
            parent.access.visible(parents, permits[1:]),
            resource.access.addable(permits[0], parents),
        )
        insertion = insertion.from_select(
            list(columns), select(*(_value(table, name) for name in columns)).where(found)
        )
    created = insertion.returning(*table.c).cte("created")
    after = _facts(resource, created, resource.audited)
    lines = _lines(resource, created, before=null(), after=after)
    body = _body(resource.item, created, hidden)
    shown = [json_of(body).label("json"), created.c[resource.key].label("key")]
    answer = select(*shown, _version(resource, created).label("version")).select_from(created.join(body, true()))
    return Statement(answer.add_cte(*lines))


class Change(StrEnum):
    """What a write does to an existing record."""

    SET = "set"
    MARK_DELETED = "mark_deleted"
    RESTORE = "restore"
    REMOVE = "remove"
    NOTHING = "nothing"
    """Only the checks of a write: an update without fields."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """The shape of a write: what is done, under which verb, to which columns, on what permits, without which fields."""

    change: Change
    verb: str
    permits: Permits
    columns: tuple[str, ...] = ()
    hidden: Hidden = NONE_HIDDEN


@lru_cache(maxsize=_SHAPES_KEPT)
def mutation(resource: ResourceDefinition, shape: Mutation) -> Statement:
    """Change one visible record: ``allowed, current, json, version``; no row where it is not visible.

    ``current`` is the version found, ``version`` the one left behind; ``json`` is null where nothing was changed:
    because it was not ``allowed``, or because it is none of the ``expected`` versions. Parameters: ``id``, ``expected``
    (or null), ``set_<column>`` for each of the shape's columns, those of `_lines`.
    """
    table, access = resource.table, resource.access
    visible = access.visible(table, shape.permits[1:], deleted=shape.change is Change.RESTORE)
    allowed = access.allowed(shape.verb, shape.permits, table).label("allowed")
    found = select(table, allowed).where(*_named(resource, table), visible)
    target = found.with_for_update(key_share=True, of=table).cte("target")
    go: list[ColumnElement[bool]] = [target.c.allowed]
    expected = bindparam("expected", type_=ARRAY(Integer))
    go.append(or_(expected.is_(None), _version(resource, target) == any_(expected)))
    changed = _changed(table, target, shape, go)
    body = _body(resource.item, changed, shape.hidden)
    answer = select(
        target.c.allowed,
        _version(resource, target).label("current"),
        json_of(body).label("json"),
        _version(resource, changed).label("version"),
    ).select_from(target.outerjoin(changed.join(body, true()), true()))
    if shape.change is Change.NOTHING:
        return Statement(answer)
    return Statement(answer.add_cte(*_trail_of(resource, shape, target, changed)))


@lru_cache(maxsize=_SHAPES_KEPT)
def clearing(resource: ResourceDefinition, permits: Permits) -> Statement:
    """Delete every visible record that the verb ``clear`` may touch, with one audit line and event: ``removed``."""
    table, access = resource.table, resource.access
    go = [access.visible(table, permits[1:]), access.allowed("clear", permits, table)]
    removal: Update | Delete
    if resource.soft_deletes:
        removal = update(table).where(*go).values(_assignments(table, Change.MARK_DELETED, ()))
    else:
        removal = delete(table).where(*go)
    removed = removal.returning(table.c.id).cte("removed")
    tally = select(func.count().label("removed")).select_from(removed).cte("tally")
    facts = func.jsonb_build_object(sql_literal("removed"), tally.c.removed)
    lines = _lines(resource, tally, before=null(), after=facts, record=null())
    grants = [] if resource.soft_deletes else without_grants(resource.access, removed)
    return Statement(select(tally.c.removed).add_cte(*lines, *grants))


def _changed(table: Table, target: CTE, shape: Mutation, go: Sequence[ColumnElement[bool]]) -> CTE:
    """The part of the write that changes the row, and returns it as it is afterwards."""
    if shape.change is Change.NOTHING:
        return select(target).where(*go).cte("changed")
    same = [column == target.c[column.name] for column in table.primary_key.columns]
    if shape.change is Change.REMOVE:
        return delete(table).where(*same, *go).returning(*table.c).cte("changed")
    assignments = _assignments(table, shape.change, shape.columns)
    return update(table).where(*same, *go).values(assignments).returning(*table.c).cte("changed")


def _assignments(table: Table, change: Change, columns: Sequence[str]) -> dict[str, Any]:
    moved: dict[str, Any] = {}
    if "version" in table.c:
        moved["version"] = table.c.version + literal_column("1")
    if "updated_at" in table.c:
        moved["updated_at"] = func.now()
    match change:
        case Change.MARK_DELETED:
            return moved | {"deleted_at": func.now(), "deleted_by": bindparam("actor_id", type_=Uuid)}
        case Change.RESTORE:
            return moved | {"deleted_at": null(), "deleted_by": null()}
        case _:
            return moved | {name: _value(table, name) for name in columns}


def _trail_of(resource: ResourceDefinition, shape: Mutation, target: CTE, changed: CTE) -> list[CTE]:
    """The audit line and the event of a write to an existing record, only where it was changed."""
    if shape.change is Change.REMOVE:
        lines = _lines(resource, changed, before=_facts(resource, changed, resource.audited), after=null())
        return [*lines, *without_grants(resource.access, changed)]
    columns = shape.columns if shape.change is Change.SET else ("deleted_at", "deleted_by")
    both = target.join(changed, true())
    before, after = _facts(resource, target, columns), _facts(resource, changed, columns)
    return _lines(resource, changed, before=before, after=after, joined=both)


def _lines(
    resource: ResourceDefinition,
    rows: CTE,
    *,
    before: ColumnElement[Any],
    after: ColumnElement[Any],
    joined: FromClause | None = None,
    record: ColumnElement[Any] | None = None,
) -> list[CTE]:
    """The audit line and the event of a write, one of each for every row of `rows`.

    Parameters: ``audit_id, event_id, tenant_id, actor_kind, actor_id, request_id, action``.
    """
    subject = rows.c[resource.subject] if record is None else cast(record, Uuid)
    who = {
        "tenant_id": bindparam("tenant_id", type_=Uuid),
        "actor_kind": bindparam("actor_kind", type_=Text),
        "actor_id": bindparam("actor_id", type_=Uuid),
        "request_id": bindparam("request_id", type_=Text),
    }
    line = who | {
        "id": bindparam("audit_id", type_=Uuid),
        "action": bindparam("action", type_=Text),
        "resource_type": sql_literal(resource.singular),
        "resource_id": subject,
        "before": cast(before, JSONB),
        "after": cast(after, JSONB),
    }
    facts: list[Any] = [sql_literal("id"), subject]
    if "version" in rows.c:
        facts += [sql_literal("version"), rows.c.version]
    event = who | {
        "id": bindparam("event_id", type_=Uuid),
        "name": bindparam("action", type_=Text),
        "aggregate_type": sql_literal(resource.singular),
        "aggregate_id": subject,
        "data": func.jsonb_build_object(*facts),
    }
    source = rows if joined is None else joined
    return [
        insert(into).from_select(list(values), select(*values.values()).select_from(source)).cte(name)
        for into, values, name in zip(TRAILS[resource.plane], (line, event), ("audited", "published"), strict=True)
    ]


def _facts(resource: ResourceDefinition, rows: FromClause, columns: Sequence[str]) -> ColumnElement[Any]:
    """The named columns of a row as one JSON object; sensitive ones masked."""
    shown = select(
        *((sql_literal(MASK) if name in resource.masked else rows.c[name]).label(name) for name in columns)
    ).correlate(rows)
    facts = shown.subquery("_facts_")
    return select(func.to_jsonb(whole_row(facts))).select_from(facts).scalar_subquery()


def _body(projection: Projection, rows: FromClause, hidden: Hidden) -> FromClause:
    return select(*projection.of(rows, hidden=hidden)).correlate(rows).lateral("_body_")


def _named(resource: ResourceDefinition, rows: FromClause) -> list[ColumnElement[bool]]:
    """The condition that a row is the record in question. Parameters: ``id``, and ``parent_id`` below a parent."""
    parent = resource.access.parent
    named = [rows.c[resource.key] == bindparam("id", type_=Uuid)]
    if resource.below_parent and parent is not None:
        named.append(rows.c[parent.column] == bindparam("parent_id", type_=Uuid))
    return named


def _version(resource: ResourceDefinition, rows: FromClause) -> ColumnElement[Any]:
    return rows.c.version if resource.versioned else cast(null(), Integer)


def _value(table: Table, name: str) -> ColumnElement[Any]:
    return bindparam(f"set_{name}", type_=table.c[name].type)
