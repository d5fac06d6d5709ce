"""One allowed call of every operation that acts in no tenant: signing in and up, oneself, the platform."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from httpx2 import AsyncClient, Response
from tests.acceptance.conftest import Watched
from tests.acceptance.surface import Operation, operations_of

from tenantry.access import AccessContext
from tenantry.identity import SUPERADMIN
from tenantry.kernel import new_id
from tenantry.tenancy import Role

PASSWORD = "a password for the walk"
NEW_PASSWORD = "another password for the walk"

_TOKEN = re.compile(r"^\s+(\S+)$", re.MULTILINE)


class Walk:
    """Calls operations by their ids and remembers which."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._operations = {one.id: one for one in operations_of(watched.world.app)}
        self.used: set[str] = set()

    async def call(self, name: str, client: AsyncClient, status: int, **given: Any) -> Response:
        operation: Operation = self._operations[name]
        path = given.pop("path", operation.path.removeprefix("/api/v1"))
        answer = await client.request(operation.method, path, **given)
        assert answer.status_code == status, f"{name}: {answer.status_code} {answer.text[:500]}"
        self.used.add(name)
        return answer

    async def mailed(self, to: str, subject: str) -> str:
        """Return the token of the mail to an address; mail is sent behind the back of the answer."""
        assembly = self._watched.world.assembly
        await assembly.runtime.courier.close()  # waits for what is on its way, and ends nothing
        found = [mail for mail in self._watched.mails if (mail.to, mail.subject) == (to, subject)]
        token = _TOKEN.search(found[-1].text)
        assert token is not None, found[-1].text
        return token[1]


async def use_the_rest(watched: Watched) -> set[str]:
    """Call every operation that acts in no tenant, with success; return their ids."""
    walk = Walk(watched)
    email = f"walker.{new_id().hex}@people.test"
    await _sign_up(walk, watched.world.client(), email)
    await _oneself(walk, watched, email)
    await _platform(walk, watched)
    return walk.used


async def _sign_up(walk: Walk, anybody: AsyncClient, email: str) -> None:
    body = {"email": email, "password": PASSWORD, "name": "Walker"}
    await walk.call("auth_register", anybody, 201, json=body)
    await walk.call(
        "auth_verify_email", anybody, 204, json={"token": await walk.mailed(email, "Confirm your e-mail address")}
    )
    await walk.call("auth_jwks", anybody, 200)
    await walk.call("auth_password_reset", anybody, 202, json={"email": email})
    reset = {"token": await walk.mailed(email, "Choose a new password"), "password": NEW_PASSWORD}
    await walk.call("auth_password_reset_confirm", anybody, 204, json=reset)


async def _oneself(walk: Walk, watched: Watched, email: str) -> None:
    anybody = watched.world.client()
    form = {"username": email, "password": NEW_PASSWORD, "grant_type": "password"}
    await walk.call("auth_token", anybody, 200, data=form)
    pair = (await walk.call("auth_login", anybody, 200, json={"email": email, "password": NEW_PASSWORD})).json()
    pair = (await walk.call("auth_refresh", anybody, 200, json={"refresh_token": pair["refresh_token"]})).json()
    own = _with_token(watched, pair)
    await walk.call("tenants_create", own, 201, json={"name": "Walkers", "slug": f"w-{new_id().hex[-20:]}"})
    [tenant] = (await walk.call("tenants_list", own, 200)).json()["items"]
    assert (await walk.call("me_tenants_list", own, 200)).json()["items"] == [tenant]
    me = (await walk.call("me_read", own, 200)).json()
    await walk.call("me_update", own, 200, json={"name": "Walker the Second"})
    await walk.call("users_read", own, 200, path=f"/users/{me['id']}")
    await walk.call("users_update", own, 200, path=f"/users/{me['id']}", json={"name": "Walker the Third"})
    await _accept_invitation(walk, watched, own, email)
    sessions = (await walk.call("me_sessions_list", own, 200)).json()["items"]
    other = next(session["id"] for session in sessions if not session["is_current"])
    await walk.call("me_sessions_delete", own, 204, path=f"/me/sessions/{other}")
    derived = (await walk.call("auth_switch_tenant", own, 200, json={"tenant_id": tenant["id"]})).json()
    await walk.call("auth_logout", anybody, 204, json={"refresh_token": derived["refresh_token"]})
    again = (await anybody.post("/auth/login", json={"email": email, "password": NEW_PASSWORD})).json()
    heir = await watched.world.person("heir")  # a tenant keeps an owner, so that its founder can be deleted
    assembly = watched.world.assembly
    system = AccessContext.system(await assembly.resolver.named(UUID(tenant["id"])), assembly.runtime)
    await assembly.services.members.add(system, heir, Role.OWNER)
    await walk.call("users_delete", _with_token(watched, again), 204, path=f"/users/{me['id']}")


async def _accept_invitation(walk: Walk, watched: Watched, own: AsyncClient, email: str) -> None:
    host = await watched.world.tenant(side="host")
    # Adding by address would make a member at once: the address is verified. An invitation is asked for.
    invited = await host.owner.post("/invitations", json={"email": email, "role": "member"})
    assert invited.status_code == 201, invited.text
    await walk.call("invitations_accept", own, 200, json={"token": await walk.mailed(email, "You are invited")})


async def _platform(walk: Walk, watched: Watched) -> None:
    admin_id = await watched.world.person("platform-administrator", platform_role=SUPERADMIN)
    admin = watched.world.client({"Authorization": f"Bearer {await watched.world.token(admin_id)}"})
    body = {"name": "By the platform", "slug": f"p-{new_id().hex[-20:]}"}
    made = (await walk.call("platform_tenants_create", admin, 201, json=body)).json()
    path = f"/platform/tenants/{made['id']}"
    await walk.call("platform_tenants_list", admin, 200)
    await walk.call("platform_tenants_read", admin, 200, path=path)
    await walk.call("platform_tenants_update", admin, 200, path=path, json={"name": "Renamed"})
    await walk.call("platform_tenants_suspend", admin, 200, path=f"{path}/suspend")
    await walk.call("platform_tenants_resume", admin, 200, path=f"{path}/resume")
    await walk.call("platform_stats", admin, 200)
    await walk.call("platform_tenants_update", admin, 200, path=path, json={"slug": f"q-{new_id().hex[-20:]}"})
    await walk.call("platform_slugs_list", admin, 200)
    await walk.call("platform_slugs_release", admin, 204, path=f"/platform/slugs/{body['slug']}")


def _with_token(watched: Watched, pair: dict[str, Any]) -> AsyncClient:
    return watched.world.client({"Authorization": f"Bearer {pair['access_token']}"})
