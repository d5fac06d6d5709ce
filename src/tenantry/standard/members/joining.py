"""Joining and leaving, where that takes more than one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from tenantry.access import AccessContext
from tenantry.database import Plane, UnitOfWork
from tenantry.kernel import SYSTEM
from tenantry.resources import Rendered
from tenantry.runtime import Runtime
from tenantry.standard.invitations.accepting import ForgetGrants
from tenantry.standard.members.repository import TENANTS_OF_PERSON
from tenantry.standard.members.schemas import NewMember
from tenantry.standard.members.service import MemberService
from tenantry.tenancy import IS_MEMBER, VERIFIED_USER_BY_ID, AlreadyMember, TenantFacts

TenantOf = Callable[[UUID], Awaitable[TenantFacts]]
"""Finds a tenant by its id."""


class Members:
    """Takes people into tenants, and out of them, in transactions of its own."""

    def __init__(self, runtime: Runtime, *, forget_grants: ForgetGrants, tenant_of: TenantOf) -> None:
        self._runtime = runtime
        self._forget_grants = forget_grants
        self._tenant_of = tenant_of

    async def add(self, context: AccessContext, user_id: UUID, role: str) -> Rendered:
        """Add a user whose e-mail address is verified, at once: for code that may decide for them, as a seed does.

        Over HTTP people are invited, and decide themselves. Raises `NotPermitted`, `UnknownUser`, `AlreadyMember`,
        `UnknownRole` and `RoleAboveOwn`.
        """
        MemberService.admit(context.principal, "create")
        is_fresh = await self._start_afresh(context, user_id)
        async with context.work(Plane.CONTROL) as uow:
            added = await _service(context, uow).create(NewMember(user_id=user_id, role=role))
            if not is_fresh:  # they left a moment ago, and what they were granted still stands
                raise AlreadyMember
        return added

    async def remove(self, context: AccessContext, user_id: UUID) -> None:
        """Remove a member, or leave. Raises `NotPermitted`, `MemberNotFound`, `RoleAboveOwn` and `LastOwner`."""
        async with context.work(Plane.CONTROL) as uow:
            await _service(context, uow).delete(user_id)

    async def leave_all(self, user_id: UUID) -> None:
        """Take a person who is about to be removed out of every tenant.

        Raises `LastOwner` where a tenant would be left without an owner; then the person has left none.
        """
        async with self._runtime.database.control_scope(actor=SYSTEM, user_id=user_id) as uow:
            left = [row["tenant_id"] for row in await uow.all(TENANTS_OF_PERSON, user_id=user_id)]
        places = [AccessContext.system(await self._tenant_of(tenant_id), self._runtime) for tenant_id in left]
        for context in places:
            async with context.work(Plane.CONTROL) as uow:
                await _service(context, uow).require_removable(user_id)
        for context in places:
            await self.remove(context, user_id)

    async def _start_afresh(self, context: AccessContext, user_id: UUID) -> bool:
        """Let nobody come back to what they were granted before they left; tell whether nothing of it stands.

        Only for a person who is no member: the id of a role or a service account would take away what those have.
        """
        async with context.work(Plane.CONTROL) as uow:
            user = await uow.one(VERIFIED_USER_BY_ID, user_id=user_id)
            is_member = await uow.value(IS_MEMBER, tenant_id=context.tenant_id, user_id=user_id)
        if user is None or is_member:
            return False
        await self._forget_grants(context.tenant_id, user_id)
        return True


def _service(context: AccessContext, uow: UnitOfWork) -> MemberService:
    return MemberService(uow, context.principal, context.runtime)
