"""Roles of a tenant's own: making, changing and deleting them. What holds a role holds it by name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tenantry.access import (
    BUILT_IN_IDS,
    AccessContext,
    BeyondOwnPermissions,
    PermissionCatalog,
    RoleDelegation,
    RoleFacts,
    RoleInUse,
    RoleNameTaken,
    RoleNotFound,
    api_key_key,
    read_roles,
    roles_key,
)
from tenantry.audit import record
from tenantry.database import Plane, Row, UnitOfWork
from tenantry.http import require_version
from tenantry.identity import SUPERADMIN
from tenantry.kernel import new_id
from tenantry.query import ListPage, ListRequest
from tenantry.runtime import Runtime
from tenantry.standard.roles.errors import RoleIsBuiltin, TooManyRoles
from tenantry.standard.roles.repository import (
    DELETE_ROLE,
    INSERT_ROLE,
    KEYS_WITH_ROLE,
    PERMISSIONS,
    RENAME_IN_ACCOUNTS,
    RENAME_IN_INVITATIONS,
    RENAME_IN_KEYS,
    RENAME_IN_MEMBERSHIPS,
    RENAME_IN_TEAMS,
    ROLE_BY_ID,
    ROLE_IS_USED,
    ROLES,
    UPDATE_ROLE,
)
from tenantry.tenancy import Role, lock_roles, member_key, teams_key

MAX_ROLES = 500

_FIELDS = ("name", "description", "counts_as", "permissions")
_RESERVED = frozenset({*BUILT_IN_IDS, SUPERADMIN})
_INVISIBLE = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""What is printable by Unicode and shows nothing: joiners, fillers, variation selectors, the empty Braille pattern."""
_BUILT_IN = {role_id: Role(name) for name, role_id in BUILT_IN_IDS.items()}


@dataclass(frozen=True, slots=True)
class RoleRecord:
    """A role, as the tenant sees it."""

    id: UUID
    name: str
    description: str | None
    counts_as: str
    permissions: Sequence[str]
    created_at: datetime | None
    updated_at: datetime | None
    version: int
    is_builtin: bool = False


class Roles:
    """The roles of one tenant. `giving` knows what whoever acts may pass on."""

    def __init__(self, runtime: Runtime, catalog: PermissionCatalog, giving: RoleDelegation) -> None:
        self._database = runtime.database
        self._clock = runtime.clock
        self._facts = runtime.facts
        self._catalog = catalog
        self._giving = giving
        self._held = {f"holds_{role}": sorted(catalog.of_role(role)) for role in Role}
        self._permissions = _permission_columns(catalog)

    async def list(self, context: AccessContext, request: ListRequest) -> ListPage:
        """Return a page of the roles, built-in ones among them."""
        async with context.work(Plane.CONTROL) as uow:
            return await ROLES.read(uow, request, tenant_id=context.tenant_id, **self._held)

    async def permissions(self, context: AccessContext, request: ListRequest) -> ListPage:
        """Return a page of the permissions of the application."""
        async with context.work(Plane.CONTROL) as uow:
            return await PERMISSIONS.read(uow, request, **self._permissions)

    async def read(self, context: AccessContext, role_id: UUID) -> RoleRecord:
        """Return a role. Raises `RoleNotFound`."""
        if role_id in _BUILT_IN:
            return self._built_in(_BUILT_IN[role_id])
        async with context.work(Plane.CONTROL) as uow:
            return await _read(uow, context.tenant_id, role_id)

    async def create(self, context: AccessContext, values: Mapping[str, Any]) -> RoleRecord:
        """Make a role of `name`, `description`, `counts_as` and `permissions`.

        Raises `UnknownPermission`, `BeyondOwnPermissions`, `RoleNameTaken` and `TooManyRoles`.
        """
        fields = self._checked(values)
        async with context.work(Plane.CONTROL) as uow:
            own_roles = await self._begin(uow, context)
            await self._require_within(uow, context, own_roles, fields)
            if len(own_roles) >= MAX_ROLES:
                raise TooManyRoles(f"A tenant has at most {MAX_ROLES} roles of its own.")
            _require_new_name(fields["name"], own_roles)
            role = _found(await uow.one(INSERT_ROLE, tenant_id=context.tenant_id, role_id=new_id(), **fields))
            await self._trace(uow, context, "roles.created", role.id, after=_audited(role, _FIELDS))
        return role

    async def change(
        self, context: AccessContext, role_id: UUID, changes: Mapping[str, Any], *, expected_version: int | None = None
    ) -> RoleRecord:
        """Change a role, for everybody who holds it; a new name goes with them.

        Neither what it was nor what it becomes may be more than whoever acts holds. Raises as `create` does, and
        `RoleNotFound`, `RoleIsBuiltin` and `StaleVersion`.
        """
        fields = self._checked(changes)
        async with context.work(Plane.CONTROL) as uow:
            own_roles = await self._begin(uow, context)
            before = await _own(uow, context.tenant_id, role_id)
            current = {name: getattr(before, name) for name in _FIELDS}
            changed = [name for name in fields if fields[name] != current[name]]
            await self._require_within(uow, context, own_roles, current, current | fields)
            require_version(before.version, expected_version)
            if not changed:
                return before
            others = {name: role for name, role in own_roles.items() if role.id != role_id}
            _require_new_name((current | fields)["name"], others)
            values = {f"new_{name}": value for name, value in (current | fields).items()}
            after = _found(await uow.one(UPDATE_ROLE, tenant_id=context.tenant_id, role_id=role_id, **values))
            if after.name != before.name:
                await self._rename(uow, context.tenant_id, before.name, after.name)
            traced = {"before": _audited(before, changed), "after": _audited(after, changed)}
            await self._trace(uow, context, "roles.updated", role_id, **traced)
        return after

    async def delete(self, context: AccessContext, role_id: UUID, *, expected_version: int | None = None) -> None:
        """Delete a role that nobody holds.

        Raises `RoleNotFound`, `RoleIsBuiltin`, `StaleVersion`, `RoleInUse` and `BeyondOwnPermissions`.
        """
        async with context.work(Plane.CONTROL) as uow:
            own_roles = await self._begin(uow, context)
            before = await _own(uow, context.tenant_id, role_id)
            await self._require_within(uow, context, own_roles, {name: getattr(before, name) for name in _FIELDS})
            require_version(before.version, expected_version)
            tenant_id, now = context.tenant_id, self._clock.now()
            if await uow.value(ROLE_IS_USED, tenant_id=tenant_id, name=before.name, now=now):
                raise RoleInUse
            await uow.run(DELETE_ROLE, tenant_id=tenant_id, role_id=role_id)
            await self._trace(uow, context, "roles.deleted", role_id, before=_audited(before, _FIELDS))

    def _built_in(self, role: Role) -> RoleRecord:
        return RoleRecord(
            id=BUILT_IN_IDS[role],
            name=role.value,
            description=None,
            counts_as=role.value,
            permissions=self._held[f"holds_{role}"],
            created_at=None,
            updated_at=None,
            version=1,
            is_builtin=True,
        )

    def _checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values as they are stored. Raises `UnknownPermission`, pointing at each."""
        names = values.get("permissions", ())
        self._catalog.require_known(names)
        fields = dict(values)
        if "permissions" in fields:
            fields["permissions"] = list(dict.fromkeys(names))
        if "counts_as" in fields:
            fields["counts_as"] = Role(fields["counts_as"]).value
        return fields

    async def _begin(self, uow: UnitOfWork, context: AccessContext) -> dict[str, RoleFacts]:
        await lock_roles(uow, context.tenant_id)
        return await read_roles(uow, context.tenant_id, self._catalog)

    async def _require_within(
        self, uow: UnitOfWork, context: AccessContext, own_roles: Mapping[str, RoleFacts], *roles: Mapping[str, Any]
    ) -> None:
        """Refuse roles that hold more than whoever acts holds by roles; the actor's own are read afresh."""
        delegable = await self._giving.delegable(uow, context.principal, own_roles)
        for role in roles:
            permissions = self._catalog.expand(role["permissions"])
            if delegable is not None and not delegable.covers(permissions, Role(role["counts_as"])):
                raise BeyondOwnPermissions

    async def _rename(self, uow: UnitOfWork, tenant_id: UUID, name: str, new_name: str) -> None:
        """Take everybody who holds the role along, and announce all of them."""
        renamed = {"tenant_id": tenant_id, "name": name, "new_name": new_name}
        keys = await uow.all(KEYS_WITH_ROLE, tenant_id=tenant_id, name=name)
        members = await uow.all(RENAME_IN_MEMBERSHIPS, **renamed)
        for statement in (RENAME_IN_TEAMS, RENAME_IN_ACCOUNTS, RENAME_IN_KEYS, RENAME_IN_INVITATIONS):
            await uow.run(statement, **renamed)
        await self._facts.announce(
            uow,
            teams_key(tenant_id),
            *(member_key(tenant_id, row["user_id"]) for row in members),
            *(api_key_key(tenant_id, row["id"]) for row in keys),
        )

    async def _trace(self, uow: UnitOfWork, context: AccessContext, action: str, role_id: UUID, **values: Any) -> None:
        await record(uow, action, resource_type="role", resource_id=role_id, **values)
        await self._facts.announce(uow, roles_key(context.tenant_id))


def _require_new_name(name: str, others: Iterable[str]) -> None:
    """Refuse a name that can be taken for another one, whatever its case, width and invisible characters."""
    taken = {_folded(other) for other in others}
    if _folded(name) in taken | _RESERVED:
        raise RoleNameTaken


def _folded(name: str) -> str:
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", name)).casefold()


def _permission_columns(catalog: PermissionCatalog) -> dict[str, Sequence[str]]:
    names = sorted(catalog.descriptions)
    parts = [name.rpartition(":") for name in names]
    held = {role: catalog.of_role(role) for role in Role}
    return {
        "names": names,
        "descriptions": [catalog.descriptions[name] for name in names],
        "resources": [resource for resource, _, _ in parts],
        "verbs": [verb for _, _, verb in parts],
        "holders": [" ".join(role.value for role in Role if name in held[role]) for name in names],
    }


def _found(row: Row | None) -> RoleRecord:
    if row is None:
        raise RoleNotFound
    return RoleRecord(**row)


async def _read(uow: UnitOfWork, tenant_id: UUID, role_id: UUID) -> RoleRecord:
    return _found(await uow.one(ROLE_BY_ID, tenant_id=tenant_id, role_id=role_id))


async def _own(uow: UnitOfWork, tenant_id: UUID, role_id: UUID) -> RoleRecord:
    if role_id in _BUILT_IN:
        raise RoleIsBuiltin
    return await _read(uow, tenant_id, role_id)


def _audited(role: RoleRecord, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(role, name) for name in names}
