"""Subjects: everything that can hold a permission, a grant or a record, known by one kind of id.

A principal carries the ids of all subjects it stands for, found once for a request: the person or service account, the
key it came with, its roles, its teams and the teams above them. Ids of people, teams and keys are UUIDs of their rows;
a built-in role has no row, so its id is derived from its name.
"""

from __future__ import annotations

from uuid import UUID, uuid5

from tenantry.tenancy import Role

_ROLES = UUID("5f1c3d6e-5c0f-5c6b-9d3a-3e6f0b7b8a10")

BUILT_IN_IDS: dict[str, UUID] = {role.value: uuid5(_ROLES, role.value) for role in Role}
"""The ids of the built-in roles, the same in every tenant: a grant to one is a row of its tenant, like every grant."""


def role_id(name: str) -> UUID | None:
    """Return the id of a built-in role; None for other names.

    >>> role_id("owner") == BUILT_IN_IDS["owner"], role_id("auditor")
    (True, None)
    """
    return BUILT_IN_IDS.get(name)
