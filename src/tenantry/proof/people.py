"""Who calls: the members of two tenants in every role, and people who should get nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from tenantry.database import PlacementKind
from tenantry.identity import SUPERADMIN
from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

SECOND = "second member"
BOTH = "member here and owner there"


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody who calls: a name for reports, a credential, and the headers that select a tenant."""

    name: str
    user_id: UUID | None
    credential: Mapping[str, str] = field(repr=False)
    tenant: Mapping[str, str] = field(default_factory=dict)
    may_write: bool = True
    """False for a key that was limited to reading."""
    is_of_both: bool = False
    """Whether the other tenant is one of the caller's too: its header is then no attack."""
    attacks: bool = True
    """Whether the whole matrix is called as this one; a grant more or less changes nothing about another tenant."""

    @property
    def headers(self) -> dict[str, str]:
        """What every call of the caller sends."""
        return {**self.credential, **self.tenant}


NOBODY = Persona("anonymous", None, {})


@dataclass
class TenantSide:
    """One of the two tenants, with its callers by name."""

    world: World
    tenant: TestTenant
    callers: dict[str, Persona]

    @property
    def mark(self) -> str:
        """The canary of the tenant."""
        return self.tenant.canary

    @property
    def owner(self) -> Persona:
        """The owner, who may do everything."""
        return self.callers[Role.OWNER]

    @property
    def selected(self) -> dict[str, str]:
        """The header that selects the tenant."""
        return {"X-Tenant-Id": str(self.tenant.id)}

    async def join(self, name: str, role: Role = Role.VIEWER) -> Persona:
        """Return a new person who is a member of the tenant."""
        caller = await newcomer(self.world, name)
        await self.tenant.join(_id(caller), role)
        return Persona(name, caller.user_id, caller.credential, self.selected)

    async def leave(self, caller: Persona) -> Persona:
        """End the membership of a caller; the credential stays what it was."""
        await self.world.assembly.services.members.remove(self.tenant.system, _id(caller))
        return caller


async def two_sides(world: World, placement: PlacementKind) -> tuple[TenantSide, TenantSide]:
    """Return two new tenants, with one person in both."""
    first, second = await world.two_tenants(placement=placement)
    mine, theirs = await _side(world, first), await _side(world, second)
    both = await mine.join(BOTH, Role.MEMBER)
    await second.join(_id(both), Role.OWNER)
    mine.callers[BOTH] = replace(both, is_of_both=True)
    return mine, theirs


async def newcomer(world: World, name: str, *, platform_role: str | None = None) -> Persona:
    """Return a signed-in person who belongs to no tenant."""
    user_id = await world.person(f"{name.replace(' ', '-')}-{new_id().hex[-12:]}", platform_role=platform_role)
    return Persona(name, user_id, {"Authorization": f"Bearer {await world.token(user_id)}"})


async def administrator(world: World) -> Persona:
    """Return an administrator of the platform."""
    return await newcomer(world, "platform administrator", platform_role=SUPERADMIN)


async def _side(world: World, tenant: TestTenant) -> TenantSide:
    side = TenantSide(world, tenant, {})
    for role in (Role.OWNER, Role.MANAGER, Role.MEMBER, Role.VIEWER):
        credential = {"Authorization": f"Bearer {tenant.tokens[role]}"}
        side.callers[role.value] = Persona(role.value, tenant.people[role], credential, side.selected)
    side.callers[SECOND] = await side.join(SECOND, Role.MEMBER)
    return side


def _id(caller: Persona) -> UUID:
    if caller.user_id is None:
        raise ValueError(caller.name)
    return caller.user_id
