"""HEAD is GET without a body, and a precondition of a write is honoured, never passed over (RFC 9110 §9.3.2, §13)."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import Response

from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

STALE, ABSENT = {"If-Match": '"99"'}, {"If-None-Match": "*"}


@pytest.fixture(scope="module")
async def tenant(world: World) -> TestTenant:
    return await world.tenant()


@pytest.fixture(scope="module")
async def made(tenant: TestTenant) -> dict[str, str]:
    """The path of one thing of every kind."""
    text, owner = tenant.canary, tenant.owner
    bodies: dict[str, dict[str, Any]] = {
        "/items": {"name": text, "price_cents": 1},
        "/projects": {"name": text},
        "/teams": {"name": text},
        "/roles": {"name": text[:40], "permissions": []},
        "/service-accounts": {"name": text, "role": "viewer"},
        "/api-keys": {"name": text},
        "/invitations": {"email": f"{tenant.slug}@people.test", "role": "viewer"},
        "/grants": {
            "resource_type": "project",
            "subject_type": "role",
            "subject_id": "viewer",
            "action": "projects:update",
        },
    }
    paths = {}
    for path, body in bodies.items():
        answer = await owner.post(path, json=body)
        assert answer.status_code == 201, answer.text
        paths[path] = f"{path}/{answer.json()['id']}"
    paths["/members"] = f"/members/{tenant.people[Role.VIEWER]}"
    grant = {"subject_type": "role", "subject_id": "viewer", "action": "projects:read"}
    given = await owner.post(f"{paths['/projects']}/grants", json=grant)
    paths["grant"] = f"{paths['/projects']}/grants/{given.json()['id']}"
    return paths


def refusal(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_head_tells_what_get_tells(tenant: TestTenant, made: dict[str, str]) -> None:
    lists = ["/items", "/projects", "/members", "/teams", "/roles", "/activity", "/permissions", "/tenant", "/me"]
    for path in (*lists, made["/items"], made["/projects"], made["/teams"], made["/members"]):
        got, head = await tenant.owner.get(path), await tenant.owner.head(path)
        told = ("etag", "content-type", "content-length")
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert [head.headers.get(name) for name in told] == [got.headers.get(name) for name in told], path
    assert (await tenant.owner.head(f"/items/{new_id()}")).status_code == 404
    assert (await tenant.world.client().head("/items")).status_code == 401


async def test_a_read_that_is_still_known_is_304_by_head_too(tenant: TestTenant, made: dict[str, str]) -> None:
    tag = (await tenant.owner.get(made["/items"])).headers["etag"]
    assert (await tenant.owner.head(made["/items"], headers={"If-None-Match": tag})).status_code == 304


@pytest.mark.parametrize("headers", [STALE, ABSENT], ids=["If-Match: stale", "If-None-Match: *"])
async def test_every_write_to_a_record_refuses_a_precondition_that_fails(
    tenant: TestTenant, made: dict[str, str], headers: dict[str, str]
) -> None:
    changes: dict[str, dict[str, Any]] = {
        "/items": {"price_cents": 2},
        "/projects": {"name": "x"},
        "/teams": {"name": "x"},
        "/roles": {"description": "x"},
        "/service-accounts": {"name": "x"},
        "/members": {"role": "member"},
    }
    answers = {
        f"PATCH {kind}": await tenant.owner.patch(made[kind], json=body, headers=headers)
        for kind, body in changes.items()
    }
    answers["PUT /items"] = await tenant.owner.put(
        made["/items"], json={"name": "x", "price_cents": 2}, headers=headers
    )
    answers["PATCH /tenant"] = await tenant.owner.patch("/tenant", json={"name": "x"}, headers=headers)
    answers["PATCH /me"] = await tenant.owner.patch("/me", json={"name": "x"}, headers=headers)
    owner = {"owner_id": str(tenant.people[Role.MEMBER])}
    answers["transfer"] = await tenant.owner.post(f"{made['/projects']}/transfer", json=owner, headers=headers)
    answers["take over"] = await tenant.owner.post(f"{made['/service-accounts']}/take-over", headers=headers)
    for kind, path in made.items():
        answers[f"DELETE {kind}"] = await tenant.owner.delete(path, headers=headers)
    assert {name: refusal(answer) for name, answer in answers.items()} == dict.fromkeys(answers, (412, "stale_version"))


async def test_one_tag_of_a_list_is_enough(tenant: TestTenant, made: dict[str, str]) -> None:
    tag = (await tenant.owner.get(made["/items"])).headers["etag"]
    answer = await tenant.owner.patch(made["/items"], json={"price_cents": 3}, headers={"If-Match": f'"99", {tag}'})
    assert answer.status_code == 200
    stale = await tenant.owner.patch(made["/items"], json={"price_cents": 4}, headers={"If-Match": f'"99", {tag}'})
    assert refusal(stale) == (412, "stale_version")


async def test_a_star_matches_whatever_exists(tenant: TestTenant, made: dict[str, str]) -> None:
    for kind, body in {"/items": {"price_cents": 5}, "/teams": {"name": f"{tenant.canary} b"}}.items():
        assert (await tenant.owner.patch(made[kind], json=body, headers={"If-Match": "*"})).status_code == 200


async def test_a_write_names_what_it_cannot_honour(tenant: TestTenant, made: dict[str, str]) -> None:
    answer = await tenant.owner.patch(made["/items"], json={"price_cents": 6}, headers={"If-None-Match": '"1"'})
    assert refusal(answer) == (400, "invalid_header")
    assert answer.json()["errors"][0]["pointer"] == "header:If-None-Match"


async def test_a_refusal_comes_before_the_precondition(tenant: TestTenant, made: dict[str, str]) -> None:
    assert (await tenant.viewer.patch(made["/items"], json={"price_cents": 6}, headers=STALE)).status_code == 403
    assert (await tenant.owner.patch(f"/items/{new_id()}", json={"price_cents": 6}, headers=STALE)).status_code == 404
