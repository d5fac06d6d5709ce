"""Allowed calls of every route of a tenant: each succeeds for whoever may, and shows nothing of another tenant.

What no route may do is proved by `tests/proof`; here is its control. A route that refuses everything would be isolated
as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import asyncpg
from httpx2 import Response
from tests.acceptance.scenery import Scenery, joined, made, things
from tests.acceptance.surface import Ids, Operation, tenant_operations

from tenantry.kernel import new_id
from tenantry.tenancy import Role

SEARCHED = {"members_list": "people.test", "teams_members_list": "people.test", "permissions_list": "teams"}
"""What a list is searched for where its texts do not carry the tenant's canary."""


@dataclass
class Exposure:
    """What must never be shown of another tenant, and what was called."""

    secrets: frozenset[str]
    allowed: set[str] = field(default_factory=set)
    """Ids of the operations that succeeded for somebody who may."""

    @classmethod
    async def of(cls, victim: Scenery, admin: asyncpg.Connection) -> Exposure:
        people = list(victim.tenant.people.values())
        emails = await admin.fetch("SELECT email FROM control.users WHERE id = ANY ($1)", people)
        texts = {victim.canary, victim.tenant.slug, *victim.own_ids, *(row["email"] for row in emails)}
        return cls(frozenset(text.lower() for text in texts))

    def inspect(self, answer: Response) -> None:
        """Fail if an answer shows a secret."""
        shown = f"{answer.text}\n{answer.headers}".lower()
        leaked = [secret for secret in self.secrets if secret in shown]
        assert not leaked, f"{answer.request.method} {answer.request.url} shows {leaked}: {answer.text[:500]}"


async def use_every_route(mine: Scenery, exposure: Exposure) -> None:
    """Call every tenant route as the owner may: each call succeeds, and shows nothing of the victim."""
    for operation in tenant_operations(mine.tenant.world.app):
        answer = await allowed_call(operation, mine)
        exposure.inspect(answer)
        exposure.allowed.add(operation.id)
        if operation.is_list:
            await _finds_own(operation, mine, exposure)


async def allowed_call(operation: Operation, mine: Scenery) -> Response:
    """Call one operation as the owner, with things made for it."""
    ids = await prepared(operation, mine)
    answer = await operation.send(mine.tenant.owner, ids, mark=mine.canary)
    assert answer.is_success, f"{operation.id}: {answer.status_code} {answer.text[:500]}"
    return answer


async def prepared(operation: Operation, mine: Scenery) -> Ids:
    """Return ids of new things, in the state that the operation asks for."""
    if not operation.writes:
        return mine.ids
    ids = await things(mine.tenant)
    if "members" in operation.path_collections:
        ids["members"] = await joined(mine.tenant, f"leaving.{new_id().hex[-8:]}")
    if operation.path_collections == ("teams", "members"):
        body = {"user_id": str(ids["members"])}
        await made(mine.tenant, f"/teams/{ids['teams']}/members", body)
    if operation.path.endswith("/take-over"):
        other = await joined(mine.tenant, f"sponsor.{new_id().hex[-8:]}", Role.OWNER)
        headers = {
            "Authorization": f"Bearer {await mine.tenant.world.token(other)}",
            "X-Tenant-Id": str(mine.tenant.id),
        }
        path = f"/service-accounts/{ids['service-accounts']}/take-over"
        assert (await mine.tenant.world.client(headers).post(path)).is_success
    if operation.path.endswith("/restore"):
        [collection] = operation.path_collections
        gone = await mine.tenant.owner.delete(f"/{collection}/{ids[collection]}")
        assert gone.status_code == 204, gone.text
    return ids


async def _finds_own(operation: Operation, mine: Scenery, exposure: Exposure) -> None:
    """Each way of selecting that found nothing foreign finds what is one's own."""
    for name, schema in operation.query.items():
        field_name = name.removeprefix("filter[").partition("]")[0]
        if name == f"filter[{field_name}]" and schema.get("format") == "uuid":
            # Some are owned by the owner, some assigned to the member: one of the two is found.
            values = [str(mine.ids[field_name]), str(mine.tenant.people[Role.OWNER])]
        elif name == "search":
            values = [SEARCHED.get(operation.id, mine.canary)]
        else:
            continue
        found = []
        for value in values:
            answer = await operation.send(mine.tenant.owner, mine.ids, params={name: value, "with_total": "true"})
            assert answer.status_code == 200, answer.text
            exposure.inspect(answer)
            found += answer.json()["items"]
        assert found, f"{operation.id}: {name} finds nothing of one's own"
