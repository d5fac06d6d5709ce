"""Members over HTTP."""

from __future__ import annotations

from uuid import UUID

from fastapi import Response

from tenantry.access import Access, member, require_permission
from tenantry.database import Plane
from tenantry.http import api_router
from tenantry.resources import Answer, Expected, Idempotent, Operation, ResourceRouter
from tenantry.standard.invitations.schemas import InvitationCreate, InvitationRead
from tenantry.standard.invitations.service import InvitationService
from tenantry.standard.members.schemas import RoleChange
from tenantry.standard.members.service import MemberService

members = ResourceRouter(
    MemberService,
    "/members",
    update=RoleChange,
    operations={Operation.LIST, Operation.READ, Operation.UPDATE},
    filters={"role", "created_at"},
    sort={"name", "created_at"},
    default_sort="created_at",
    search={"name", "email"},
    id_in_path="user_id",
)
joining = api_router("/members", tags=["members"])


@joining.post(
    "",
    status_code=202,
    operation_id="members_create",
    response_model=InvitationRead,
    dependencies=[require_permission("members:manage")],
)
async def invite_member(payload: InvitationCreate, access: Access, idempotency: Idempotent) -> Response:
    """Invite somebody by mail: they are a member from the moment that they accept.

    The answer is the same whether anybody has an account with this address or not.
    """
    async with access.work(Plane.CONTROL) as uow:
        invitations = InvitationService(uow, access.principal, access.runtime)

        async def work() -> Answer:
            return Answer(202, (await invitations.create(payload)).json.encode())

        answer = await idempotency.answer(uow, work, readmit=lambda: invitations.readmit(payload))
    return answer.response()


@joining.delete("/{user_id}", status_code=204, operation_id="members_delete", dependencies=[member])
async def remove_member(user_id: UUID, access: Access, expected: Expected) -> None:
    """Remove a member. Everybody may leave; removing others needs the permission to manage members."""
    async with access.work(Plane.CONTROL) as uow:
        await MemberService(uow, access.principal, access.runtime).delete(user_id, expected=expected)
