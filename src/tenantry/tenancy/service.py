"""Tenancy in one value: what the assembly makes once. Knows no web framework."""

from __future__ import annotations

from tenantry.runtime import Runtime
from tenantry.tenancy.invitations import Invitations
from tenantry.tenancy.members import Members
from tenantry.tenancy.platform import PlatformTenants
from tenantry.tenancy.resolution import TenantResolver
from tenantry.tenancy.settings import TenancySettings
from tenantry.tenancy.tenants import PreparePlacement, Tenants
