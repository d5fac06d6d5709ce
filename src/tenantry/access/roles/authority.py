"""Nobody gives what they do not hold: what somebody's roles amount to, read in the transaction that decides by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from tenantry.access.errors import BeyondOwnPermissions, UnknownRole
from tenantry.access.permissions import OWN
from tenantry.access.principal import Principal
from tenantry.access.principal_building import highest_rank, role_permissions
from tenantry.access.roles.facts import RoleFacts, read_roles
from tenantry.access.roles.repository import ALLOWED_TO_ROLES, ROLE_OF_ACCOUNT
from tenantry.access.subjects import BUILT_IN_IDS
from tenantry.database import UnitOfWork
from tenantry.runtime import PermissionMeanings
from tenantry.tenancy import ROLE_OF_MEMBER, NotAMember, Role, RoleAboveOwn, lock_roles_shared, team_roles_of


@dataclass(frozen=True, slots=True)
class Delegable:
    """What somebody may pass on: the permissions and the highest rank of their roles, within the ceiling of a key.

    >>> Delegable(frozenset({"notes:read"}), Role.MEMBER).covers({"notes:read:own"}, Role.VIEWER)
    True
    >>> Delegable(frozenset({"notes:read"}), Role.MEMBER, frozenset()).covers({"notes:read"}, Role.VIEWER)
    False
    """

    permissions: frozenset[str]
    rank: Role | None
    ceiling: frozenset[str] | None = None

    def covers(self, permissions: Iterable[str], rank: Role) -> bool:
        """Tell whether all of these are held, and no rank above one's own is asked for.

        A key with a scope of its own has the lowest rank: where a minimum role is asked for, it never passes.
        """
        own = self.rank if self.ceiling is None else Role.VIEWER
        if own is None or not own.covers(rank):
            return False
        return all(self._holds(permission) for permission in permissions)

    def _holds(self, permission: str) -> bool:
        spelled = {permission, permission.removesuffix(OWN)}
        return not spelled.isdisjoint(self.permissions) and (
            self.ceiling is None or not spelled.isdisjoint(self.ceiling)
        )


class RoleDelegation:
    """Decides which roles a principal may give and take; nobody gives what they do not hold.

    What the acting person holds is read again in the transaction of `uow`, and held until its end.
    """

    def __init__(self, uow: UnitOfWork, principal: Principal, catalog: PermissionMeanings) -> None:
        self._uow = uow
        self._principal = principal
        self._catalog = catalog

    async def require_may_give(self, *roles: str) -> None:
        """Refuse to give a role that holds more than whoever acts.

        Raises `NotAMember` (403), `UnknownRole` (422) and `RoleAboveOwn` (403).
        """
        own_roles, delegable = await self._read()
        for name in roles:
            if name not in BUILT_IN_IDS and name not in own_roles:
                raise UnknownRole.at("/role")
        self._require_covered(delegable, roles, own_roles, await self._granted() if roles else {})

    async def require_may_take(self, *roles: str) -> None:
        """Refuse to take roles that hold more than whoever acts; one that is no more holds nothing."""
        own_roles, delegable = await self._read()
        known = [name for name in roles if name in BUILT_IN_IDS or name in own_roles]
        self._require_covered(delegable, known, own_roles, granted={})

    async def require_holds(self, permissions: Iterable[str]) -> None:
        """Refuse to pass on what the roles of whoever acts do not hold now. Raises `BeyondOwnPermissions` (403)."""
        _, delegable = await self._read()
        if delegable is not None and not delegable.covers(permissions, Role.VIEWER):
            raise BeyondOwnPermissions

    async def delegable(self, own_roles: Mapping[str, RoleFacts]) -> Delegable | None:
        """Return what whoever acts may pass on; None for the application itself, which nothing limits.

        Raises `NotAMember` for somebody who has no place in the tenant any more.
        """
        if self._principal.is_system:
            return None
        held = await _held_roles(self._uow, self._principal.tenant.id, self._principal.holder_id)
        permissions = (role_permissions(name, self._catalog, own_roles) for name in held)
        ceiling = self._principal.ceiling
        return Delegable(frozenset().union(*permissions), highest_rank(held, own_roles), ceiling)

    async def _read(self) -> tuple[dict[str, RoleFacts], Delegable | None]:
        tenant_id = self._principal.tenant.id
        await lock_roles_shared(self._uow, tenant_id)
        own_roles = await read_roles(self._uow, tenant_id, self._catalog)
        return own_roles, await self.delegable(own_roles)

    async def _granted(self) -> Mapping[UUID, frozenset[str]]:
        """Return what grants on whole resources allow, by role: whoever gets a role gets that as well."""
        allowed = defaultdict[UUID, list[str]](list)
        for row in await self._uow.all(ALLOWED_TO_ROLES, tenant_id=self._principal.tenant.id):
            allowed[row["subject_id"]].append(row["action"])
        return {role_id: self._catalog.expand(actions) for role_id, actions in allowed.items()}

    def _require_covered(
        self,
        delegable: Delegable | None,
        names: Iterable[str],
        own_roles: Mapping[str, RoleFacts],
        granted: Mapping[UUID, frozenset[str]],
    ) -> None:
        for name in names:
            permissions, rank = role_permissions(name, self._catalog, own_roles), highest_rank([name], own_roles)
            also = granted.get(BUILT_IN_IDS[name] if name in BUILT_IN_IDS else own_roles[name].id, frozenset())
            if delegable is not None and not (rank and delegable.covers(permissions | also, rank)):
                raise RoleAboveOwn


def answers_for(sponsor: Principal, account: Principal) -> bool:
    """Tell whether somebody holds everything that the roles of another give."""
    return Delegable(sponsor.permissions, sponsor.rank).covers(account.permissions, account.rank or Role.VIEWER)


async def _held_roles(uow: UnitOfWork, tenant_id: UUID, holder_id: UUID | None) -> tuple[str, ...]:
    """Return the roles of a member, with those of their teams, or of a service account; held until the commit."""
    role = await uow.value(ROLE_OF_MEMBER, tenant_id=tenant_id, user_id=holder_id)
    if role is not None and holder_id is not None:
        return (role, *await team_roles_of(uow, tenant_id, holder_id))
    role = await uow.value(ROLE_OF_ACCOUNT, tenant_id=tenant_id, account_id=holder_id)
    if role is None:
        raise NotAMember
    return (role,)
