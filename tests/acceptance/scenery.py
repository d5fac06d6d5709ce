"""A tenant with something of everything, every text of it marked with the tenant's canary."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

import asyncpg

from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant

Checksums = dict[str, tuple[int, int]]


@dataclass
class Scenery:
    """The tenant and the ids of what is in it, by collection; `deleted` are those that were soft-deleted."""

    tenant: TestTenant
    ids: dict[str, uuid.UUID]
    deleted: dict[str, uuid.UUID] = field(default_factory=dict)

    @property
    def canary(self) -> str:
        return self.tenant.canary

    @property
    def own_ids(self) -> set[str]:
        """Every id that says something about this tenant when somebody else reads it."""
        return {str(self.tenant.id), *map(str, self.ids.values()), *map(str, self.deleted.values())}


async def furnish(tenant: TestTenant) -> Scenery:
    """Fill a tenant: live rows, and soft-deleted ones beside them."""
    live = await things(tenant)
    await made(tenant, "/api-keys", {"name": f"{tenant.canary}.own key"})  # once: nobody has more than fifty
    deleted = await things(tenant)
    # From the leaf up: what lies under something deleted cannot be deleted itself any more.
    for collection in ("comments", "tasks", "projects", "items"):
        answer = await tenant.owner.delete(f"/{collection}/{deleted[collection]}")
        assert answer.status_code == 204, answer.text
    return Scenery(tenant, live, {name: deleted[name] for name in ("comments", "tasks", "projects", "items")})


async def things(tenant: TestTenant) -> dict[str, uuid.UUID]:
    """Make one of everything as the owner, and return the ids by what names them in paths and bodies."""
    mark, owner = tenant.canary, tenant.owner
    member = tenant.people[Role.MEMBER]
    project = await made(tenant, "/projects", {"name": f"{mark}.project", "description": f"<p>{mark}</p>"})
    body = {"title": f"{mark}.task", "description": mark, "assignee_id": str(member), "status": "doing"}
    task = await made(tenant, f"/projects/{project}/tasks", body)
    comment = await made(tenant, f"/tasks/{task}/comments", {"body": f"{mark}.comment"})
    item = await made(tenant, "/items", {"name": f"{mark}.item", "description": mark, "price_cents": 995})
    invited = {"email": f"{mark}.{new_id().hex}@invited.test", "role": "viewer"}
    invitation = await owner.post("/invitations", json=invited)
    assert invitation.status_code == 201, invitation.text
    made_for_access = await groups(tenant) | await robots(tenant)
    role = made_for_access["roles"]
    return {
        **made_for_access,
        **await grants(tenant, role, {"projects": project, "tasks": task, "items": item}),
        "projects": project,
        "tasks": task,
        "comments": comment,
        "items": item,
        "invitations": uuid.UUID(invitation.json()["id"]),
        "members": member,
        "project_id": project,
        "task_id": task,
        "assignee_id": member,
        "owner_id": member,
        "sponsor_id": tenant.people[Role.OWNER],
        "user_id": member,
        "after": member,
        "actor_id": tenant.people[Role.OWNER],
        "resource_id": project,
    }


async def groups(tenant: TestTenant) -> dict[str, uuid.UUID]:
    """Make a role, and a team in another one with the viewer in it."""
    mark = f"{tenant.canary}.{new_id().hex[-8:]}"
    role = {"name": f"{mark}.role", "description": mark, "permissions": ["projects:read"]}
    parent = await made(tenant, "/teams", {"name": f"{mark}.parent"})
    team = await made(tenant, "/teams", {"name": f"{mark}.team", "parent_id": str(parent)})
    await made(tenant, f"/teams/{team}/members", {"user_id": str(tenant.people[Role.VIEWER])})
    return {"roles": await made(tenant, "/roles", role), "teams": team, "parent_id": parent}


async def robots(tenant: TestTenant) -> dict[str, uuid.UUID]:
    """Make a service account and a key of it."""
    mark = f"{tenant.canary}.{new_id().hex[-8:]}"
    account = await made(tenant, "/service-accounts", {"name": f"{mark}.robot", "role": "viewer"})
    key = await made(tenant, "/api-keys", {"name": f"{mark}.key", "service_account_id": str(account)})
    return {"service-accounts": account, "service_account_id": account, "api-keys": key, "api_key_id": key}


async def grants(tenant: TestTenant, role: uuid.UUID, on: dict[str, uuid.UUID]) -> dict[str, uuid.UUID]:
    """Grant a role that nobody has to read each of some records, and every project: it changes nothing for anybody."""
    given = {}
    for collection, record in on.items():
        body = {"subject_type": "role", "subject_id": str(role), "action": f"{collection}:read"}
        given[f"{collection}/grants"] = await made(tenant, f"/{collection}/{record}/grants", body)
    body = {"subject_type": "role", "subject_id": str(role), "action": "projects:read", "resource_type": "project"}
    return given | {"grants": await made(tenant, "/grants", body), "subject_id": role}


async def made(tenant: TestTenant, path: str, body: dict[str, object]) -> uuid.UUID:
    """Create a record as the owner; return its id."""
    answer = await tenant.owner.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return uuid.UUID(answer.json()["id"])


async def joined(tenant: TestTenant, name: str, role: Role = Role.VIEWER) -> uuid.UUID:
    """Return a person who is a member of the tenant besides the four."""
    person = await tenant.world.person(name)
    await tenant.world.assembly.services.members.add(tenant.system, person, role)
    return person


async def checksums(admin: asyncpg.Connection, tenant_id: uuid.UUID) -> Checksums:
    """Return count and digest of the tenant's rows in every table of every plane, read past row security."""
    tables = await admin.fetch(
        "SELECT n.nspname, c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND NOT a.attisdropped AND "
        "(n.nspname IN ('pool', 'shared', 'control') OR n.nspname = $1) AND "
        "(a.attname = 'tenant_id' OR (a.attname = 'id' AND c.relname = 'tenants'))",
        f"t_{tenant_id.hex}",
    )
    sums: Checksums = {}
    for schema, table, column in tables:
        row = await admin.fetchrow(
            f'SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM "{schema}"."{table}" t '
            f"WHERE {column} = $1",
            tenant_id,
        )
        sums[f"{schema}.{table}"] = (int(row[0]), int(row[1]))
    return sums
