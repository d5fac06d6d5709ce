"""The trail of ORM sessions (door 2): what they write is told as every other write is.

Each record that a flush adds, changes or deletes leaves its line and its event, in the transaction of the flush. A
statement over many records (``update(Task)``, ``delete(Task)``) leaves one line, with their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_jsonable_python
from sqlalchemy import insert, inspect
from sqlalchemy.engine import Result
from sqlalchemy.orm import ORMExecuteState, Session

from tenantry.audit import MASK
from tenantry.kernel import new_id
from tenantry.resources.definition import ResourceDefinition
from tenantry.resources.statements import TRAILS

_PENDING = "tenantry: changes to tell"


@dataclass(frozen=True, slots=True)
class _Told:
    """What has happened to one record, or to a number of them."""

    resource: ResourceDefinition
    happened: str
    row: Any = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


class OrmTrail:
    """Writes the lines and the events of what ORM sessions do to the records of some resources."""

    def __init__(self, resources: Iterable[ResourceDefinition]) -> None:
        self._of = {one.access.model: one for one in resources}

    def before_flush(self, session: Session) -> None:
        """Note what is about to change, with the values of before, which are not known any more afterwards."""
        told = [_Told(of, "created", row) for row in session.new if (of := self._of.get(type(row)))]
        told += [_changed(of, row) for row in session.dirty if (of := self._of.get(type(row))) and _is_changed(row)]
        told += [
            _Told(of, "deleted", row, before=_shown(of, {name: getattr(row, name) for name in of.audited}))
            for row in session.deleted
            if (of := self._of.get(type(row)))
        ]
        session.info[_PENDING] = told

    def after_flush(self, session: Session) -> None:
        """Write the lines and the events of what was noted."""
        for one in session.info.pop(_PENDING, ()):
            _write(session, one)

    def execute(self, state: ORMExecuteState) -> Result[Any] | None:
        """Run a statement over many records, and tell how many there were; None for what changes no resource."""
        mapper = state.bind_mapper
        resource = None if mapper is None else self._of.get(mapper.class_)
        happened = "created" if state.is_insert else "updated" if state.is_update else "deleted"
        if resource is None or not (state.is_insert or state.is_update or state.is_delete):
            return None
        result: Result[Any] = state.invoke_statement()
        number = getattr(result, "rowcount", -1)
        if number:
            counted = {} if number < 0 else {"number": number}
            _write(state.session, _Told(resource, happened, after=counted))
        return result


def _is_changed(row: Any) -> bool:
    return any(
        inspect(row).attrs[column.key].load_history().has_changes() for column in inspect(row).mapper.column_attrs
    )


def _changed(resource: ResourceDefinition, row: Any) -> _Told:
    before, after = {}, {}
    for name in resource.audited:
        history = inspect(row).attrs[name].load_history()
        if history.has_changes():
            before[name], after[name] = next(iter(history.deleted or ()), None), next(iter(history.added or ()), None)
    happened = "updated"
    if "deleted_at" in after:
        happened = "restored" if after["deleted_at"] is None else "deleted"
    return _Told(resource, happened, row, _shown(resource, before), _shown(resource, after))


def _shown(resource: ResourceDefinition, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: MASK if name in resource.masked else to_jsonable_python(value, fallback=str)
        for name, value in values.items()
    }


def _write(session: Session, told: _Told) -> None:
    resource, row = told.resource, told.row
    action = f"{resource.name.replace('-', '_')}.{told.happened}"
    who = {**session.info["who"], "tenant_id": session.info["tenant_id"]}
    subject = None if row is None else getattr(row, resource.subject)
    after = told.after
    if told.happened == "created" and row is not None:
        after = _shown(resource, {name: getattr(row, name) for name in resource.audited})
    data: dict[str, Any] = dict(after or {}) if row is None else {"id": str(subject)}
    if row is not None and resource.versioned and told.happened != "deleted":
        data["version"] = inspect(row).dict.get("version")
    line = {"id": new_id(), "action": action, "resource_type": resource.singular, "resource_id": subject}
    event = {"id": new_id(), "name": action, "aggregate_type": resource.singular, "aggregate_id": subject, "data": data}
    entries, outbox = TRAILS[resource.plane]
    connection = session.connection()
    connection.execute(insert(entries).values(**who, **line, before=told.before, after=after))
    connection.execute(insert(outbox).values(**who, **event))
