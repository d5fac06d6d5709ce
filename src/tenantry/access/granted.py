"""The records that the actor's grants are on, as SQL, and the parameter that carries the actor's subjects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Select,
    Uuid,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.sql.visitors import replacement_traverse

from tenantry.access.models import Effect, Grant
from tenantry.database import sql_literal
from tenantry.kernel import ConfigurationError

SUBJECTS = "actor_subjects"
"""Name of the parameter that carries the ids of the acting subjects into every predicate."""

TENANT = "actor_tenant"
"""Name of the parameter that carries the tenant, where row security alone does not say it."""

Chosen = Callable[[ColumnElement[Any]], ColumnElement[bool]]
"""The condition that the id in a column is among the records of certain grants."""

_GRANTS = Grant.__table__.c


def subjects() -> BindParameter[Any]:
    """Return the parameter of the acting subjects."""
    return bindparam(SUBJECTS, type_=ARRAY(Uuid))


def denied(actions: Sequence[str]) -> Chosen:
    """Return the condition that a deny grant for one of `actions` is on a record.

    IN, which PostgreSQL answers with a hash of the grants, read once: a page costs no look-up for each row.
    """
    ids = _records_of(actions, Effect.DENY)
    return lambda column: column.in_(ids)


def allowed(actions: Sequence[str]) -> Chosen:
    """Return the condition that an allow grant for one of `actions` is on a record.

    An array, because it can be the key of an index: who sees little reads little, however many records there are.
    """
    ids = func.array(_records_of(actions, Effect.ALLOW).scalar_subquery())
    return lambda column: column == any_(ids)


def with_subjects(condition: ColumnElement[bool], ids: Sequence[UUID]) -> ColumnElement[bool]:
    """Return a predicate with the ids of subjects in the place of the parameter."""
    given = bindparam(SUBJECTS, list(ids), type_=ARRAY(Uuid), unique=True)

    def filled(element: Any, **_: Any) -> Any:
        return given if isinstance(element, BindParameter) and element.key == SUBJECTS else None

    replaced: ColumnElement[bool] = replacement_traverse(condition, {}, filled)
    return replaced


def constant(value: Any) -> ColumnElement[Any]:
    """Return a name or a value of a declaration as part of the statement, not as one more parameter of every call.

    Raises `ConfigurationError` for what is neither a text, a number nor a boolean.
    """
    if isinstance(value, str):
        return sql_literal(value)
    if isinstance(value, bool | int):
        return literal_column(str(value).lower())
    raise ConfigurationError(f"own_when compares with texts, numbers and booleans, not {value!r}")


def _records_of(actions: Sequence[str], effect: Effect) -> Select[UUID]:
    """Return the records that the subjects' grants are on; row security limits them to the tenant."""
    return select(_GRANTS.record_id).where(
        _GRANTS.subject_id == any_(subjects()),
        _GRANTS.action.in_([constant(action) for action in actions]),
        _GRANTS.effect == constant(effect.value),
        or_(_GRANTS.expires_at.is_(None), _GRANTS.expires_at > func.now()),
    )
