"""The demo: three tenants, their people, and a little work, made through the services like everybody's."""

from __future__ import annotations

from uuid import UUID

from planner.comments.schemas import CommentCreate
from planner.comments.service import CommentService
from planner.items.schemas import ItemCreate
from planner.items.service import ItemService
from planner.projects.schemas import ProjectCreate
from planner.projects.service import ProjectService
from planner.tasks.schemas import TaskCreate
from planner.tasks.service import TaskService
from tenantry.access import AccessContext, Principal
from tenantry.app import Parts
from tenantry.identity import SUPERADMIN
from tenantry.kernel import SYSTEM
from tenantry.standard.tenants import Founding
from tenantry.tenancy import Role

PASSWORD = "tenantry-demo"  # noqa: S105 - published; the seed refuses to run in production
ADMINISTRATOR = "admin@platform.test"
IN_BOTH = "both@demo.test"
TENANTS = ("acme", "globex")

_PROJECTS = {
    "Website relaunch": ("Collect the texts", "Choose a design", "Move the domain"),
    "Office move": ("Measure the rooms", "Order the desks"),
    "Winter fair": ("Book the stand",),
}


class Demo:
    """The seed of Planner."""

    logins = (
        "  logins (password of all: tenantry-demo)\n"
        "    owner@acme.test manager@acme.test member@acme.test viewer@acme.test (the same @globex.test)\n"
        f"    {IN_BOTH} (member of both)   {ADMINISTRATOR} (platform)"
    )

    async def plant(self, parts: Parts) -> None:
        """Create the demo in an empty database."""
        admin = await _person(parts, ADMINISTRATOR, "Platform administrator", platform_role=SUPERADMIN)
        both = await _person(parts, IN_BOTH, "Member of both")
        await _found(parts, "Default", "default", admin)
        for slug in TENANTS:
            owner = await _person(parts, f"owner@{slug}.test", f"Owner of {slug}")
            tenant = await _found(parts, slug.capitalize(), slug, owner)
            for role in (Role.MANAGER, Role.MEMBER, Role.VIEWER):
                person = await _person(parts, f"{role}@{slug}.test", f"{role.capitalize()} of {slug}")
                await parts.services.members.add(tenant, person, role)
            await parts.services.members.add(tenant, both, Role.MEMBER)
            await _work(parts, await _principal(parts, owner, tenant.tenant_id), slug)


async def _person(parts: Parts, email: str, name: str, *, platform_role: str | None = None) -> UUID:
    profile = await parts.services.users.create(email=email, password=PASSWORD, name=name, platform_role=platform_role)
    return profile.id


async def _found(parts: Parts, name: str, slug: str, owner_id: UUID) -> AccessContext:
    founding = Founding(name=name, slug=slug, owner_id=owner_id, actor=SYSTEM, is_platform=True)
    tenant = await parts.services.tenants.create(founding)
    return AccessContext.system(await parts.resolver.named(tenant.id), parts.runtime)


async def _principal(parts: Parts, user_id: UUID, tenant_id: UUID) -> Principal:
    membership = await parts.resolver.member(user_id, tenant_id)
    return await parts.gate.principals.of_person(user_id, membership)


async def _work(parts: Parts, owner: Principal, slug: str) -> None:
    runtime = parts.runtime
    scope = runtime.database.tenant_scope(owner.tenant.id, owner.tenant.placement, actor=owner.actor, request_id=None)
    async with scope as uow:
        for name, titles in _PROJECTS.items():
            project = await ProjectService(uow, owner, runtime).create(
                ProjectCreate(name=name, description=f"<p>{name} of {slug}.</p>")
            )
            for title in titles:
                task = await TaskService(uow, owner, runtime).create(TaskCreate(title=title), parent_id=project.id)
            await CommentService(uow, owner, runtime).create(
                CommentCreate(body="Let us begin here."), parent_id=task.id
            )
        for name, price in (("Desk", 24_900), ("Chair", 12_900), ("Lamp", 3_900)):
            await ItemService(uow, owner, runtime).create(ItemCreate(name=name, price_cents=price))
