"""A table of the control plane with rows of tenants says which of them a transaction may see.

Row security comes by itself for the tables of tenants. In the control plane a model says it with `__policies__`,
because users and sessions belong to no tenant; one that forgets it has a table without any wall. A statement that
forgets its ``WHERE tenant_id``, or takes it from the request, then shows the members of every customer. `tenantry
doctor` does not see it: it compares the database with the models, and both agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import chain

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.database import DatabaseRole
from tenantry.database.row_security import Policy

NAME = "control-table"

TENANT = "tenant_id"
_SETTINGS = ("'app.tenant_id'", "'app.user_id'")
"""What a condition compares with: the transaction's tenant, or its user."""
_OF_ONE_TENANT = (DatabaseRole.CONTROL, DatabaseRole.APP)
"""The roles that work for one tenant at a time; the platform's and the workers' see all, and are kept apart for it."""
_SHOWING = {"SELECT", "UPDATE", "DELETE"}
"""Privileges that reach rows that are there; whoever may only INSERT sees none."""
_NOTHING: Set[str] = frozenset()
_WAY_OUT = "declare `__policies__ = tenant_or_own()` on the model, and a migration step that puts the wall up"


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield the tables with a ``tenant_id`` that show a role every tenant's rows: without a policy, or by one."""
    tables = project.application.control_tables if project.application else ()
    for located in tables:
        table = located.value.table
        roles = [role for role in _OF_ONE_TENANT if located.value.privileges.get(role, _NOTHING) & _SHOWING]
        if TENANT not in table.c or not roles:
            continue
        if not located.value.policies:
            reason = f"it has a tenant_id and no __policies__: {', '.join(roles)} sees the rows of every tenant"
            yield Finding(NAME, located.place, f"{table.name}: {reason}", _WAY_OUT)
        for policy in chain.from_iterable(_wide(located.value.policies, role) for role in roles):
            reason = f"the policy {policy.name} shows {policy.role} the rows of every tenant"
            yield Finding(NAME, located.place, f"{table.name}: {reason}", _WAY_OUT)


def _wide(policies: Sequence[Policy], role: str) -> list[Policy]:
    """Return the policies that let a role through to any row, unless a restrictive one stands before them."""
    seen = [one for one in policies if one.role == role and one.seen is not None]
    if any(one.restrictive and _is_narrow(one) for one in seen):
        return []
    return [one for one in seen if not one.restrictive and not _is_narrow(one)]


def _is_narrow(policy: Policy) -> bool:
    return any(setting in (policy.seen or "") for setting in _SETTINGS)
