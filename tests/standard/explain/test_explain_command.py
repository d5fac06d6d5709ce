"""`tenantry access explain|who-can`: what the routes say, for operators."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from tests.conftest import suite_settings
from tests.standard.explain.explaining import explained, given, made, project_of

from tenantry.database import DatabaseRole, DatabaseUrls
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

INVALID, NOT_FOUND = 6, 4


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


class Command:
    """`tenantry access`, as a process of its own on the database of the suite."""

    def __init__(self, urls: DatabaseUrls) -> None:
        names = {role: f"TENANTRY_DATABASE_{role.name}_URL" for role in DatabaseRole if urls.has(role)}
        names[DatabaseRole.APP] = "TENANTRY_DATABASE_URL"
        self._environ = {name: urls.of(role) for role, name in names.items()} | {
            "TENANTRY_ENVIRONMENT": "test",
            "TENANTRY_IDENTITY_SECRET": suite_settings().identity.secret.get_secret_value(),
        }

    async def __call__(self, *arguments: str) -> Ended:
        script = [sys.executable, "-c", "from tenantry.cli import main; main()", "access", *arguments]
        done = await asyncio.to_thread(
            subprocess.run, script, env=self._environ, capture_output=True, text=True, check=False, timeout=60
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    async def json(self, *arguments: str) -> Any:
        ended = await self(*arguments, "--json")
        assert ended.code == 0, ended.err
        return json.loads(ended.out)


@pytest.fixture
async def command(urls: DatabaseUrls) -> Command:
    return Command(urls)


async def address(tenant: TestTenant, role: Role) -> str:
    return str((await tenant.owner.get(f"/members/{tenant.people[role]}")).json()["email"])


async def test_explain_says_what_the_route_says(world: World, command: Command):
    tenant = await world.tenant()
    project = await project_of(tenant.owner, tenant)
    grant = await given(tenant, f"/projects/{project}", "projects:update", "deny")
    email = await address(tenant, Role.MEMBER)
    told = await command.json(
        "explain", "projects:update", "--tenant", tenant.slug, "--user", email, "--record", project
    )
    user = str(tenant.people[Role.MEMBER])
    assert told == await explained(tenant.owner, "projects:update", resource_id=project, user_id=user)
    ended = await command("explain", "projects:update", "--tenant", str(tenant.id), "--user", user, "--record", project)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0] == f"Denied: member-a may not projects:update on this project (grant {grant})."
    assert any(line.split()[:2] == ["decided", "by"] and line.split()[2] == "deny_grant" for line in lines)
    assert any(line.split()[:4] == ["4", "deny_grant", "denies", "holds"] for line in lines)


async def test_who_can_lists_those_who_may(world: World, command: Command):
    tenant = await world.tenant()
    project = await project_of(tenant.member, tenant)
    asked = ("who-can", "projects:update", "--tenant", tenant.slug, "--record", project)
    route = await tenant.owner.get(f"/access/who-can?action=projects:update&resource_id={project}")
    assert await command.json(*asked) == route.json()
    ended = await command(*asked, "--limit", "2")
    rows = [line.split() for line in ended.out.splitlines()]
    assert [row[:4] for row in rows[1:3]] == [
        ["manager-a", "user", "role", "manager"],
        ["member-a", "user", "ownership", "member"],
    ]
    assert rows[3][:4] == ["There", "are", "more:", "--after"]
    rest = await command.json(*asked, "--after", rows[3][4])
    assert [one["name"] for one in rest["subjects"]] == ["owner-a"]


async def test_a_record_above_is_named_with_its_type(world: World, command: Command):
    tenant = await world.tenant()
    project = await project_of(tenant.owner, tenant)
    account = await made(tenant.owner, "/service-accounts", name="Robot", role="member")
    told = await command.json(
        "explain", "tasks:create", "--tenant", tenant.slug, "--service-account", account["id"],
        "--type", "project", "--record", project,
    )  # fmt: skip
    assert (told["allowed"], told["decided_by"], told["resource_type"]) == (True, "role", "project")


async def test_what_makes_no_sense_is_told_by_the_exit_code(world: World, command: Command):
    tenant = await world.tenant()
    user = str(tenant.people[Role.MEMBER])
    for arguments, code in (
        (("explain", "projects:read", "--tenant", "no-such-tenant", "--user", user), NOT_FOUND),
        (("explain", "projects:read", "--tenant", tenant.slug, "--user", "x@y.test"), NOT_FOUND),
        (("explain", "projects:read", "--tenant", tenant.slug, "--user", str(uuid4())), NOT_FOUND),
        (("explain", "projects:read", "--tenant", tenant.slug, "--user", user, "--record", str(uuid4())), NOT_FOUND),
        (("explain", "projects:read", "--tenant", tenant.slug, "--user", user, "--record", "1"), INVALID),
        (("explain", "projects:read", "--tenant", tenant.slug), INVALID),
        (("who-can", "projects:paint", "--tenant", tenant.slug), INVALID),
    ):
        ended = await command(*arguments)
        assert ended.code == code, (arguments, ended)
        assert "Traceback" not in ended.err
        assert ended.err.strip()
