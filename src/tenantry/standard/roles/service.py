"""Roles of a tenant's own: making, changing and deleting them. Nobody makes one that holds more than they do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from tenantry.access import (
    BUILT_IN_IDS,
    BeyondOwnPermissions,
    CustomRole,
    ResourceAccess,
    RoleFacts,
    RoleInUse,
    RoleNameTaken,
    RoleNotFound,
    api_key_key,
    read_roles,
    roles_key,
)
from tenantry.identity import SUPERADMIN
from tenantry.resources import Rendered, ResourceDefinition, ResourceService, Write
from tenantry.standard.roles.errors import RoleIsBuiltin, TooManyRoles
from tenantry.standard.roles.repository import KEYS_WITH_ROLE, RENAMES, ROLE_IS_USED, every_role
from tenantry.standard.roles.schemas import RoleRead
from tenantry.tenancy import Member, Role, lock_roles, member_key, teams_key

MAX_ROLES = 500

ROLE_ACCESS = ResourceAccess(
    "roles",
    CustomRole,
    "role",
    permissions=dict.fromkeys(("create", "update", "delete"), "roles:manage"),
    whole=True,
    not_found=RoleNotFound,
)

_BUILT_IN = frozenset(BUILT_IN_IDS.values())
_RESERVED = frozenset({*BUILT_IN_IDS, SUPERADMIN})
_INVISIBLE = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""What is printable by Unicode and shows nothing: joiners, fillers, variation selectors, the empty Braille pattern."""


class RoleService(ResourceService):
    """The roles of one tenant. The built-in ones are seen beside them, and never written."""

    resource = ResourceDefinition(ROLE_ACCESS, read=RoleRead, rows=every_role)
    _own_roles: Mapping[str, RoleFacts]

    def row_parameters(self) -> Mapping[str, Any]:
        """What the built-in roles hold."""
        return {f"holds_{role}": sorted(self.runtime.permissions.of_role(role)) for role in Role}

    async def read(self, record_id: UUID, *, parent_id: UUID | None = None) -> Rendered:
        """Return one role. A built-in one has no ETag: what it holds changes with the application, not by a write."""
        record = await super().read(record_id, parent_id=parent_id)
        return replace(record, version=None) if record_id in _BUILT_IN else record

    async def lock(self, verb: str, record_id: UUID | None) -> None:
        """Be the only one who changes what roles mean; nobody changes the built-in ones."""
        if record_id in _BUILT_IN:
            raise RoleIsBuiltin
        await lock_roles(self.uow, self.principal.tenant.id)
        self._own_roles = await read_roles(self.uow, self.principal.tenant.id, self.runtime.permissions)

    async def values(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Refuse permissions that do not exist, pointing at each; keep each of the others once."""
        if "permissions" not in fields:
            return fields
        self.runtime.permissions.require_known(fields["permissions"])
        return fields | {"permissions": list(dict.fromkeys(fields["permissions"]))}

    async def check_create(self, write: Write) -> None:
        """Refuse a role that holds more than whoever acts."""
        await self._require_within(write.values)

    async def check_update(self, write: Write) -> None:
        """Refuse to touch a role that holds more than whoever acts, and to make it one."""
        before = dict(write.before)
        await self._require_within(before, before | dict(write.values))

    async def check_delete(self, write: Write) -> None:
        """Refuse to delete a role that holds more than whoever acts."""
        await self._require_within(write.before)

    async def conflict(self, write: Write) -> None:
        """Refuse too many roles, a name that is taken, and the end of a role that somebody holds."""
        if write.verb in {"delete", "purge"}:
            held = {"tenant_id": self.principal.tenant.id, "name": write.before["name"]}
            if await self.uow.value(ROLE_IS_USED, **held, now=self.runtime.clock.now()):
                raise RoleInUse
        if write.verb == "create" and len(self._own_roles) >= MAX_ROLES:
            raise TooManyRoles(f"A tenant has at most {MAX_ROLES} roles of its own.")
        if write.changes("name"):
            itself = None if write.found is None else write.before["id"]
            others = (name for name, role in self._own_roles.items() if role.id != itself)
            _require_new_name(write.values["name"], others)

    def announced(self, write: Write, record_id: UUID) -> Iterable[str]:
        """The roles of the tenant."""
        return (roles_key(self.principal.tenant.id),)

    async def after(self, write: Write, record: Rendered) -> None:
        """Take everybody who holds the role along to its new name, and announce all of them."""
        if write.found is None or not write.changes("name"):
            return
        tenant_id = self.principal.tenant.id
        held = {"tenant_id": tenant_id, "name": write.before["name"]}
        keys = await self.uow.all(KEYS_WITH_ROLE, **held)
        renamed = {
            model: await self.uow.all(renaming, **held, new_name=write.values["name"])
            for model, renaming in RENAMES.items()
        }
        await self.runtime.facts.announce(
            self.uow,
            teams_key(tenant_id),
            *(member_key(tenant_id, row["user_id"]) for row in renamed[Member]),
            *(api_key_key(tenant_id, row["id"]) for row in keys),
        )

    async def _require_within(self, *roles: Mapping[str, Any]) -> None:
        """Refuse roles that hold more than whoever acts; what they hold is read afresh."""
        catalog = self.runtime.permissions
        delegable = await self.delegation.delegable(self._own_roles)
        for role in roles:
            held, rank = catalog.expand(role["permissions"]), Role(role["counts_as"])
            if delegable is not None and not delegable.covers(held, rank):
                raise BeyondOwnPermissions


def _require_new_name(name: str, others: Iterable[str]) -> None:
    """Refuse a name that can be taken for another one, whatever its case, width and invisible characters."""
    if _folded(name) in _RESERVED.union(map(_folded, others)):
        raise RoleNameTaken


def _folded(name: str) -> str:
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", name)).casefold()
