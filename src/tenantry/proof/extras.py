"""Callers of more than a role: keys, grants that allow, deny or have expired, and keys that outlived a membership.

Each is made through the routes of the application, and only where it has them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from tenantry.kernel import SystemClock
from tenantry.proof.bodies import PEOPLE, Bodies, Choice
from tenantry.proof.calling import AppClient, AppRequest
from tenantry.proof.judging import Judge
from tenantry.proof.people import Persona, TenantSide
from tenantry.proof.probes import Probe, Values
from tenantry.proof.seeding import State, TenantFixture
from tenantry.proof.verdicts import Breach, shown
from tenantry.tenancy import Role
from tenantry.testing import ApiOperation

KEYS = "/api-keys"
ROLES = "/roles"
TYPE_GRANTS = "/grants"
BRIEF = 2.0
"""Seconds that the grant holds which is to expire."""
_SECRETS = ("secret", "key", "token")


@dataclass(frozen=True)
class Granting:
    """A resource whose records can be granted: the name of its collection and of its permissions."""

    collection: str
    resource: str
    giving: ApiOperation
    changing: ApiOperation | None
    is_child: bool
    """Whether its records are visible only with a record above them, which a grant on one does not give."""


@dataclass(frozen=True)
class Guest:
    """Somebody whose role gives nothing: one record is granted for reading, another one was until a moment ago."""

    caller: Persona
    granting: Granting
    granted: UUID
    expired: UUID


@dataclass
class Extras:
    """Makes the callers, and holds what was promised to them; `promises` checks it."""

    client: AppClient
    judge: Judge
    bodies: Bodies
    operations: list[ApiOperation]
    mine: TenantFixture
    theirs: TenantFixture
    denied: dict[str, dict[str, UUID]] = field(default_factory=dict)
    """By caller and collection, the record that a grant denies."""
    allowed: list[tuple[Persona, Granting, bool]] = field(default_factory=list)
    """Viewers with a grant to change a record; whether it still holds."""
    guests: list[Guest] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)
    _expires: float = 0.0

    async def prepare(self) -> list[Persona]:
        """Add callers to the own side; return those who belonged to the other tenant."""
        member = self.mine.side.callers["member"]
        await self._add(await self._key_of(member, "API key of a member"))
        await self._add(await self._key_of(self.mine.side.owner, "API key of the owner"))
        await self._add(await self._reading_key())
        for granting in self.grantings():
            await self._deny(granting)
            await self._allow(granting, expires=False)
            await self._allow(granting, expires=True)
            await self._invite_guest(granting)
        await self._allow_type()
        former = await self._former_key(self.theirs.side)
        await asyncio.sleep(max(0.0, self._expires - asyncio.get_running_loop().time()))
        return [former] if former is not None else []

    def probes(self, operation: ApiOperation, caller: Persona) -> Iterator[Probe]:
        """Yield what a grant hides from a caller, in the path: it must be as if it were nothing."""
        hidden = self.denied.get(caller.name, {})
        if len(operation.slots) != 1 or operation.slots[0].collection not in hidden:
            return
        filling = self.mine.filling
        params, body = self.bodies.params(operation, filling), self.bodies.body(operation, filling)

        def build(values: Values) -> AppRequest:
            return AppRequest(operation.method, operation.address(values), params, caller.headers, body)

        value = str(hidden[operation.slots[0].collection])
        yield Probe(operation, caller.name, "denied by a grant", "path", build, (value,), is_foreign=False)

    async def _add(self, caller: Persona | None) -> None:
        if caller is not None:
            self.mine.side.callers[caller.name] = caller

    async def _key_of(self, holder: Persona, name: str, permissions: list[str] | None = None) -> Persona | None:
        """Return who acts by a new key of the holder; None where there are no keys."""
        making = self.find("POST", KEYS)
        if making is None or making.body_schema is None:
            return None
        required = set(making.body_schema.get("required", ()))
        optional = frozenset(one for one in making.body_schema.get("properties", {}) if one not in required)
        body = self.bodies.body(making, self.mine.filling, Choice(optional))
        if permissions is not None:
            body |= {"permissions": permissions}
        told = (await self.client.call(AppRequest("POST", making.path, {}, holder.headers, body))).json()
        secret = next((told[one] for one in _SECRETS if one in told), None) if isinstance(told, dict) else None
        if secret is None:
            return None
        self.credentials.append(secret)
        return Persona(name, holder.user_id, {"Authorization": f"Bearer {secret}"}, holder.tenant)

    async def _reading_key(self) -> Persona | None:
        resources = [one.name for one in self.bodies.vocabulary.resources]
        readable = [f"{name}:read" for name in resources if f"{name}:read" in self.bodies.vocabulary.permissions]
        key = await self._key_of(self.mine.side.owner, "API key for reading", readable)
        return replace(key, may_write=False, attacks=False) if key is not None else None

    async def _former_key(self, side: TenantSide) -> Persona | None:
        """Return who acts by a key that was made by a member and worked, before the member left."""
        person = await side.join("member who leaves", Role.MEMBER)
        key = await self._key_of(person, "old key of a former member")
        if key is None:
            return None
        works = self.find("GET", "/tenant")
        if works is None or not (await self.client.call(AppRequest("GET", works.path, {}, key.headers))).is_success:
            return None
        await side.leave(person)
        return replace(key, tenant={})

    async def _deny(self, granting: Granting) -> None:
        record = self.mine.get(granting.collection, State.OTHERS)
        if record is None:
            return
        caller = await self.mine.side.join(f"member denied one of {granting.resource}", Role.MEMBER)
        if await self._give(granting, record.id, caller, {"action": f"{granting.resource}:read", "effect": "deny"}):
            await self._add(replace(caller, attacks=False))
            self.denied[caller.name] = {granting.collection: record.id}

    async def _allow(self, granting: Granting, *, expires: bool) -> None:
        record = self.mine.get(granting.collection)
        if record is None:
            return
        name = f"viewer {'once ' if expires else ''}granted one of {granting.resource}"
        caller = await self.mine.side.join(name, Role.VIEWER)
        body = {"action": f"{granting.resource}:update", "effect": "allow"}
        if expires:
            body["expires_at"] = self._soon()
        if await self._give(granting, record.id, caller, body):
            self.allowed.append((caller, granting, not expires))

    async def _invite_guest(self, granting: Granting) -> None:
        """Make a role that gives nothing, and somebody who holds it with two grants, one of which expires."""
        making, assigning = self.find("POST", ROLES), self.find("PATCH", f"{PEOPLE}/{{}}")
        own, others = self.mine.get(granting.collection), self.mine.get(granting.collection, State.OTHERS)
        if making is None or assigning is None or own is None or others is None or granting.is_child:
            return
        caller = await self.mine.side.join(f"guest granted one of {granting.resource}", Role.VIEWER)
        name, owner = f"guest of {granting.resource}", self.mine.side.owner.headers
        await self.client.call(AppRequest("POST", making.path, {}, owner, {"name": name, "permissions": []}))
        path = assigning.address([str(caller.user_id)])
        if not (await self.client.call(AppRequest("PATCH", path, {}, owner, {"role": name}))).is_success:
            return
        reading = {"action": f"{granting.resource}:read", "effect": "allow"}
        await self._give(granting, own.id, caller, reading)
        await self._give(granting, others.id, caller, reading | {"expires_at": self._soon()})
        guest = replace(caller, attacks=False)
        await self._add(guest)
        self.guests.append(Guest(guest, granting, own.id, others.id))

    async def _allow_type(self) -> None:
        """Grant a viewer to change every record of a resource, for a moment."""
        giving, granting = self.find("POST", TYPE_GRANTS), next(self.grantings(), None)
        if giving is None or granting is None:
            return
        caller = await self.mine.side.join(f"viewer once granted all {granting.resource}", Role.VIEWER)
        body = {"subject_type": "user", "subject_id": str(caller.user_id), "resource_type": granting.resource}
        body |= {"action": f"{granting.resource}:update", "effect": "allow", "expires_at": self._soon()}
        answer = await self.client.call(AppRequest("POST", giving.path, {}, self.mine.side.owner.headers, body))
        if answer.is_success:
            self.allowed.append((caller, granting, False))

    def _soon(self) -> str:
        self._expires = asyncio.get_running_loop().time() + BRIEF + 0.2
        return (SystemClock().now() + timedelta(seconds=BRIEF)).isoformat()

    async def _give(self, granting: Granting, record_id: UUID, caller: Persona, body: dict[str, Any]) -> bool:
        body = {"subject_type": "user", "subject_id": str(caller.user_id), **body}
        path = granting.giving.address([record_id])
        answer = await self.client.call(AppRequest("POST", path, {}, self.mine.side.owner.headers, body))
        if not answer.is_success:
            request = AppRequest("POST", path)
            self.judge.note(
                Breach.UNPROVEN,
                granting.giving,
                "owner",
                f"a grant for a {caller.name}",
                request,
                "201",
                shown(answer),
            )
        return answer.is_success

    def grantings(self) -> Iterator[Granting]:
        """Yield the resources whose records can be granted."""
        for operation in self.operations:
            collection = operation.collection.removesuffix("/{}/grants")
            definition = self.bodies.vocabulary.definition_of(collection)
            if operation.method == "POST" and operation.collection.endswith("/{}/grants") and definition is not None:
                changing = self.find("PATCH", f"{collection}/{{}}")
                is_child = definition.access.parent is not None
                yield Granting(collection, definition.name, operation, changing, is_child)

    def find(self, method: str, collection: str) -> ApiOperation | None:
        """Return the operation of a method and a collection."""
        return next((one for one in self.operations if (one.method, one.collection) == (method, collection)), None)
