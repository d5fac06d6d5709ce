"""What a user of the extended application sees, as JSON."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import asyncpg
from tests.conftest import suite_settings
from tests.standard.boards import application

from tenantry.app import assembled
from tenantry.database import Placement
from tenantry.database.migrations import drift
from tenantry.proof import scratch_database
from tenantry.testing import World


async def seen() -> dict[str, Any]:
    async with scratch_database(application) as scratch, assembled(application, suite_settings(), scratch.urls) as one:
        tenant = await World(one).tenant()
        made = await tenant.owner.post("/teams", json={"name": tenant.canary, "colour": "red"})
        plain = await tenant.owner.post("/teams", json={"name": "plain"})
        path = f"/teams/{made.json()['id']}"
        changed = await tenant.owner.patch(path, json={"colour": "blue"}, headers={"If-Match": made.headers["etag"]})
        listed = await tenant.owner.get("/teams", params={"filter[colour]": "blue"})
        unchecked = await tenant.owner.patch(path, json={"parent_id": made.json()["id"]})
        called = await tenant.member.patch("/me", json={"phone": "+43 1 4711"})
        refused = await tenant.member.patch("/me", json={"is_active": False})
        user_id = called.json()["id"]
        elsewhere = await tenant.owner.get(f"/users/{user_id}")
        taxed = await tenant.owner.patch("/tenant", json={"vat": "ATU1"})
        not_by_members = await tenant.member.patch("/tenant", json={"vat": "ATU2"})
        read = await tenant.viewer.get("/tenant")
        other = await (await World(one).tenant(side="b")).owner.get("/tenant")
        connection = await asyncpg.connect(scratch.admin_url)
        line = await connection.fetchval("SELECT after FROM control.audit_entries WHERE action = 'teams.updated'")
        masked = await connection.fetchval("SELECT after FROM control.audit_entries WHERE action = 'users.updated'")
        gone = await tenant.member.delete(f"/users/{user_id}")
        kept = await connection.fetchval("SELECT phone FROM control.users WHERE id = $1", uuid.UUID(user_id))
        await connection.close()
        return {
            "made": made.json().get("colour"),
            "plain": plain.json().get("colour", "missing"),
            "changed": changed.json().get("colour"),
            "listed": [item["colour"] for item in listed.json()["items"]],
            "rules": unchecked.json()["code"],
            "line": json.loads(line),
            "vat": [taxed.json().get("vat"), read.json().get("vat"), other.json().get("vat", "missing")],
            "by_members": not_by_members.status_code,
            "phone": called.json().get("phone"),
            "not_ones_own": refused.status_code,
            "to_others": elsewhere.status_code,
            "masked": json.loads(masked),
            "after_removal": [gone.status_code, kept],
            "drift": await drift(scratch.urls, application.chains, [Placement.pool()]),
        }


print(json.dumps(asyncio.run(seen())))  # noqa: T201 - read by the test
