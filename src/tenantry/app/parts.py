"""The parts of a running application that its own code may use: its seed, its commands, its tests."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.access import AccessGate, AccessService
from tenantry.identity import IdentityService
from tenantry.resources import ResourceEdge
from tenantry.runtime import Runtime
from tenantry.standard import StandardServices
from tenantry.tenancy import TenantResolver


@dataclass(frozen=True, slots=True)
class Parts:
    """What does the work of an application; `Assembly` adds what starts, watches and stops it."""

    runtime: Runtime
    identity: IdentityService
    resolver: TenantResolver
    services: StandardServices
    access: AccessService
    gate: AccessGate
    resources: ResourceEdge
