"""The rule of access for ORM sessions (door 2): queries see what the compiled statements would show.

What is selected must be visible; what an UPDATE or DELETE statement changes must be visible and allowed. Rows that a
session has read and its code changes are the business of the service that does so: it asks `require_on_record`.
Statements over tables instead of mapped classes are not narrowed; they take `ResourceAccess.readable_by`.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import and_
from sqlalchemy.orm import ORMExecuteState, with_loader_criteria

from tenantry.access.principal import Principal
from tenantry.access.resource import ResourceAccess


class VisibleRows:
    """Narrows ORM queries over the resources of an application to what their reader may do."""

    def __init__(self, resources: Iterable[ResourceAccess]) -> None:
        self._resources = tuple(resources)

    def __call__(self, state: ORMExecuteState, principal: Principal) -> None:
        """Add the conditions to a query that is about to run."""
        verb = "update" if state.is_update else "delete" if state.is_delete else None
        for access in self._resources:
            rule = access.readable_by(principal)
            if verb is not None:
                rule = and_(rule, access.allowed_to(principal, verb))
            state.statement = state.statement.options(with_loader_criteria(access.model, rule, include_aliases=True))
