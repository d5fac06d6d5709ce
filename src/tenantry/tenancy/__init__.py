"""Tenants, who belongs to them, and which one a request is about."""

from tenantry.tenancy.acting import Acting
from tenantry.tenancy.errors import (
    AlreadyInTeam,
    AlreadyMember,
    DuplicateTenantHeader,
    EmailNotVerified,
    InvalidInvitation,
    InvalidTenantId,
    InvalidTenantSlug,
    InvitationNotFound,
    InvitationPending,
    LastOwner,
    MemberNotFound,
    NotAMember,
    PlacementFailed,
    RoleAboveOwn,
    SlugReserved,
    SlugTaken,
    TeamHasTeams,
    TeamNameTaken,
    TeamNotFound,
    TenantConflict,
    TenantHeaderInDerivedMode,
    TenantMissing,
    TenantNotFound,
    TenantNotReady,
    TenantSuspended,
    UnknownUser,
)
from tenantry.tenancy.facts import Membership, TenantFacts
from tenantry.tenancy.invitations import InvitationRecord
from tenantry.tenancy.members import MemberRecord
from tenantry.tenancy.models import MODELS, Invitation, Member, Team, TeamMember, Tenant, TenantStatus
from tenantry.tenancy.placements import StoredPlacements
from tenantry.tenancy.platform import PlatformCall, PlatformStats
from tenantry.tenancy.repository import ALL_TENANTS, VERIFIED_USER_BY_EMAIL
from tenantry.tenancy.resolution import TenantResolver
from tenantry.tenancy.roles import Role
from tenantry.tenancy.router import tenancy_routers
from tenantry.tenancy.rules import SignedIn, TenancyRules, TenantAccess, TenantPrincipal
from tenantry.tenancy.service import TenancyService
from tenantry.tenancy.settings import DEFAULT_SLUG, TenancySettings
from tenantry.tenancy.tenants import Founding, PreparePlacement, TenantRecord

__all__ = [
    "ALL_TENANTS",
    "DEFAULT_SLUG",
    "MODELS",
    "VERIFIED_USER_BY_EMAIL",
    "Acting",
    "AlreadyInTeam",
    "AlreadyMember",
    "DuplicateTenantHeader",
    "EmailNotVerified",
    "Founding",
    "InvalidInvitation",
    "InvalidTenantId",
    "InvalidTenantSlug",
    "Invitation",
    "InvitationNotFound",
    "InvitationPending",
    "InvitationRecord",
    "LastOwner",
    "Member",
    "MemberNotFound",
    "MemberRecord",
    "Membership",
    "NotAMember",
    "PlacementFailed",
    "PlatformCall",
    "PlatformStats",
    "PreparePlacement",
    "Role",
    "RoleAboveOwn",
    "SignedIn",
    "SlugReserved",
    "SlugTaken",
    "StoredPlacements",
    "Team",
    "TeamHasTeams",
    "TeamMember",
    "TeamNameTaken",
    "TeamNotFound",
    "TenancyRules",
    "TenancyService",
    "TenancySettings",
    "Tenant",
    "TenantAccess",
    "TenantConflict",
    "TenantFacts",
    "TenantHeaderInDerivedMode",
    "TenantMissing",
    "TenantNotFound",
    "TenantNotReady",
    "TenantPrincipal",
    "TenantRecord",
    "TenantResolver",
    "TenantStatus",
    "TenantSuspended",
    "UnknownUser",
    "tenancy_routers",
]
