"""A scratch database with the tables of identity, an application with its routes, and a world of two tenants."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from tenantry.access import PermissionCatalog
from tenantry.cache import FactCache, InvalidationListener
from tenantry.database import Database, DatabaseRole, DatabaseSettings, DatabaseUrls, Placement, constraints_of
from tenantry.database.migrations import framework_chains, migrate
from tenantry.database.provisioning import drop_database, provision
from tenantry.http import HttpSettings, RequestEdge, ResponseStyle, install_problem_handlers
from tenantry.identity import Caller, IdentityService, IdentitySettings, User
from tenantry.kernel import Environment, FrozenClock, PermissionDenied, TenantId, UserId, new_id
from tenantry.observability import Metrics
from tenantry.runtime import Courier, Mail, Runtime
from tenantry.standard import auth, sessions, users
from tenantry.standard.auth import Auth
from tenantry.standard.users import Users

MODULES = (auth.module, users.module, sessions.module)
ROUTES = [route for module in MODULES for router in module.routers for route in router.routes]
NAME = "identity_{}"
SECRET = SecretStr("Nq7t0pY2mWc4Zr8vKx1bHs6dJf9gLe3aUo5iTn")
PASSWORD = "correct horse 1"
START = datetime(2030, 1, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture(scope="session")
def identity_urls(admin_url: str, worker_id: str) -> Iterator[DatabaseUrls]:
    """A database of its own: these tests empty the limits, which other tests rely on."""
    yield asyncio.run(_scratch(admin_url, NAME.format(worker_id)))
    asyncio.run(drop_database(admin_url, NAME.format(worker_id)))


async def _scratch(admin_url: str, name: str) -> DatabaseUrls:
    urls = await provision(admin_url, name)
    report = await migrate(urls, framework_chains(), [Placement.pool()])
    assert not report.failed, report.failed
    return urls


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Mailbox:
    """Keeps what was sent. `down` makes the mail server fail."""

    mails: list[Mail] = field(default_factory=list)
    down: bool = False

    async def send(self, mail: Mail) -> None:
        if self.down:
            raise ConnectionError("the mail server is down")
        self.mails.append(mail)

    def token_for(self, email: str) -> str:
        """The token of the latest mail to an address."""
        mail = next(mail for mail in reversed(self.mails) if mail.to == email)
        found = re.search(r"^    (\S+)$", mail.text, re.MULTILINE)
        assert found is not None
        return found[1]


class Members:
    """Who belongs to which tenant is tenancy's business: identity asks nobody but `membership_of`."""

    async def is_member(self, tenant_id: UUID, user_id: UUID) -> bool:
        raise NotImplementedError

    async def count(self, tenant_id: UUID) -> int:
        raise NotImplementedError


class NotAMember(PermissionDenied):
    """You are not a member of this tenant."""


@dataclass
class World:
    """Everything a test of identity needs, around one application."""

    runtime: Runtime
    settings: IdentitySettings
    service: IdentityService
    auth: Auth
    users: Users
    clock: FrozenClock
    mailbox: Mailbox
    admin: asyncpg.Connection
    acme: TenantId
    globex: TenantId
    members: set[tuple[UUID, UUID]]
    app: FastAPI
    http: httpx2.AsyncClient
    caller: Caller = field(default_factory=lambda: Caller("192.0.2.1", "tests"))

    async def person(self, *, tenants: tuple[TenantId, ...] = (), **values: Any) -> Person:
        """A user with a password, member of `tenants`."""
        email = values.pop("email", f"p{new_id().hex}@acme.test")
        user = await self.users.create(email=email, password=PASSWORD, name=values.pop("name", "Ada"), **values)
        self.members |= {(user.id, tenant) for tenant in tenants}
        return Person(self, user.id, email)

    async def rows(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await self.admin.fetch(query, *arguments)
        return rows

    def advance(self, **by: float) -> None:
        self.clock.advance(timedelta(**by))


@dataclass
class Person:
    """A user, and what a client of theirs would do."""

    world: World
    id: UUID
    email: str

    async def sign_in(self, **values: Any) -> dict[str, Any]:
        answer = await self.world.http.post(
            "/api/v1/auth/login", json={"email": self.email, "password": PASSWORD, **values}
        )
        assert answer.status_code == 200, answer.text
        pair: dict[str, Any] = answer.json()
        return pair


def bearer(pair: dict[str, Any] | str) -> dict[str, str]:
    token = pair if isinstance(pair, str) else pair["access_token"]
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def database(identity_urls: DatabaseUrls) -> AsyncIterator[Database]:
    database = Database(identity_urls, DatabaseSettings(), constraints=constraints_of([User]))
    yield database
    await database.close()


@pytest.fixture
async def facts(database: Database) -> AsyncIterator[FactCache]:
    facts = FactCache()
    listener = InvalidationListener(facts, partial(database.connect, DatabaseRole.CONTROL))
    await listener.start()
    yield facts
    await listener.stop()


@pytest.fixture
def superuser_url(admin_url: str, worker_id: str) -> str:
    """The superuser in the database of these tests: for looking at rows from outside."""
    return make_url(admin_url).set(database=NAME.format(worker_id)).render_as_string(hide_password=False)


MakeWorld = Callable[..., World]


@pytest.fixture
async def make_world(database: Database, facts: FactCache, superuser_url: str) -> AsyncIterator[MakeWorld]:
    admin = await asyncpg.connect(superuser_url)
    await admin.execute("TRUNCATE control.throttles")
    async with contextlib.AsyncExitStack() as stack:
        yield partial(_world, database, facts, admin, stack)
        await stack.aclose()
    await admin.close()


def _world(
    database: Database,
    facts: FactCache,
    admin: asyncpg.Connection,
    stack: contextlib.AsyncExitStack,
    **settings: Any,
) -> World:
    clock, mailbox = FrozenClock(START), Mailbox()
    runtime = Runtime(
        environment=Environment.TEST,
        clock=clock,
        database=database,
        facts=facts,
        courier=Courier(mailbox),
        members=Members(),
        metrics=Metrics(),
        permissions=PermissionCatalog([]),
    )
    acme, globex = TenantId(new_id()), TenantId(new_id())
    members: set[tuple[UUID, UUID]] = set()

    async def membership_of(user_id: UserId, tenant: UUID | str) -> TenantId:
        tenant_id = {"acme": acme, "globex": globex}.get(tenant) if isinstance(tenant, str) else TenantId(tenant)
        if tenant_id is None or (user_id, tenant_id) not in members:
            raise NotAMember
        return tenant_id

    async def leave_tenants(user_id: UserId) -> None:
        members.difference_update({membership for membership in members if membership[0] == user_id})

    identity_settings = IdentitySettings(**{"secret": SECRET, **settings})
    service = IdentityService(runtime, identity_settings, membership_of=membership_of)
    services = SimpleNamespace(auth=Auth(service), users=Users(service, leave_tenants))
    app = FastAPI()
    app.state.assembly = SimpleNamespace(identity=service, services=services)
    app.router.routes.extend(ROUTES)
    install_problem_handlers(app, ResponseStyle.PLAIN)
    edge = RequestEdge(app, HttpSettings(), environment=Environment.TEST)
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(edge), base_url="http://test")
    stack.push_async_callback(runtime.courier.close)
    stack.push_async_callback(http.aclose)
    return World(
        runtime,
        identity_settings,
        service,
        services.auth,
        services.users,
        clock,
        mailbox,
        admin,
        acme,
        globex,
        members,
        app,
        http,
    )


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return make_world()
