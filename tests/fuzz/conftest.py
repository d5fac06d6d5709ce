"""The production assembly with limits that thousands of requests from one address do not reach, and who fuzzes it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import uvicorn
from tests.acceptance.scenery import things
from tests.acceptance.surface import Ids, Operation
from tests.conftest import suite_settings
from tests.fuzz.surface import Caller

from planner.app import application
from tenantry.app import Settings, assembled
from tenantry.app.server import listen
from tenantry.database import DatabaseUrls
from tenantry.identity import SUPERADMIN
from tenantry.kernel import new_id
from tenantry.runtime import Mail
from tenantry.tenancy import Role
from tenantry.testing import World

SEED = int(os.environ.get("SEED", "7351"))
"""Of everything that is chosen by chance here. The same in every run, so that a change is to blame for a failure;
runs at night bring their own (``SEED=$RANDOM``)."""


def fuzz_settings() -> Settings:
    """The settings of the suite with the limits of attempts as high as they go."""
    settings = suite_settings()
    limits = {
        "login_failures_per_account": 10_000,
        "login_failures_per_address": 100_000,
        "registrations_per_address": 100_000,
        "resets_per_account": 10_000,
        "links_per_address": 100_000,
    }
    return settings.model_copy(update={"identity": settings.identity.model_copy(update=limits)})


class NoMailer:
    """Takes every mail and keeps none: a run sends hundreds to addresses that nobody has."""

    async def send(self, mail: Mail) -> None:
        del mail


@dataclass(frozen=True)
class Scene:
    """A tenant with something of everything and somebody else's beside it, and who calls which operation."""

    world: World
    owner: Caller
    admin: Caller
    anybody: Caller

    def caller(self, operation: Operation) -> Caller:
        """Return who may call an operation with success."""
        if operation.id == "auth_logout":
            return self.anybody  # with an access token it would end the session of the fuzz
        if operation.path.startswith(("/api/v1/platform", "/api/v1/users")):
            return self.admin
        return self.owner


@pytest.fixture(scope="module")
async def scene(urls: DatabaseUrls) -> AsyncIterator[Scene]:
    """The world of one module."""
    async with assembled(application, fuzz_settings(), urls, mailer=NoMailer()) as assembly:
        yield await set_scene(World(assembly))


@pytest.fixture
async def port(scene: Scene) -> AsyncIterator[int]:
    """The application behind the server of production, which reads ahead of it."""
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(scene.world.app, lifespan="off", log_config=None, access_log=False))
    serving = asyncio.create_task(server._serve(sockets=[listening]))
    yield listening.getsockname()[1]
    server.should_exit = True
    await serving


async def set_scene(world: World) -> Scene:
    """Make the tenants and the callers."""
    mine, other = await world.two_tenants()
    ids = await things(mine)
    await things(other)
    victim, admin = await world.person("victim"), await world.person("admin", platform_role=SUPERADMIN)
    bodies = BODIES | gifts(ids)
    ids |= {"users": victim, "tenants": other.id, "tenant_id": mine.id, "sessions": new_id()}
    return Scene(
        world,
        owner=Caller(
            [(b"authorization", f"Bearer {mine.tokens[Role.OWNER]}".encode()), (b"x-tenant-id", str(mine.id).encode())],
            ids,
            bodies,
        ),
        admin=Caller([(b"authorization", f"Bearer {await world.token(admin)}".encode())], ids, BODIES),
        anybody=Caller([], ids, BODIES),
    )


def gifts(ids: Ids) -> dict[str, Callable[[], dict[str, Any]]]:
    """Return grants to a role that nobody has. They end soon and make room for the same again."""

    def gift(resource: str, **more: str) -> dict[str, Any]:
        ends = datetime.now(UTC) + timedelta(seconds=2)
        subject = {"subject_type": "role", "subject_id": str(ids["subject_id"])}
        return {**subject, "action": f"{resource}:update", "effect": "allow", "expires_at": ends.isoformat(), **more}

    of_records = {f"{name}_grants_create": partial(gift, name) for name in ("projects", "tasks", "items")}
    return {**of_records, "grants_create": partial(gift, "projects", resource_type="project")}


BODIES: dict[str, dict[str, Any]] = {
    "auth_login": {"email": "nobody@people.test", "password": "a password of nobody"},
    "auth_token": {"username": "nobody@people.test", "password": "a password of nobody", "grant_type": "password"},
    "auth_switch_tenant": {},  # the tenant by id or by slug: each of the two alone is poisoned
    "members_create": {"email": "invited@people.test", "role": "viewer"},
    "members_update": {"role": "member"},
    "invitations_create": {"email": "invited@people.test", "role": "viewer"},
    "teams_create": {"name": "A new team", "role": "viewer"},
    "teams_update": {"name": "Another team", "role": "viewer"},
    "roles_create": {"name": "A new role", "permissions": ["projects:read"]},
    "roles_update": {"name": "Another role", "permissions": ["projects:read"]},
    "api_keys_create": {"name": "A key", "permissions": ["projects:read"]},
    "service_accounts_create": {"name": "A robot", "role": "viewer"},
    "service_accounts_update": {"name": "Another robot", "role": "viewer"},
    "tenant_update": {"name": "A tenant", "config": {}},
}
"""Valid bodies, or the halves of them, where two members exclude each other or one would end the run."""
