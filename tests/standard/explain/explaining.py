"""How the tests of explanations give, make and ask: over HTTP, as people do."""

from __future__ import annotations

from typing import Any

from httpx2 import AsyncClient

from tenantry.tenancy import Role
from tenantry.testing import TestTenant


async def made(client: AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    """Create something; return it."""
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def project_of(client: AsyncClient, tenant: TestTenant) -> str:
    return str((await made(client, "/projects", name=f"{tenant.canary}.project"))["id"])


async def task_of(client: AsyncClient, tenant: TestTenant, project: str) -> str:
    return str((await made(client, f"/projects/{project}/tasks", title=f"{tenant.canary}.task"))["id"])


async def team_of(tenant: TestTenant, name: str, *members: Role, **values: Any) -> str:
    """Make a team with members; return its id."""
    team_id = str((await made(tenant.owner, "/teams", name=name, **values))["id"])
    for role in members:
        await made(tenant.owner, f"/teams/{team_id}/members", user_id=str(tenant.people[role]))
    return team_id


async def given(tenant: TestTenant, where: str, action: str, effect: str, **asked: Any) -> str:
    """Give a grant as the owner, to the member unless somebody else is named; return its id.

    `where` is a record's path, or the singular name of a whole resource.
    """
    body = {"subject_type": "user", "subject_id": str(tenant.people[Role.MEMBER]), "action": action, "effect": effect}
    on_type = not where.startswith("/")
    path = "/grants" if on_type else f"{where}/grants"
    whole = {"resource_type": where} if on_type else {}
    return str((await made(tenant.owner, path, **whole, **(body | asked)))["id"])


async def explained(client: AsyncClient, action: str, **asked: str) -> dict[str, Any]:
    """Ask why, or why not."""
    answer = await client.get("/access/explain", params={"action": action} | asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def of_member(tenant: TestTenant, action: str, record: str | None = None, **asked: str) -> dict[str, Any]:
    """Ask about the member, as the owner."""
    named = {} if record is None else {"resource_id": record}
    return await explained(tenant.owner, action, user_id=str(tenant.people[Role.MEMBER]), **named, **asked)


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]
