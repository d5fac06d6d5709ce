"""A little world for tests: people, tenants, and a client for each of them, on the production application.

People sign in with real tokens; nothing about authentication is overridden. Every stored text should carry the
tenant's `canary`, so that one look at an answer tells whether it leaked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from tenantry.access import AccessContext, Principal
from tenantry.app import Assembly, create_app
from tenantry.database import PlacementKind
from tenantry.identity import Caller
from tenantry.kernel import SYSTEM, Actor, ActorKind, new_id
from tenantry.standard.tenants import Founding
from tenantry.tenancy import Role, TenantFacts

PASSWORD = "correct horse battery staple"  # noqa: S105 - the password of people who exist in tests only


@dataclass
class World:
    """The people and tenants of a test run, over one assembly.

    People are made once for each role and reused; every test makes tenants of its own::

        async def test_a_viewer_cannot_write(world):
            tenant = await world.tenant()
            assert (await tenant.viewer.post("/items", json={...})).status_code == 403
    """

    assembly: Assembly
    base_url: str = "http://test/api/v1"
    _people: dict[str, UUID] = field(default_factory=dict)
    _tokens: dict[UUID, str] = field(default_factory=dict)

    @cached_property
    def app(self) -> FastAPI:
        """The production application of the assembly."""
        return create_app(self.assembly)

    async def person(self, name: str, *, platform_role: str | None = None) -> UUID:
        """Return the verified user of this name, made on first use."""
        if name not in self._people:
            profile = await self.assembly.services.users.create(
                email=f"{name}.{new_id().hex}@people.test", password=PASSWORD, name=name, platform_role=platform_role
            )
            self._people[name] = profile.id
        return self._people[name]

    async def token(self, user_id: UUID) -> str:
        """Return an access token of a session of the user."""
        if user_id not in self._tokens:
            actor = Actor(ActorKind.USER, user_id)
            async with self.assembly.runtime.database.control_scope(actor=actor, user_id=user_id) as uow:
                pair = await self.assembly.identity.sessions.start(uow, user_id, Caller())
            self._tokens[user_id] = pair.access_token
        return self._tokens[user_id]

    async def tenant(self, *, side: str = "a", placement: PlacementKind = PlacementKind.POOL) -> TestTenant:
        """Return a new tenant with one member for each role; tenants of different `side` share no member."""
        owner = await self.person(f"owner-{side}")
        slug = f"t-{new_id().hex[-24:]}"
        tenant = await self.assembly.services.tenants.create(
            Founding(name=f"CNRY.{slug}", slug=slug, owner_id=owner, actor=SYSTEM, placement=placement)
        )
        facts = await self.assembly.resolver.named(tenant.id)
        made = TestTenant(self, facts, {Role.OWNER: owner}, {Role.OWNER: await self.token(owner)})
        for role in (Role.MANAGER, Role.MEMBER, Role.VIEWER):
            made.people[role] = await self.person(f"{role}-{side}")
            made.tokens[role] = await self.token(made.people[role])
            await made.join(made.people[role], role)
        return made

    async def two_tenants(self, *, placement: PlacementKind = PlacementKind.POOL) -> tuple[TestTenant, TestTenant]:
        """Return two new tenants without a common member."""
        return await self.tenant(side="a", placement=placement), await self.tenant(side="b", placement=placement)

    def client(self, headers: Mapping[str, str] | None = None) -> AsyncClient:
        """Return a client of the application in this process; errors of the application become answers."""
        transport = ASGITransport(app=self.app, raise_app_exceptions=False)
        return AsyncClient(transport=transport, base_url=self.base_url, headers=dict(headers or {}))


@dataclass
class TestTenant:
    """One tenant of a test, with a signed-in client for each role."""

    __test__ = False  # not a test case, whatever pytest thinks of the name

    world: World
    facts: TenantFacts
    people: dict[Role, UUID]
    tokens: dict[Role, str]

    @property
    def id(self) -> UUID:
        """Its id."""
        return self.facts.id

    @property
    def slug(self) -> str:
        """Its slug when it was made."""
        return self.facts.slug

    @property
    def system(self) -> AccessContext:
        """The application itself in this tenant, which nothing limits."""
        return AccessContext.system(self.facts, self.world.assembly.runtime)

    def context(
        self, role: Role, *, user_id: UUID | None = None, ceiling: frozenset[str] | None = None
    ) -> AccessContext:
        """Return what services take: the member with this role, or another person in it, as a request would make it."""
        assembly, person = self.world.assembly, user_id or self.people[role]
        held = assembly.access.catalog.of_role(role)
        actor = Actor(ActorKind.USER, person)
        principal = Principal(actor, person, self.facts, role, held, rank=role, ceiling=ceiling)
        return AccessContext(principal, assembly.runtime)

    async def join(self, user_id: UUID, role: str = Role.MEMBER) -> None:
        """Make a person a member at once; over HTTP they would be invited."""
        await self.world.assembly.services.members.add(self.system, user_id, role)

    @property
    def canary(self) -> str:
        """The mark that every text of this tenant should carry."""
        return f"CNRY.{self.slug}"

    def as_(self, role: Role) -> AsyncClient:
        """Return the client of the member with this role, acting in this tenant."""
        return self.world.client({"Authorization": f"Bearer {self.tokens[role]}", "X-Tenant-Id": str(self.id)})

    @cached_property
    def owner(self) -> AsyncClient:
        """The owner's client."""
        return self.as_(Role.OWNER)

    @cached_property
    def manager(self) -> AsyncClient:
        """The manager's client."""
        return self.as_(Role.MANAGER)

    @cached_property
    def member(self) -> AsyncClient:
        """The member's client."""
        return self.as_(Role.MEMBER)

    @cached_property
    def viewer(self) -> AsyncClient:
        """The viewer's client."""
        return self.as_(Role.VIEWER)
