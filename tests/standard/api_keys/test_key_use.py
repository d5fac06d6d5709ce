"""What a key may do: what whom it acts for may, within its scope, in its tenant, for as long as all of that holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import AsyncClient, Response
from tests.conftest import suite_settings

from planner.app import application
from tenantry.access.keys.secrets import NewSecret
from tenantry.app import assembled
from tenantry.database import DatabaseUrls
from tenantry.kernel import FrozenClock, SystemClock, new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def elsewhere(urls: DatabaseUrls) -> AsyncIterator[World]:
    """A second application on the same database, as another process would be."""
    async with assembled(application, suite_settings(), urls) as running:
        yield World(running)


async def a_key(tenant: TestTenant, maker: Role = Role.MEMBER, **body: Any) -> dict[str, Any]:
    answer = await tenant.as_(maker).post("/api-keys", json={"name": f"{tenant.canary} key", **body})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def a_robot(tenant: TestTenant, role: str = "member", **body: Any) -> tuple[str, AsyncClient]:
    """Make a service account; return its id and a client with a key of it."""
    account = await tenant.owner.post("/service-accounts", json={"name": f"r {new_id()}", "role": role})
    assert account.status_code == 201, account.text
    account_id: str = account.json()["id"]
    return account_id, using(tenant.world, await a_key(tenant, Role.OWNER, service_account_id=account_id, **body))


def using(world: World, key: dict[str, Any], **headers: str) -> AsyncClient:
    """A client that sends a key, and nothing that names a tenant."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return world.client({"X-API-Key": key["secret"], **named})


async def a_project(client: AsyncClient, tenant: TestTenant) -> dict[str, Any]:
    answer = await client.post("/projects", json={"name": f"{tenant.canary} project"})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def refusal(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def until(ask: Callable[[], Awaitable[Response]], *statuses: int) -> None:
    """Wait for a second at most until the answer has one of these statuses."""
    ends = time.monotonic() + 1.2
    for _ in range(60):
        answer = await ask()
        if answer.status_code in statuses or time.monotonic() > ends:
            break
        await asyncio.sleep(0.02)
    assert answer.status_code in statuses, answer.text


class TestSending:
    async def test_a_key_is_sent_as_bearer_or_in_a_header_of_its_own(self, world: World) -> None:
        tenant = await world.tenant()
        key = await a_key(tenant)
        project = await a_project(using(world, key), tenant)
        assert project["owner_id"] == str(tenant.people[Role.MEMBER])
        for headers in ({"Authorization": f"Bearer {key['secret']}"}, {"X-API-Key": key["secret"]}):
            answer = await world.client(headers).get("/projects")
            assert [item["id"] for item in answer.json()["items"]] == [project["id"]]
            assert (await world.client(headers).get("/tenant")).json()["id"] == str(tenant.id)

    async def test_two_credentials_are_refused_whichever_is_good(self, world: World) -> None:
        tenant = await world.tenant()
        secret, token = (await a_key(tenant))["secret"], tenant.tokens[Role.MEMBER]
        for bearer, header in ((token, secret), (secret, secret), (token, "nonsense"), ("nonsense", secret)):
            headers = {"Authorization": f"Bearer {bearer}", "X-API-Key": header, "X-Tenant-Id": str(tenant.id)}
            assert refusal(await world.client(headers).get("/projects")) == (400, "two_credentials")
        twice = [("X-API-Key", secret), ("X-API-Key", secret)]
        assert (await world.client().get("/projects", headers=twice)).status_code in {400, 401}

    async def test_a_header_may_repeat_the_tenant_of_the_key_and_name_no_other(self, world: World) -> None:
        tenant, same_people = await world.tenant(), await world.tenant()
        other = await world.tenant(side="b")
        key = await a_key(tenant)
        for headers in ({"X_Tenant_Id": str(tenant.id)}, {"X_Tenant_Slug": tenant.slug}):
            assert (await using(world, key, **headers).get("/projects")).status_code == 200
        refused = [
            await using(world, key, **headers).get("/projects")
            for one in (same_people.id, other.id, new_id())
            for headers in ({"X_Tenant_Id": str(one)}, {"X_Tenant_Slug": f"t-{one}"})
        ]
        refused += [await using(world, key, X_Tenant_Slug=one.slug).get("/projects") for one in (same_people, other)]
        assert {refusal(answer) for answer in refused} == {(403, "not_a_member")}
        assert len({answer.json()["detail"] for answer in refused}) == 1

    async def test_a_key_never_works_in_another_tenant(self, world: World) -> None:
        tenant, other = await world.two_tenants()
        foreign = await a_project(other.owner, other)
        client = using(world, await a_key(tenant, Role.OWNER))
        assert (await client.get("/projects")).json()["items"] == []
        assert (await client.get(f"/projects/{foreign['id']}")).status_code == 404
        assert (await client.patch(f"/projects/{foreign['id']}", json={"name": "mine"})).status_code == 404
        assert foreign["id"] not in (await client.get("/activity")).text

    @pytest.mark.parametrize(
        "text", ["", "tnt_", "tnt_x", "nonsense", "tnt_" + "0" * 43 + "_" + "z" * 43, "tnt_" + "a" * 60_000, "tnt_é"]
    )
    async def test_a_malformed_key_is_401_and_reaches_no_database(
        self, world: World, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        async def untouchable() -> None:
            raise AssertionError("a connection was taken")

        for pool in world.assembly.runtime.database.pools:
            monkeypatch.setattr(pool, "acquire", untouchable)
        for headers in ({"X-API-Key": text.encode("latin-1")}, {"Authorization": f"Bearer {text}".encode("latin-1")}):
            answer = await world.client().get("/projects", headers=headers)  # type: ignore[arg-type]
            assert answer.status_code == 401, answer.text
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["code"] in {"invalid_api_key", "not_signed_in", "invalid_access_token"}

    async def test_an_unknown_key_and_a_wrong_secret_are_answered_alike(self, world: World) -> None:
        tenant = await world.tenant()
        key = await a_key(tenant)
        forged = [
            NewSecret.of(tenant.id, new_id()).text,
            key["secret"][:-1] + ("0" if key["secret"][-1] != "0" else "1"),
        ]
        answers = [await world.client({"X-API-Key": text}).get("/projects") for text in forged]
        assert {refusal(answer) for answer in answers} == {(401, "invalid_api_key")}
        assert len({answer.json()["detail"] for answer in answers}) == 1
        assert (await using(world, key).get("/projects")).status_code == 200


class TestScope:
    async def test_a_key_does_what_its_scope_names_and_no_more(self, world: World) -> None:
        tenant = await world.tenant()
        client = using(world, await a_key(tenant, permissions=["projects:read"]))
        project = await a_project(tenant.member, tenant)
        assert (await client.get(f"/projects/{project['id']}")).json()["name"] == project["name"]
        refused = [
            await client.post("/projects", json={"name": tenant.canary}),
            await client.patch(f"/projects/{project['id']}", json={"name": tenant.canary}),
            await client.get("/api-keys"),
        ]
        assert {refusal(answer) for answer in refused} == {(403, "not_permitted")}
        listed = await client.get("/items")
        assert listed.status_code == 403 or listed.json()["items"] == []

    async def test_a_scope_of_own_records_shows_no_others(self, world: World) -> None:
        tenant = await world.tenant()
        own, of_owner = await a_project(tenant.member, tenant), await a_project(tenant.owner, tenant)
        client = using(world, await a_key(tenant, permissions=["projects:read:own"]))
        assert [item["id"] for item in (await client.get("/projects")).json()["items"]] == [own["id"]]
        assert (await client.get(f"/projects/{of_owner['id']}")).status_code == 404

    async def test_a_scope_that_is_a_role_gives_what_the_role_gives(self, world: World) -> None:
        tenant = await world.tenant()
        client = using(world, await a_key(tenant, Role.OWNER, role="viewer"))
        assert (await client.get("/projects")).status_code == 200
        assert (await client.post("/projects", json={"name": tenant.canary})).status_code == 403
        assert (await client.get("/members")).status_code == 403

    async def test_a_key_without_a_scope_follows_its_owner_up_and_down_at_once(
        self, world: World, elsewhere: World
    ) -> None:
        tenant = await world.tenant()
        key, person = await a_key(tenant), tenant.people[Role.MEMBER]
        here, there = using(world, key), using(elsewhere, key)
        body = {"name": f"{tenant.canary} project"}
        assert (await here.post("/projects", json=body)).status_code == 201
        assert (await there.post("/projects", json=body)).status_code == 201
        assert (await tenant.owner.patch(f"/members/{person}", json={"role": "viewer"})).status_code == 200
        assert (await here.post("/projects", json=body)).status_code == 403
        await until(lambda: there.post("/projects", json=body), 403)
        assert (await tenant.owner.patch(f"/members/{person}", json={"role": "owner"})).status_code == 200
        assert (await here.get("/members")).status_code == 200

    async def test_a_scope_shrinks_with_its_owner(self, world: World) -> None:
        tenant = await world.tenant()
        key, person = await a_key(tenant, permissions=["projects:read", "projects:create"]), tenant.people[Role.MEMBER]
        client = using(world, key)
        await a_project(client, tenant)
        await tenant.owner.patch(f"/members/{person}", json={"role": "viewer"})
        assert (await client.post("/projects", json={"name": "x"})).status_code == 403
        assert (await client.get("/projects")).status_code == 200


class TestEnding:
    async def test_an_expired_key_is_401(self, urls: DatabaseUrls) -> None:
        clock = FrozenClock(SystemClock().now())
        async with assembled(application, suite_settings(), urls, clock=clock) as running:
            world = World(running)
            tenant = await world.tenant()
            ends = clock.now() + timedelta(minutes=5)
            client = using(world, await a_key(tenant, expires_at=ends.isoformat()))
            assert (await client.get("/projects")).status_code == 200
            clock.advance(timedelta(minutes=5))
            assert refusal(await client.get("/projects")) == (401, "invalid_api_key")

    async def test_a_deleted_key_is_401_at_once_here_and_within_a_second_elsewhere(
        self, world: World, elsewhere: World
    ) -> None:
        tenant = await world.tenant()
        key = await a_key(tenant)
        here, there = using(world, key), using(elsewhere, key)
        assert [(await one.get("/projects")).status_code for one in (here, there)] == [200, 200]
        assert (await tenant.member.delete(f"/api-keys/{key['id']}")).status_code == 204
        assert refusal(await here.get("/projects")) == (401, "invalid_api_key")
        await until(lambda: there.get("/projects"), 401)

    async def test_a_key_dies_with_the_membership(self, world: World, elsewhere: World) -> None:
        tenant = await world.tenant()
        key, person = await a_key(tenant, Role.MANAGER), tenant.people[Role.MANAGER]
        here, there = using(world, key), using(elsewhere, key)
        assert [(await one.get("/projects")).status_code for one in (here, there)] == [200, 200]
        assert (await tenant.owner.delete(f"/members/{person}")).status_code == 204
        assert refusal(await here.get("/projects")) == (401, "invalid_api_key")
        await until(lambda: there.get("/projects"), 401)

    @pytest.mark.parametrize("uses", [0, 1, 2, 3])
    async def test_a_key_stays_dead_when_its_owner_comes_back(self, world: World, elsewhere: World, uses: int) -> None:
        tenant = await world.tenant()
        key, person = await a_key(tenant, Role.MANAGER), tenant.people[Role.MANAGER]
        here, there = using(world, key), using(elsewhere, key)
        for client in (here, there) * uses:
            assert (await client.get("/projects")).status_code == 200
        assert (await tenant.owner.delete(f"/members/{person}")).status_code == 204
        await tenant.join(person, Role.MANAGER)
        assert refusal(await here.get("/projects")) == (401, "invalid_api_key")
        await until(lambda: there.get("/projects"), 401)

    async def test_a_suspended_tenant_takes_no_keys(self, world: World) -> None:
        tenant = await world.tenant()
        _, robot = await a_robot(tenant)
        person = using(world, await a_key(tenant))
        assert [(await one.get("/projects")).status_code for one in (robot, person)] == [200, 200]
        admin_id = await world.person("platform-keys", platform_role="superadmin")
        admin = world.client({"Authorization": f"Bearer {await world.token(admin_id)}"})
        assert (await admin.post(f"/platform/tenants/{tenant.id}/suspend")).status_code == 200
        assert {refusal(await one.get("/projects")) for one in (robot, person)} == {(403, "tenant_suspended")}
        assert (await admin.post(f"/platform/tenants/{tenant.id}/resume")).status_code == 200
        assert [(await one.get("/projects")).status_code for one in (robot, person)] == [200, 200]


class TestServiceAccounts:
    async def test_one_owns_what_it_creates(self, world: World) -> None:
        tenant = await world.tenant()
        account_id, robot = await a_robot(tenant)
        project = await a_project(robot, tenant)
        assert project["owner_id"] == account_id
        assert (await robot.patch(f"/projects/{project['id']}", json={"name": tenant.canary})).status_code == 200
        foreign = await a_project(tenant.owner, tenant)
        assert (await robot.patch(f"/projects/{foreign['id']}", json={"name": tenant.canary})).status_code == 403

    async def test_its_role_acts_at_once_here_and_within_a_second_elsewhere(
        self, world: World, elsewhere: World
    ) -> None:
        tenant = await world.tenant()
        account = (await tenant.owner.post("/service-accounts", json={"name": "r", "role": "member"})).json()
        key = await a_key(tenant, Role.OWNER, service_account_id=account["id"])
        here, there = using(world, key), using(elsewhere, key)
        await a_project(here, tenant)
        await a_project(there, tenant)
        path, body = f"/service-accounts/{account['id']}", {"name": f"{tenant.canary} project"}
        assert (await tenant.owner.patch(path, json={"role": "viewer"})).status_code == 200
        assert (await here.post("/projects", json=body)).status_code == 403
        await until(lambda: there.post("/projects", json=body), 403)
        assert (await tenant.owner.delete(path)).status_code == 204
        assert (await here.get("/projects")).status_code == 401
        await until(lambda: there.get("/projects"), 401)

    async def test_its_key_is_limited_too(self, world: World) -> None:
        tenant = await world.tenant()
        _, robot = await a_robot(tenant, "owner", permissions=["projects:read", "projects:create"])
        project = await a_project(robot, tenant)
        assert (await robot.patch(f"/projects/{project['id']}", json={"name": "x"})).status_code == 403
        assert (await robot.get("/members")).status_code == 403
        assert (await robot.get("/items")).status_code == 403 or (await robot.get("/items")).json()["items"] == []


MAKERS = ["person", "limited person", "robot"]


class TestClimbing:
    """Twelve ways up, each tried with an owner's key, an owner's limited key, and a service account's."""

    @pytest.mark.parametrize("maker", MAKERS)
    async def test_no_key_makes_or_changes_what_gives_access_by_key(self, world: World, maker: str) -> None:
        tenant = await world.tenant()
        client = await climber(tenant, maker)
        mine, account = (
            await a_key(tenant, Role.OWNER),
            await tenant.owner.post("/service-accounts", json={"name": "target", "role": "viewer"}),
        )
        target = f"/service-accounts/{account.json()['id']}"
        body = {"name": tenant.canary}
        tries = [
            await client.post("/api-keys", json=body),
            await client.post("/api-keys", json=body | {"permissions": ["projects:read"]}),
            await client.post("/api-keys", json=body | {"role": "owner"}),
            await client.post("/api-keys", json=body | {"service_account_id": account.json()["id"]}),
            await client.delete(f"/api-keys/{mine['id']}"),
            await client.post("/service-accounts", json=body | {"role": "owner"}),
            await client.patch(target, json={"role": "owner"}),
            await client.delete(target),
        ]
        assert {refusal(answer) for answer in tries} == {(403, "keys_need_a_person")}
        listed = (await tenant.owner.get("/service-accounts", params={"filter[role]": "owner"})).json()["items"]
        assert len(listed) == (1 if maker == "robot" else 0)

    @pytest.mark.parametrize("maker", MAKERS)
    async def test_no_key_is_a_person_outside_of_its_tenant(self, world: World, maker: str) -> None:
        tenant = await world.tenant()
        client = await climber(tenant, maker)
        tries = [
            await client.post("/tenants", json={"name": "mine", "slug": f"m-{new_id().hex[-20:]}"}),
            await client.get("/me"),
            await client.get("/me/sessions"),
            await client.post("/auth/switch-tenant", json={"tenant_id": str(tenant.id)}),
        ]
        bearer = {"Authorization": f"Bearer {client.headers['x-api-key']}"}
        tries += [await world.client(bearer).get(path) for path in ("/me", "/tenants", "/platform/tenants")]
        assert {answer.status_code for answer in tries} == {401}

    async def test_a_limited_key_of_an_owner_gives_no_role_beyond_its_limit(self, world: World) -> None:
        tenant = await world.tenant()
        client = using(world, await a_key(tenant, Role.OWNER, permissions=["members:manage", "members:read"]))
        victim = tenant.people[Role.VIEWER]
        for role in ("owner", "manager", "member"):
            answer = await client.patch(f"/members/{victim}", json={"role": role})
            assert refusal(answer) == (403, "role_above_own"), role
        roles = {item["user_id"]: item["role"] for item in (await tenant.owner.get("/members")).json()["items"]}
        assert roles[str(victim)] == "viewer"

    async def test_a_limited_key_of_an_owner_passes_nothing_on_beyond_its_limit(self, world: World) -> None:
        tenant = await world.tenant()
        manages = ["members", "teams", "roles", "grants"]
        scope = [f"{resource}:{verb}" for resource in manages for verb in ("read", "manage")]
        key = await a_key(tenant, Role.OWNER, permissions=[*scope, "projects:read"])
        client, project = using(world, key), await a_project(tenant.owner, tenant)
        owner, member = str(tenant.people[Role.OWNER]), str(tenant.people[Role.MEMBER])
        team = (await tenant.owner.post("/teams", json={"name": f"{tenant.canary} team"})).json()
        role = (await tenant.owner.post("/roles", json={"name": "mine", "permissions": ["projects:read"]})).json()
        tries = {
            "a role that holds more": await client.post(
                "/roles", json={"name": "x", "permissions": ["projects:purge"]}
            ),
            "more for a role": await client.patch(f"/roles/{role['id']}", json={"permissions": ["projects:*"]}),
            "a team that owns": await client.post("/teams", json={"name": "x", "role": "owner"}),
            "owning for a team": await client.patch(f"/teams/{team['id']}", json={"role": "owner"}),
            "an invitation": await client.post("/invitations", json={"email": "x@people.test", "role": "manager"}),
            "a member": await client.patch(f"/members/{member}", json={"role": "manager"}),
            "the last owner": await client.delete(f"/members/{owner}"),
            "a grant to itself": await client.post(
                "/grants",
                json={
                    "resource_type": "project",
                    "subject_type": "api_key",
                    "subject_id": key["id"],
                    "action": "projects:purge",
                    "effect": "allow",
                },
            ),
            "a grant on a record": await client.post(
                f"/projects/{project['id']}/grants",
                json={
                    "subject_type": "user",
                    "subject_id": owner,
                    "action": "projects:update",
                    "effect": "allow",
                },
            ),
            "the record itself": await client.delete(f"/projects/{project['id']}"),
            "the tenant": await client.patch("/tenant", json={"name": "mine"}),
        }
        passed = {name: answer.text for name, answer in tries.items() if answer.status_code != 403}
        assert not passed
        assert (await client.delete(f"/projects/{project['id']}")).status_code == 403

    async def test_a_stale_maker_makes_no_key_above_what_is_left(self, world: World, elsewhere: World) -> None:
        """The other process still remembers an owner; the key it makes is worth what its owner is worth now."""
        tenant = await world.tenant()
        person, token = tenant.people[Role.MEMBER], tenant.tokens[Role.MEMBER]
        await tenant.owner.patch(f"/members/{person}", json={"role": "owner"})
        headers = {"Authorization": f"Bearer {token}", "X-Tenant-Id": str(tenant.id)}
        there = elsewhere.client(headers)
        await until(lambda: there.get("/members"), 200)
        await tenant.owner.patch(f"/members/{person}", json={"role": "viewer"})
        made = await there.post("/api-keys", json={"name": "key", "permissions": ["members:manage"]})
        if made.status_code == 201:
            assert (await using(world, made.json()).get("/members")).status_code == 403
        robot = await there.post("/service-accounts", json={"name": "robot", "role": "owner"})
        assert robot.status_code == 403


async def climber(tenant: TestTenant, maker: str) -> AsyncClient:
    """A client with a key that is as strong as keys get."""
    everything = [
        "api-keys:create", "api-keys:read", "api-keys:delete", "service-accounts:read", "service-accounts:manage",
        "members:read", "members:manage", "projects:*",
    ]  # fmt: skip
    match maker:
        case "robot":
            return (await a_robot(tenant, "owner"))[1]
        case "limited person":
            return using(tenant.world, await a_key(tenant, Role.OWNER, permissions=everything))
        case _:
            return using(tenant.world, await a_key(tenant, Role.OWNER))
