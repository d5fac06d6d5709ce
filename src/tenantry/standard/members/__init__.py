"""Members: who belongs to a tenant, in which role."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.members.joining import Members
from tenantry.standard.members.permissions import MEMBERS_PERMISSIONS
from tenantry.standard.members.router import joining, members
from tenantry.standard.members.schemas import RoleChange
from tenantry.standard.members.service import MemberService

module = Module("members", permissions=MEMBERS_PERMISSIONS, routers=(members, joining), folder=Path(__file__).parent)

__all__ = ["MemberService", "Members", "RoleChange", "module"]
