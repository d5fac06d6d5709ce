"""A field that one may not read cannot be found out: it is absent wherever it could be asked for.

In Planner the budget of a project is for those who hold `projects:budget`: owner and manager, not member and viewer.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient, Response
from tests.access.scenes import superuser

from tenantry.database import DatabaseUrls
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

FIELD, SECRETS = "budget_cents", (11_000_111, 77_000_777, 33_000_333, 99_000_999)
BLIND = (Role.MEMBER, Role.VIEWER)


@pytest.fixture(scope="module")
async def tenant(world: World) -> TestTenant:
    """A tenant with four projects of the member, whose budgets the manager set, in no order."""
    tenant, _ = await world.two_tenants()
    for number, secret in enumerate(SECRETS):
        answer = await tenant.member.post("/projects", json={"name": f"{tenant.canary}.{number}"})
        assert answer.status_code == 201, answer.text
        project = answer.json()["id"]
        answer = await tenant.manager.patch(f"/projects/{project}", json={FIELD: secret})
        assert (answer.status_code, answer.json()[FIELD]) == (200, secret), answer.text
    return tenant


async def projects_of(client: AsyncClient, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"/projects{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def tells(answer: Response) -> bool:
    """Whether anything of an answer gives a budget away, or that there is such a field in it."""
    everything = answer.text + json.dumps(dict(answer.headers))
    return any(str(secret) in everything for secret in SECRETS) or f'"{FIELD}"' in answer.text


class TestReading:
    async def test_who_may_sees_it_everywhere(self, tenant: TestTenant) -> None:
        for client in (tenant.owner, tenant.manager):
            found = await projects_of(client, f"?sort=-{FIELD}")
            assert [one[FIELD] for one in found] == sorted(SECRETS, reverse=True)
            assert [one[FIELD] for one in await projects_of(client, f"?filter[{FIELD}][gt]=50000000")] != []
            one = (await client.get(f"/projects/{found[0]['id']}")).json()
            assert one[FIELD] == max(SECRETS)

    @pytest.mark.parametrize("role", BLIND)
    async def test_it_is_absent_from_records_and_lists(self, tenant: TestTenant, role: Role) -> None:
        client = tenant.as_(role)
        answer = await client.get("/projects", params={"with_total": "true"})
        assert (answer.status_code, answer.json()["page"]["total"]) == (200, len(SECRETS))
        assert not tells(answer)
        for project in answer.json()["items"]:
            one = await client.get(f"/projects/{project['id']}")
            assert one.status_code == 200
            assert not tells(one)

    @pytest.mark.parametrize("role", BLIND)
    async def test_it_can_be_asked_for_nowhere_and_the_refusal_is_that_of_a_field_that_never_was(
        self, tenant: TestTenant, role: Role
    ) -> None:
        client = tenant.as_(role)
        for query in (
            f"sort={FIELD}",
            f"sort=-{FIELD}",
            f"sort=name,{FIELD}",
            f"fields={FIELD}",
            f"fields=id,name,{FIELD}",
            f"filter[{FIELD}]=1",
            f"filter[{FIELD}][null]=true",
            f"filter[{FIELD}][in]=1,2",
        ):
            refused = await client.get(f"/projects?{query}")
            unknown = await client.get(f"/projects?{query.replace(FIELD, 'shoe_size_cm')}")
            assert refused.status_code == unknown.status_code == 400
            told = [one.json() | {"request_id": ""} for one in (refused, unknown)]
            assert json.loads(json.dumps(told[0]).replace(FIELD, "shoe_size_cm")) == told[1]

    async def test_search_does_not_look_into_it(self, tenant: TestTenant) -> None:
        for secret in SECRETS:
            assert await projects_of(tenant.member, f"?search={secret}") == []

    async def test_a_cursor_of_a_sort_by_it_is_of_no_use_to_others(self, tenant: TestTenant) -> None:
        answer = await tenant.manager.get("/projects", params={"sort": FIELD, "limit": "1"})
        cursor = answer.json()["page"]["next_cursor"]
        for query in ({"cursor": cursor, "sort": FIELD}, {"cursor": cursor}):
            refused = await tenant.member.get("/projects", params=query)
            assert refused.status_code == 400
            assert not tells(refused)


class TestGuessing:
    PROBES = 200

    async def test_two_hundred_probes_learn_nothing(self, tenant: TestTenant) -> None:
        """Each probe is asked as it would be to halve what is unknown; no answer may depend on the value."""
        client, chance = tenant.member, random.Random(5)
        answers = set()
        for probe in self.probes(chance):
            answer = await client.get(f"/projects?{probe}")
            assert answer.status_code == 400, probe
            assert not any(str(secret) in answer.text for secret in SECRETS if str(secret) not in probe)
            answers.add((answer.status_code, answer.json()["code"]))
        assert len(answers) <= 3, answers

    def probes(self, chance: random.Random) -> Iterator[str]:
        for number in range(self.PROBES):
            value = chance.choice(SECRETS) + chance.choice((-1, 0, 1))
            op = chance.choice(("eq", "ne", "lt", "lte", "gt", "gte", "in", "null"))
            sign = chance.choice(("", "-"))
            yield (
                f"filter[{FIELD}][{op}]={'true' if op == 'null' else value}",
                f"filter[{FIELD}]={value}&with_total=true",
                f"sort={sign}{FIELD}&limit=1&skip={number % 4}",
                f"sort=name,{sign}{FIELD}&filter[name]=project-{number}",
                f"fields={FIELD}&filter[{FIELD}][{op}]={value}",
            )[number % 5]

    async def test_the_order_of_what_is_seen_does_not_depend_on_the_value(
        self, tenant: TestTenant, urls: DatabaseUrls, admin_url: str
    ) -> None:
        queries = ("", "?sort=name", "?sort=-created_at", "?sort=due_on", "?with_total=true&limit=2")
        before = [await projects_of(tenant.member, query) for query in queries]
        async with superuser(urls, admin_url) as admin:
            await shuffled(admin, tenant)
            after = [await projects_of(tenant.member, query) for query in queries]
            await shuffled(admin, tenant)
        assert before == after


async def shuffled(admin: asyncpg.Connection, tenant: TestTenant) -> None:
    """Turn the order of the budgets round, as nobody could see."""
    highest = max(SECRETS) + min(SECRETS)
    await admin.execute(
        f"UPDATE pool.projects SET {FIELD} = $2 - {FIELD} WHERE tenant_id = $1 AND {FIELD} IS NOT NULL",
        tenant.id,
        highest,
    )


class TestWriting:
    async def test_naming_it_is_refused_and_nothing_is_written(self, tenant: TestTenant) -> None:
        [project, *_] = await projects_of(tenant.member, "?sort=name")
        address = f"/projects/{project['id']}"
        for method, path, value in (
            ("POST", "/projects", 5),
            ("POST", "/projects", None),
            ("PATCH", address, 5),
            ("PATCH", address, None),
            ("PUT", address, 5),
            ("PUT", address, SECRETS[0]),
        ):
            answer = await tenant.member.request(method, path, json={"name": "changed", FIELD: value})
            assert (answer.status_code, answer.json()["code"]) == (403, "field_not_permitted"), (method, value)
            assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{FIELD}"]
        assert await projects_of(tenant.member, "?filter[name]=changed") == []
        assert (await tenant.manager.get(address)).json()[FIELD] == SECRETS[0]

    async def test_a_put_without_it_keeps_it(self, tenant: TestTenant) -> None:
        [project, *_] = await projects_of(tenant.member, "?sort=name")
        address = f"/projects/{project['id']}"
        answer = await tenant.member.put(address, json={"name": project["name"], "description": "new"})
        assert answer.status_code == 200, answer.text
        assert not tells(answer)
        assert (await tenant.manager.get(address)).json()[FIELD] == SECRETS[0]
        cleared = await tenant.manager.put(address, json={"name": project["name"]})
        assert cleared.json()[FIELD] is None
        await tenant.manager.patch(address, json={FIELD: SECRETS[0]})

    async def test_the_trail_says_that_it_changed_and_not_to_what(
        self, tenant: TestTenant, urls: DatabaseUrls, admin_url: str
    ) -> None:
        async with superuser(urls, admin_url) as admin:
            lines = await admin.fetch(
                "SELECT before::text, after::text FROM pool.audit_entries WHERE tenant_id = $1 AND after ? $2",
                tenant.id,
                FIELD,
            )
            events = await admin.fetch("SELECT data::text FROM shared.outbox WHERE tenant_id = $1", tenant.id)
        assert len(lines) >= len(SECRETS)
        assert events
        written = " ".join(str(tuple(line)) for line in (*lines, *events))
        assert not any(str(secret) in written for secret in SECRETS)


async def test_the_document_requires_it_of_nobody(world: World) -> None:
    schemas = world.app.openapi()["components"]["schemas"]
    naming = {name: schema for name, schema in schemas.items() if FIELD in schema.get("properties", {})}
    assert naming
    for name, schema in naming.items():
        assert FIELD not in schema.get("required", []), name
