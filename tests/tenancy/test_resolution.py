"""Which tenant a request is about: every combination of what a client can say."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from tests.people import Someone, a_slug, someone

from tenantry.cache import FactCache
from tenantry.database import Database
from tenantry.database.unit_of_work import UnitOfWork
from tenantry.kernel import TenantryError, new_id
from tenantry.tenancy import Role, TenantResolver, TenantStatus
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


@dataclass
class Cast:
    """Somebody with two tenants, a tenant of somebody else, and one that does not exist."""

    who: Someone
    first: TestTenant
    second: TestTenant
    foreign: TestTenant

    def id_of(self, name: str) -> str | None:
        match name:
            case "absent":
                return None
            case "unknown":
                return str(new_id())
            case "malformed":
                return "{" + str(self.first.id) + "}"
            case "joined":
                return f"{self.first.id}, {self.first.id}"
            case "upper":
                return str(self.first.id).upper()
            case _:
                tenant: TestTenant = getattr(self, name)
                return str(tenant.id)

    def slug_of(self, name: str) -> str | None:
        match name:
            case "absent":
                return None
            case "unknown":
                return a_slug()
            case "upper":
                return self.first.slug.upper()
            case "joined":
                return f"{self.first.slug},{self.first.slug}"
            case _:
                tenant: TestTenant = getattr(self, name)
                return tenant.slug


@pytest.fixture(scope="module")
async def cast(world: World) -> Cast:
    who = await someone(world)
    first, second = await world.tenant(side="a"), await world.tenant(side="a")
    for tenant in (first, second):
        await world.assembly.services.members.add(tenant.system, who.id, Role.MEMBER)
    return Cast(who, first, second, await world.tenant(side="b"))


IDS = ("absent", "first", "second", "foreign", "unknown", "malformed", "joined", "upper")
SLUGS = ("absent", "first", "second", "foreign", "unknown", "joined", "upper")
DERIVED = ("absent", "first", "foreign", "unknown")


def expected(derived: str, by_id: str, by_slug: str) -> str:
    """The rule, said once more and differently: a tenant's name, or the code of the refusal."""
    named = {name for name in (by_id, by_slug) if name != "absent"}
    if derived != "absent":
        return "tenant_header_in_derived_mode" if named else {"first": "first"}.get(derived, "not_a_member")
    if not named:
        return "tenant_missing"
    if "joined" in named:
        return "duplicate_tenant_header"
    if by_id == "malformed":
        return "invalid_tenant_id"
    by_id = "first" if by_id == "upper" else by_id  # a UUID has no case, a slug has
    own = {name for name in (by_id, by_slug) if name in ("first", "second")}
    if not own:
        return "not_a_member"
    return own.pop() if {by_id, by_slug} <= own | {"absent"} and len(own) == 1 else "tenant_conflict"


def combinations() -> Iterator[tuple[str, str, str]]:
    return itertools.product(DERIVED, IDS, SLUGS)


async def resolved(resolver: TenantResolver, cast: Cast, derived: str, by_id: str, by_slug: str) -> str:
    active = cast.id_of(derived)
    asked = (cast.who.id, UUID(active) if active else None, cast.id_of(by_id), cast.slug_of(by_slug))
    try:
        membership = resolver.peek(*asked) or await resolver.resolve(*asked)
    except TenantryError as error:
        return error.code
    return {cast.first.id: "first", cast.second.id: "second"}[membership.tenant.id]


class TestTheRule:
    async def test_every_combination_of_signals_cold_and_warm(self, world: World, cast: Cast) -> None:
        facts = world.assembly.runtime.facts
        resolver = world.assembly.resolver
        wrong = []
        for combination in combinations():
            facts.clear()
            cold = await resolved(resolver, cast, *combination)
            await resolved(resolver, cast, "absent", "first", "absent")
            await resolved(resolver, cast, "absent", "second", "absent")
            warm = await resolved(resolver, cast, *combination)
            if not cold == warm == expected(*combination):
                wrong.append((combination, cold, warm, expected(*combination)))
        assert not wrong, wrong[:3]

    async def test_what_is_known_is_answered_without_waiting(self, world: World, cast: Cast) -> None:
        resolver = world.assembly.resolver
        id_, slug = str(cast.first.id), cast.first.slug
        await resolver.resolve(cast.who.id, None, id_, None)
        for asked in ((None, id_, None), (None, None, slug), (None, id_, slug), (cast.first.id, None, None)):
            membership = resolver.peek(cast.who.id, *asked)
            assert membership is not None
            assert (membership.tenant.slug, membership.role) == (slug, "member")

    async def test_a_peek_never_answers_for_somebody_else(self, world: World, cast: Cast) -> None:
        resolver = world.assembly.resolver
        await resolver.resolve(cast.who.id, None, str(cast.first.id), None)
        stranger = await someone(world)
        assert resolver.peek(stranger.id, None, str(cast.first.id), None) is None
        assert resolver.peek(stranger.id, None, f"{cast.first.id}:{cast.who.id}", None) is None

    async def test_every_role_resolves_to_itself(self, world: World) -> None:
        tenant = await world.tenant()
        for role, user_id in tenant.people.items():
            membership = await world.assembly.resolver.resolve(user_id, None, None, tenant.slug)
            assert membership.role == role


class _Counting(Database):
    """Counts the transactions and statements of the control plane."""

    transactions = 0

    def control_scope(self, **scope: object) -> UnitOfWork:
        self.transactions += 1
        return super().control_scope(**scope)  # type: ignore[arg-type]


@pytest.fixture
async def counting(world: World) -> AsyncIterator[_Counting]:
    database = _Counting(world.assembly.runtime.database.urls, world.assembly.settings.database, constraints={})
    yield database
    await database.close()


class TestStrangers:
    async def test_unknown_and_foreign_tenants_answer_alike(self, cast: Cast) -> None:
        bodies = []
        for name in ("unknown", "foreign"):
            for headers in ({"X-Tenant-Id": cast.id_of(name)}, {"X-Tenant-Slug": cast.slug_of(name)}):
                answer = await cast.who.client().get("/tenant", headers={key: str(v) for key, v in headers.items()})
                body = answer.json()
                body.pop("request_id")
                bodies.append((answer.status_code, body, sorted(set(answer.headers) - {"date"})))
        assert bodies[0][0] == 403
        assert bodies[0][1]["code"] == "not_a_member"
        assert all(body == bodies[0] for body in bodies)

    async def test_unknown_and_foreign_tenants_cost_alike_also_when_the_foreign_one_is_remembered(
        self, cast: Cast, counting: _Counting
    ) -> None:
        facts = FactCache()
        facts.heard(float("inf"))
        resolver = TenantResolver(counting, facts)
        await resolver.resolve(cast.foreign.people[Role.OWNER], None, None, cast.foreign.slug)
        costs = []
        for by_id, by_slug in (
            ("foreign", "absent"),
            ("unknown", "absent"),
            ("absent", "foreign"),
            ("absent", "unknown"),
            ("foreign", "foreign"),
            ("foreign", "unknown"),
        ):
            before = counting.transactions
            assert await resolved(resolver, cast, "absent", by_id, by_slug) == "not_a_member"
            costs.append(counting.transactions - before)
        assert costs == [1] * len(costs)

    async def test_a_stranger_does_not_learn_that_an_id_and_a_slug_belong_together(self, cast: Cast) -> None:
        headers = {"X-Tenant-Id": str(cast.foreign.id), "X-Tenant-Slug": cast.first.slug}
        mixed = {**headers, "X-Tenant-Id": str(new_id())}
        answers = [(await cast.who.client().get("/tenant", headers=sent)).json()["code"] for sent in (headers, mixed)]
        assert answers == ["tenant_conflict", "tenant_conflict"]


class TestOverHttp:
    async def test_a_doubled_header_is_refused_whatever_it_says(self, cast: Cast) -> None:
        for name, value in (("X-Tenant-Id", str(cast.first.id)), ("x-tenant-slug", cast.first.slug)):
            headers = [("Authorization", f"Bearer {cast.who.token}"), (name, value), (name.upper(), value)]
            client = cast.who.world.client()
            answer = await client.send(client.build_request("GET", "/tenant", headers=headers))
            assert (answer.status_code, answer.json()["code"]) == (400, "duplicate_tenant_header")

    async def test_a_token_for_one_tenant_cannot_act_on_another(self, world: World, cast: Cast) -> None:
        client = cast.who.client()
        pair = (
            await client.post("/auth/login", json={"email": cast.who.email, "password": "correct horse battery staple"})
        ).json()
        bearer = {"Authorization": f"Bearer {pair['access_token']}"}
        switched = await client.post("/auth/switch-tenant", headers=bearer, json={"slug": cast.first.slug})
        assert switched.status_code == 200
        derived = world.client({"Authorization": f"Bearer {switched.json()['access_token']}"})
        assert (await derived.get("/tenant")).json()["id"] == str(cast.first.id)
        for headers in ({"X-Tenant-Id": str(cast.second.id)}, {"X-Tenant-Slug": cast.first.slug}):
            refused = await derived.get("/tenant", headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (400, "tenant_header_in_derived_mode")
        foreign = await derived.post("/auth/switch-tenant", json={"tenant_id": str(cast.foreign.id)})
        unknown = await derived.post("/auth/switch-tenant", json={"tenant_id": str(new_id())})
        assert (foreign.status_code, foreign.json()["code"]) == (403, "not_a_member")
        assert unknown.json()["code"] == "not_a_member"

    async def test_the_body_does_not_select_a_tenant(self, cast: Cast) -> None:
        body = {"active_tenant_id": str(cast.first.id), "tenant_id": str(cast.first.id), "name": "x"}
        answer = await cast.who.client().patch("/tenant", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "tenant_missing")
        owner = cast.first.owner
        answer = await owner.patch("/tenant", json={"name": "x", "active_tenant_id": str(cast.second.id)})
        assert answer.status_code == 422
        assert (await cast.second.owner.get("/tenant")).json()["name"] == cast.second.canary

    async def test_the_query_string_does_not_select_a_tenant(self, cast: Cast) -> None:
        query = {
            "tenant_id": str(cast.first.id),
            "active_tenant_id": str(cast.first.id),
            "X-Tenant-Id": cast.first.slug,
        }
        answer = await cast.who.client().get("/tenant", params=query)
        assert (answer.status_code, answer.json()["code"]) == (400, "tenant_missing")

    async def test_a_forwarded_host_does_not_select_a_tenant(self, cast: Cast) -> None:
        headers = {"X-Forwarded-Host": f"{cast.first.slug}.example.test", "Host": f"{cast.first.slug}.example.test"}
        answer = await cast.who.client().get("/tenant", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "tenant_missing")

    async def test_the_tenant_is_decided_after_who_is_signed_in(self, world: World, cast: Cast) -> None:
        answer = await world.client({"X-Tenant-Id": "nonsense"}).get("/tenant")
        assert answer.status_code == 401


class TestPublic:
    async def test_a_named_tenant_needs_no_login(self, world: World, cast: Cast) -> None:
        resolver = world.assembly.resolver
        for header_id, slug in (
            (str(cast.first.id), None),
            (None, cast.first.slug),
            (str(cast.first.id), cast.first.slug),
        ):
            for _cold_then_warm in range(2):
                assert (await resolver.resolve_public(header_id, slug)).id == cast.first.id

    @pytest.mark.parametrize(
        ("by_id", "by_slug", "code"),
        [
            ("unknown", "absent", "tenant_not_found"),
            ("absent", "unknown", "tenant_not_found"),
            ("first", "second", "tenant_conflict"),
            ("malformed", "absent", "invalid_tenant_id"),
        ],
    )
    async def test_what_names_no_tenant_is_refused(
        self, world: World, cast: Cast, by_id: str, by_slug: str, code: str
    ) -> None:
        with pytest.raises(TenantryError) as caught:
            await world.assembly.resolver.resolve_public(cast.id_of(by_id), cast.slug_of(by_slug))
        assert caught.value.code == code

    async def test_without_a_name_the_tenant_default_is_meant_once_there_is_one(self, world: World) -> None:
        resolver = world.assembly.resolver
        with pytest.raises(TenantryError) as caught:
            await resolver.resolve_public(None, None)
        assert caught.value.code == "tenant_missing"
        admin = await someone(world, platform_role="superadmin")
        made = await admin.client().post("/platform/tenants", json={"name": "Default", "slug": "default"})
        assert made.status_code == 201
        assert (await resolver.resolve_public(None, None)).slug == "default"
        gone = await admin.client().post(f"/platform/tenants/{made.json()['id']}/suspend")
        assert gone.json()["status"] == TenantStatus.SUSPENDED
        with pytest.raises(TenantryError):
            await resolver.resolve_public(None, None)
        renamed = await admin.client().patch(f"/platform/tenants/{made.json()['id']}", json={"slug": a_slug()})
        assert renamed.status_code == 200


class TestDirectory:
    async def test_members_are_known_and_counted(self, world: World) -> None:
        tenant = await world.tenant()
        members = world.assembly.runtime.members
        stranger = await someone(world)
        for _asked_then_remembered in range(2):
            assert await members.is_member(tenant.id, tenant.people[Role.VIEWER])
        assert not await members.is_member(tenant.id, stranger.id)
        assert await members.count(tenant.id) == 4
        await world.assembly.services.members.add(tenant.system, stranger.id, Role.VIEWER)
        assert await members.is_member(tenant.id, stranger.id)
        assert await members.count(tenant.id) == 5
        await world.assembly.services.members.remove(tenant.system, stranger.id)
        assert not await members.is_member(tenant.id, stranger.id)
        assert await members.count(tenant.id) == 4
