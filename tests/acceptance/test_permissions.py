"""Who may do what: the table of the contract, cell by cell, and the order in which refusals come."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from httpx2 import Response
from tests.acceptance.scenery import things

from tenantry.kernel import new_id
from tenantry.tenancy import AlreadyMember, Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

ROLES = (Role.VIEWER, Role.MEMBER, Role.MANAGER, Role.OWNER)

# In the columns: the status that viewer, member, manager and owner get. `own` and `other` say whose the record is.
TABLE = """
read a project                     GET    /projects/{projects}                  other  200 200 200 200
read a task                        GET    /tasks/{tasks}                        other  200 200 200 200
read a comment                     GET    /comments/{comments}                  other  200 200 200 200
read an item                       GET    /items/{items}                        other  200 200 200 200
list projects                      GET    /projects                             other  200 200 200 200
list the tasks of a project        GET    /projects/{projects}/tasks            other  200 200 200 200
list the comments of a task        GET    /tasks/{tasks}/comments               other  200 200 200 200
list items                         GET    /items                                other  200 200 200 200
read the tenant                    GET    /tenant                               other  200 200 200 200
create a project                   POST   /projects                             other  403 201 201 201
update an own draft                PATCH  /projects/{projects}                  own    403 200 200 200
replace an own draft               PUT    /projects/{projects}                  own    403 200 200 200
update an own submitted project    PATCH  /projects/{projects}?submitted        own    403 403 200 200
replace an own submitted project   PUT    /projects/{projects}?submitted        own    403 403 200 200
update any project                 PATCH  /projects/{projects}                  other  403 403 200 200
replace any project                PUT    /projects/{projects}                  other  403 403 200 200
delete an own project              DELETE /projects/{projects}                  own    403 403 403 204
delete any project                 DELETE /projects/{projects}                  other  403 403 403 204
restore an own project             POST   /projects/{projects}/restore?deleted  own    403 403 403 200
restore any project                POST   /projects/{projects}/restore?deleted  other  403 403 403 200
purge an own project               DELETE /projects/{projects}?hard=true        own    403 403 403 204
transfer an own project            POST   /projects/{projects}/transfer         own    403 403 403 200
transfer any project               POST   /projects/{projects}/transfer         other  403 403 403 200
create a task                      POST   /projects/{projects}/tasks            other  403 201 201 201
update an own task                 PATCH  /tasks/{tasks}                        own    403 200 200 200
update any task                    PATCH  /tasks/{tasks}                        other  403 200 200 200
delete an own task                 DELETE /tasks/{tasks}                        own    403 204 204 204
delete any task                    DELETE /tasks/{tasks}                        other  403 403 204 204
restore an own task                POST   /tasks/{tasks}/restore?deleted        own    403 200 200 200
restore any task                   POST   /tasks/{tasks}/restore?deleted        other  403 403 200 200
purge an own task                  DELETE /tasks/{tasks}?hard=true              own    403 403 403 204
comment                            POST   /tasks/{tasks}/comments               other  403 201 201 201
edit an own comment                PATCH  /comments/{comments}                  own    403 200 200 200
edit any comment                   PATCH  /comments/{comments}                  other  403 403 200 200
delete an own comment              DELETE /comments/{comments}                  own    403 204 204 204
delete any comment                 DELETE /comments/{comments}                  other  403 403 204 204
restore an own comment             POST   /comments/{comments}/restore?deleted  own    403 200 200 200
restore any comment                POST   /comments/{comments}/restore?deleted  other  403 403 200 200
purge an own comment               DELETE /comments/{comments}?hard=true        own    403 403 403 204
create an item                     POST   /items                                other  403 403 201 201
update an item                     PATCH  /items/{items}                        other  403 403 200 200
replace an item                    PUT    /items/{items}                        other  403 403 200 200
delete an item                     DELETE /items/{items}                        other  403 403 403 204
restore an item                    POST   /items/{items}/restore?deleted        other  403 403 403 200
purge an item                      DELETE /items/{items}?hard=true              other  403 403 403 204
read the activity                  GET    /activity                             other  403 403 200 200
read the statistics                GET    /stats                                other  403 403 403 200
change the tenant                  PATCH  /tenant                               other  403 403 403 200
list members                       GET    /members                              other  403 403 403 200
read a member                      GET    /members/{colleague}                  other  403 403 403 200
invite to be a member              POST   /members                              other  403 403 403 202
change a member's role             PATCH  /members/{colleague}                  other  403 403 403 200
remove a member                    DELETE /members/{colleague}                  other  403 403 403 204
list invitations                   GET    /invitations                          other  403 403 403 200
invite                             POST   /invitations                          other  403 403 403 201
take an invitation back            DELETE /invitations/{invitations}            other  403 403 403 204
list teams                         GET    /teams                                other  403 403 403 200
read a team                        GET    /teams/{teams}                        other  403 403 403 200
make a team                        POST   /teams                                other  403 403 403 201
change a team                      PATCH  /teams/{teams}                        other  403 403 403 200
delete a team                      DELETE /teams/{teams}                        other  403 403 403 204
list who is in a team              GET    /teams/{teams}/members                other  403 403 403 200
take somebody into a team          POST   /teams/{teams}/members                other  403 403 403 201
take somebody out of a team        DELETE /teams/{teams}/members/{in_team}      other  403 403 403 204
list roles                         GET    /roles                                other  403 403 403 200
read a role                        GET    /roles/{roles}                        other  403 403 403 200
make a role                        POST   /roles                                other  403 403 403 201
change a role                      PATCH  /roles/{roles}                        other  403 403 403 200
delete a role                      DELETE /roles/{roles}                        other  403 403 403 204
list permissions                   GET    /permissions                          other  200 200 200 200
list service accounts              GET    /service-accounts                     other  403 403 403 200
read a service account             GET    /service-accounts/{service-accounts}  other  403 403 403 200
make a service account             POST   /service-accounts                     other  403 403 403 201
change a service account           PATCH  /service-accounts/{service-accounts}  other  403 403 403 200
delete a service account           DELETE /service-accounts/{service-accounts}  other  403 403 403 204
list API keys                      GET    /api-keys                             other  403 200 200 200
read an API key                    GET    /api-keys/{api-keys}                  other  403 404 404 200
make an API key                    POST   /api-keys                             other  403 201 201 201
delete an API key                  DELETE /api-keys/{api-keys}                  other  403 404 404 204
list the grants on a project       GET    /projects/{projects}/grants           other  403 403 403 200
grant something on any project     POST   /projects/{projects}/grants           other  403 403 403 201
grant something on an own project  POST   /projects/{projects}/grants           own    403 403 403 201
take a grant on a project back     DELETE /projects/{projects}/grants/{projects/grants}  other  403 403 403 204
list the grants on a task          GET    /tasks/{tasks}/grants                 other  403 403 403 200
grant something on a task          POST   /tasks/{tasks}/grants                 other  403 403 403 201
take a grant on a task back        DELETE /tasks/{tasks}/grants/{tasks/grants}  other  403 403 403 204
list the grants on an item         GET    /items/{items}/grants                 other  403 403 403 200
grant something on an item         POST   /items/{items}/grants                 other  403 403 403 201
take a grant on an item back       DELETE /items/{items}/grants/{items/grants}  other  403 403 403 204
list grants on whole resources     GET    /grants                               other  403 403 403 200
read such a grant                  GET    /grants/{grants}                      other  403 403 403 200
grant something on all projects    POST   /grants                               other  403 403 403 201
take such a grant back             DELETE /grants/{grants}                      other  403 403 403 204
explain what one may do            GET    /access/explain?action=projects:read  other  200 200 200 200
explain what somebody else may do  GET    /access/explain?action=projects:read&user_id={members}  other  403 200 403 200
list who may do something          GET    /access/who-can?action=projects:read  other  403 403 403 200
list all tenants                   GET    /platform/tenants                     other  403 403 403 403
found a tenant for the platform    POST   /platform/tenants                     other  403 403 403 403
read any tenant                    GET    /platform/tenants/{tenant}            other  403 403 403 403
change any tenant                  PATCH  /platform/tenants/{tenant}            other  403 403 403 403
suspend a tenant                   POST   /platform/tenants/{tenant}/suspend    other  403 403 403 403
resume a tenant                    POST   /platform/tenants/{tenant}/resume     other  403 403 403 403
read the platform's statistics     GET    /platform/stats                       other  403 403 403 403
"""


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    what: str
    method: str
    path: str
    query: str
    is_own: bool
    statuses: tuple[int, ...]


def _lines() -> list[Line]:
    lines = []
    for text in TABLE.strip().splitlines():
        words = text.split()
        path, _, query = words[-6].partition("?")
        statuses = tuple(int(status) for status in words[-4:])
        lines.append(Line(" ".join(words[:-7]), words[-7], path, query, words[-5] == "own", statuses))
    return lines


LINES = _lines()
CELLS = [(line, role, status) for line in LINES for role, status in zip(ROLES, line.statuses, strict=True)]


@pytest.fixture(scope="module")
async def tenant(world: World) -> TestTenant:
    return await world.tenant(side="table")


@pytest.mark.parametrize(("line", "role", "status"), CELLS, ids=[f"{one.what}-{role}" for one, role, _ in CELLS])
async def test_the_table(line: Line, role: Role, status: int, tenant: TestTenant, admin: asyncpg.Connection) -> None:
    ids = await _prepared(line, role, tenant, admin)
    answer = await _send(line, role, tenant, ids)
    assert answer.status_code == status, answer.text
    if status == 403:
        assert answer.json()["code"] in {"not_permitted", "not_platform_admin"}


async def _prepared(line: Line, role: Role, tenant: TestTenant, admin: asyncpg.Connection) -> dict[str, UUID]:
    """Return ids of new things that belong to the acting person, or to somebody else."""
    ids = await things(tenant)
    someone_else = Role.MEMBER if role is Role.OWNER else Role.OWNER
    belongs_to = tenant.people[role if line.is_own else someone_else]
    for table in ("projects", "tasks", "comments"):
        await admin.execute(f"UPDATE pool.{table} SET owner_id = $1 WHERE id = $2", belongs_to, ids[table])
    [table] = [name for name in ("projects", "tasks", "comments", "items") if f"/{name}/{{" in line.path] or [""]
    if line.query == "submitted":
        await admin.execute("UPDATE pool.projects SET status = 'submitted' WHERE id = $1", ids["projects"])
    if line.query == "deleted":
        await admin.execute(f"UPDATE pool.{table} SET deleted_at = now() WHERE id = $1", ids[table])
    ids |= {"tenant": tenant.id, "in_team": tenant.people[Role.VIEWER]}
    if "colleague" in line.path:
        ids["colleague"] = await _colleague(tenant)
    return ids


async def _colleague(tenant: TestTenant) -> UUID:
    person = await tenant.world.person("colleague")
    with suppress(AlreadyMember):
        await tenant.join(person, Role.VIEWER)
    return person


async def _send(line: Line, role: Role, tenant: TestTenant, ids: dict[str, UUID]) -> Response:
    query = f"?{line.query}" if "=" in line.query else ""
    return await tenant.as_(role).request(
        line.method, (line.path + query).format_map(ids), json=await _body(line, tenant)
    )


async def _body(line: Line, tenant: TestTenant) -> Any:
    if line.method in {"GET", "DELETE"}:
        return None
    collection, last = line.path.split("/")[1], line.path.rpartition("/")[2]
    unique = new_id().hex[-12:]
    if line.method == "POST" and collection == "members":
        return {"email": f"new.{unique}@people.test", "role": "viewer"}
    if line.method == "POST" and last == "members":
        return {"user_id": str(tenant.people[Role.MEMBER])}
    if line.method == "POST" and last == "grants":
        on_all = {"resource_type": "project"} if collection == "grants" else {}
        return _gift("projects" if on_all else collection, tenant) | on_all
    bodies: dict[tuple[str, str], Any] = {
        ("POST", "teams"): {"name": unique},
        ("PATCH", "{teams}"): {"name": unique},
        ("POST", "roles"): {"name": unique},
        ("POST", "api-keys"): {"name": unique},
        ("POST", "service-accounts"): {"name": unique, "role": "viewer"},
        ("PATCH", "{service-accounts}"): {"name": unique},
        ("PATCH", "{roles}"): {"name": unique},
        ("POST", "restore"): None,
        ("POST", "suspend"): None,
        ("POST", "resume"): None,
        ("POST", "transfer"): {"owner_id": str(tenant.people[Role.MANAGER])},
        ("POST", "tasks"): {"title": "New"},
        ("POST", "comments"): {"body": "New"},
        ("POST", "tenants"): {"name": "New", "slug": f"x-{unique}"},
        ("POST", "invitations"): {"email": f"{unique}@invited.test", "role": "viewer"},
        ("POST", "items"): {"name": "Desk", "price_cents": 5},
        ("PUT", "{items}"): {"name": "Desk", "price_cents": 5},
        ("PATCH", "{tasks}"): {"title": "Changed"},
        ("PATCH", "{comments}"): {"body": "Changed"},
        ("PATCH", "{colleague}"): {"role": "member"},
    }
    return bodies.get((line.method, last), {"name": "Changed"})


def _gift(resource: str, tenant: TestTenant) -> dict[str, str]:
    """Return a grant of what everybody may anyway: it changes nothing for the other cells."""
    member = str(tenant.people[Role.MEMBER])
    return {"subject_type": "user", "subject_id": member, "action": f"{resource}:read"}


@pytest.mark.parametrize("role", ROLES)
async def test_what_is_not_there_is_404_before_it_is_403(tenant: TestTenant, role: Role) -> None:
    client, nowhere = tenant.as_(role), new_id()
    for method, path, body in (
        ("PATCH", f"/projects/{nowhere}", {"name": "x"}),
        ("PUT", f"/projects/{nowhere}", {"name": "x"}),
        ("DELETE", f"/projects/{nowhere}", None),
        ("DELETE", f"/projects/{nowhere}?hard=true", None),
        ("POST", f"/projects/{nowhere}/restore", None),
        ("POST", f"/projects/{nowhere}/tasks", {"title": "x"}),
        ("POST", f"/tasks/{nowhere}/comments", {"body": "x"}),
        ("DELETE", f"/items/{nowhere}", None),
    ):
        answer = await client.request(method, path, json=body)
        assert answer.status_code == 404, (method, path, answer.text)


async def test_what_lies_under_something_deleted_is_not_there_for_anybody(tenant: TestTenant) -> None:
    ids = await things(tenant)
    assert (await tenant.owner.delete(f"/projects/{ids['projects']}")).status_code == 204
    for role in ROLES:
        client = tenant.as_(role)
        assert (await client.get(f"/tasks/{ids['tasks']}")).status_code == 404
        assert (await client.patch(f"/comments/{ids['comments']}", json={"body": "x"})).status_code == 404
        assert (await client.post(f"/tasks/{ids['tasks']}/comments", json={"body": "x"})).status_code == 404


class TestThePlatform:
    async def test_its_administrator_may_and_every_call_is_in_the_trail(
        self, world: World, tenant: TestTenant, admin: asyncpg.Connection
    ) -> None:
        person = await world.person("platform-administrator", platform_role="superadmin")
        client = world.client({"Authorization": f"Bearer {await world.token(person)}", "X-Reason": "ticket 17"})
        slug = f"x-{new_id().hex[-12:]}"
        calls = [
            ("GET", "/platform/tenants", None, 200),
            ("POST", "/platform/tenants", {"name": "New", "slug": slug}, 201),
            ("GET", f"/platform/tenants/{tenant.id}", None, 200),
            ("PATCH", f"/platform/tenants/{tenant.id}", {"name": f"CNRY.{slug}"}, 200),
            ("POST", f"/platform/tenants/{tenant.id}/suspend", None, 200),
            ("POST", f"/platform/tenants/{tenant.id}/resume", None, 200),
            ("GET", "/platform/stats", None, 200),
            ("GET", f"/platform/tenants/{new_id()}", None, 404),
        ]
        for method, path, body, status in calls:
            answer = await client.request(method, path, json=body)
            assert answer.status_code == status, answer.text
            request = answer.headers["x-request-id"]
            reasons = await admin.fetch(
                "SELECT after ->> 'reason' AS reason FROM control.audit_entries WHERE request_id = $1", request
            )
            assert "ticket 17" in [row["reason"] for row in reasons], (method, path)

    async def test_its_administrator_is_a_stranger_inside_of_tenants(self, world: World, tenant: TestTenant) -> None:
        person = await world.person("platform-administrator", platform_role="superadmin")
        token = await world.token(person)
        client = world.client({"Authorization": f"Bearer {token}", "X-Tenant-Id": str(tenant.id)})
        for path in ("/projects", "/items", "/members", "/stats", "/tenant"):
            assert (await client.get(path)).status_code == 403


class TestMembers:
    async def test_the_last_owner_can_neither_leave_nor_step_down(self, world: World) -> None:
        tenant = await world.tenant(side="table")
        me = tenant.people[Role.OWNER]
        for answer in (
            await tenant.owner.delete(f"/members/{me}"),
            await tenant.owner.patch(f"/members/{me}", json={"role": "manager"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
        second = tenant.people[Role.MANAGER]
        assert (await tenant.owner.patch(f"/members/{second}", json={"role": "owner"})).status_code == 200
        assert (await tenant.owner.delete(f"/members/{me}")).status_code == 204
        assert (await tenant.owner.get("/projects")).status_code == 403

    async def test_everybody_else_may_leave(self, world: World) -> None:
        tenant = await world.tenant(side="table")
        for role in (Role.VIEWER, Role.MEMBER, Role.MANAGER):
            assert (await tenant.as_(role).delete(f"/members/{tenant.people[role]}")).status_code == 204
            assert (await tenant.as_(role).get("/projects")).status_code == 403

    async def test_a_changed_role_counts_for_the_next_request(self, world: World) -> None:
        tenant = await world.tenant(side="table")
        member = tenant.people[Role.MEMBER]
        assert (await tenant.member.post("/items", json={"name": "x", "price_cents": 1})).status_code == 403
        assert (await tenant.owner.patch(f"/members/{member}", json={"role": "manager"})).status_code == 200
        assert (await tenant.member.post("/items", json={"name": "x", "price_cents": 1})).status_code == 201
        assert (await tenant.owner.patch(f"/members/{member}", json={"role": "viewer"})).status_code == 200
        assert (await tenant.member.post("/projects", json={"name": "x"})).status_code == 403
