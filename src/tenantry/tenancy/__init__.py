"""Tenants, who belongs to them, and which one a request is about."""

from tenantry.tenancy.actor import Acting
from tenantry.tenancy.answering import Expected, acting, list_answer, list_binding, parameters_of
from tenantry.tenancy.authority import RoleAuthority
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
    TeamCycle,
    TeamHasTeams,
    TeamMemberNotFound,
    TeamNameTaken,
    TeamNotFound,
    TeamTooDeep,
    TenantConflict,
    TenantHeaderInDerivedMode,
    TenantMissing,
    TenantNotFound,
    TenantNotReady,
    TenantSuspended,
    TooManyTeams,
    UnknownMember,
    UnknownParent,
    UnknownUser,
)
from tenantry.tenancy.facts import Membership, TenantFacts, member_key, tenant_key
from tenantry.tenancy.invitations import ForgetGrants, InvitationRecord
from tenantry.tenancy.members import MemberRecord
from tenantry.tenancy.models import MODELS, Invitation, Member, Team, TeamMember, Tenant, TenantStatus
from tenantry.tenancy.placements import StoredPlacements
from tenantry.tenancy.platform import PlatformCall, PlatformStats
from tenantry.tenancy.repository import ALL_TENANTS, IS_MEMBER, ROLE_OF_MEMBER, VERIFIED_USER_BY_EMAIL
from tenantry.tenancy.resolution import TenantResolver
from tenantry.tenancy.role_lock import lock_roles, lock_roles_shared
from tenantry.tenancy.roles import Role
from tenantry.tenancy.router import tenancy_routers
from tenantry.tenancy.row_list import ListPage, RowList
from tenantry.tenancy.rules import SignedIn, TenancyRules, TenantAccess, TenantPrincipal
from tenantry.tenancy.schemas import ListPosition, RoleName
from tenantry.tenancy.service import TenancyService
from tenantry.tenancy.settings import DEFAULT_SLUG, TenancySettings
from tenantry.tenancy.teams.facts import TeamFacts, TeamTree, teams_key
from tenantry.tenancy.teams.reading import read_tree, team_roles_of
from tenantry.tenancy.tenants import Founding, PreparePlacement, TenantRecord

__all__ = [
    "ALL_TENANTS",
    "DEFAULT_SLUG",
    "IS_MEMBER",
    "MODELS",
    "ROLE_OF_MEMBER",
    "VERIFIED_USER_BY_EMAIL",
    "Acting",
    "AlreadyInTeam",
    "AlreadyMember",
    "DuplicateTenantHeader",
    "EmailNotVerified",
    "Expected",
    "ForgetGrants",
    "Founding",
    "InvalidInvitation",
    "InvalidTenantId",
    "InvalidTenantSlug",
    "Invitation",
    "InvitationNotFound",
    "InvitationPending",
    "InvitationRecord",
    "LastOwner",
    "ListPage",
    "ListPosition",
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
    "RoleAuthority",
    "RoleName",
    "RowList",
    "SignedIn",
    "SlugReserved",
    "SlugTaken",
    "StoredPlacements",
    "Team",
    "TeamCycle",
    "TeamFacts",
    "TeamHasTeams",
    "TeamMember",
    "TeamMemberNotFound",
    "TeamNameTaken",
    "TeamNotFound",
    "TeamTooDeep",
    "TeamTree",
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
    "TooManyTeams",
    "UnknownMember",
    "UnknownParent",
    "UnknownUser",
    "acting",
    "list_answer",
    "list_binding",
    "lock_roles",
    "lock_roles_shared",
    "member_key",
    "parameters_of",
    "read_tree",
    "team_roles_of",
    "teams_key",
    "tenancy_routers",
    "tenant_key",
]
