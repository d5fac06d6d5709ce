"""The failures of tenancy.

Those of resolving a tenant say the same about a tenant that does not exist and one that is somebody else's: anything
else would let a stranger list our customers.
"""

from __future__ import annotations

from tenantry.kernel import BadRequest, Conflict, InvalidInput, NotFound, PermissionDenied, Unavailable


class TenantMissing(BadRequest):
    """Say which tenant: send X-Tenant-Id or X-Tenant-Slug."""


class TenantHeaderInDerivedMode(BadRequest):
    """The access token names the tenant, so no tenant header may be sent."""


class TenantConflict(BadRequest):
    """X-Tenant-Id and X-Tenant-Slug name different tenants."""


class DuplicateTenantHeader(BadRequest):
    """A tenant header was sent twice."""


class InvalidTenantId(BadRequest):
    """X-Tenant-Id has to be a UUID."""


class InvalidTenantSlug(BadRequest):
    """X-Tenant-Slug has to be a slug."""


class NotAMember(PermissionDenied):
    """You are not a member of this tenant."""


class TenantSuspended(PermissionDenied):
    """This tenant is suspended."""


class TenantNotReady(Unavailable):
    """This tenant is still being set up."""


class TenantNotFound(NotFound):
    """There is no such tenant."""


class SlugTaken(Conflict):
    """This slug is, or was, another tenant's."""


class SlugNotFound(NotFound):
    """There is no such slug that could be released."""


class SlugReserved(InvalidInput):
    """This slug is reserved."""


class PlacementFailed(Unavailable):
    """The tenant's place in the database could not be made; no tenant was created."""


class MemberNotFound(NotFound):
    """There is no such member."""


class AlreadyMember(Conflict):
    """This person is a member already."""


class UnknownUser(InvalidInput):
    """There is no such user with a verified e-mail address."""


class LastOwner(Conflict):
    """A tenant keeps at least one owner."""


class RoleAboveOwn(PermissionDenied):
    """You cannot give or change a role above your own."""


class InvitationNotFound(NotFound):
    """There is no such open invitation."""


class InvitationPending(Conflict):
    """This address was invited at the same moment by somebody else."""


class InvalidInvitation(BadRequest):
    """This invitation is not valid, has expired, was used, or is for another e-mail address."""


class EmailNotVerified(PermissionDenied):
    """Verify your e-mail address first."""


class TeamNotFound(NotFound):
    """There is no such team."""


class TeamNameTaken(Conflict):
    """A team with this name exists."""


class TeamHasTeams(Conflict):
    """Other teams stand in this team."""


class AlreadyInTeam(Conflict):
    """This member is in the team already."""


class UnknownParent(InvalidInput):
    """There is no team with the id of the parent."""


class UnknownMember(InvalidInput):
    """There is no member with this id."""


class TeamCycle(InvalidInput):
    """A team cannot stand in itself."""


class TeamTooDeep(InvalidInput):
    """Teams stand in one another on 20 levels at most."""


class TooManyTeams(Conflict):
    """There are too many teams already."""


class TeamMemberNotFound(NotFound):
    """There is no such member in this team."""
