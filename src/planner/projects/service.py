"""The rules of projects."""

from __future__ import annotations

from uuid import UUID

from planner.projects.errors import NewOwnerNotMember
from planner.projects.models import DRAFT, Project
from planner.projects.schemas import ProjectListItem, ProjectRead
from tenantry.access import ResourceAccess, require_on_record
from tenantry.kernel import ExpectedVersion
from tenantry.resources import Change, Rendered, ResourceDefinition, ResourceService

PROJECT_ACCESS = ResourceAccess(
    "projects",
    Project,
    "project",
    owner="owner_id",
    own_when={"update": {"status": DRAFT}},
    restricted={"budget_cents": "projects:budget"},
    grantable=True,
)


class ProjectService(ResourceService):
    """Projects of one tenant."""

    resource = ResourceDefinition(
        access=PROJECT_ACCESS,
        read=ProjectRead,
        list_item=ProjectListItem,
    )

    async def transfer(self, project_id: UUID, owner_id: UUID, *, expected: ExpectedVersion = None) -> Rendered:
        """Give a project to a member or a team. Raises `NewOwnerNotMember`, to those alone who may give it away."""
        if not await self.runtime.members.can_own(self.principal.tenant.id, owner_id):
            await self.require_transferable(project_id)
            message = "This is neither a member nor a team of the tenant."
            raise NewOwnerNotMember.at("/owner_id", message, "not_a_member")
        return await self.records.change(
            project_id,
            Change.SET,
            verb="transfer",
            action="projects.transferred",
            values={"owner_id": owner_id},
            expected=expected,
        )

    async def require_transferable(self, project_id: UUID) -> None:
        """Refuse whoever may not give a project away."""
        await require_on_record(self.uow, self.principal, PROJECT_ACCESS, "transfer", project_id)
