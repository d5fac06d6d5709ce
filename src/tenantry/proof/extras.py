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
from tenantry.proof.bodies import Bodies, Choice
from tenantry.proof.calling import Answer, Door, Request
from tenantry.proof.cells import Probe, Values
from tenantry.proof.furnishing import Estate, State
from tenantry.proof.judging import DENIED, Judge
from tenantry.proof.people import Caller, Side
from tenantry.proof.surface import Operation
from tenantry.proof.verdicts import Kind, items_of, shown
from tenantry.tenancy import Role

KEYS = "/api-keys"
TYPE_GRANTS = "/grants"
BRIEF = 2.0
"""Seconds that the grant holds which is to expire."""
_SECRETS = ("secret", "key", "token")


@dataclass(frozen=True)
class Granting:
    """A resource whose records can be granted: the name of its collection and of its permissions."""

    collection: str
    resource: str
    giving: Operation
    changing: Operation | None


@dataclass
class Extras:
    """Makes the callers, and holds what was promised to them."""

    door: Door
    judge: Judge
    bodies: Bodies
    operations: list[Operation]
    mine: Estate
    theirs: Estate
    denied: dict[str, dict[str, UUID]] = field(default_factory=dict)
    """By caller and collection, the record that a grant denies."""
    allowed: list[tuple[Caller, Granting, bool]] = field(default_factory=list)
    """Viewers with a grant to change a record; whether it still holds."""
    credentials: list[str] = field(default_factory=list)
    _expires: float = 0.0

    async def prepare(self) -> list[Caller]:
        """Add callers to the own side; return those who belonged to the other tenant."""
        member = self.mine.side.callers["member"]
        await self._add(await self._key_of(member, "API key of a member"))
        await self._add(await self._reading_key())
        for granting in self._grantings():
            await self._deny(granting)
            await self._allow(granting, expires=False)
            await self._allow(granting, expires=True)
        await self._allow_type()
        former = await self._former_key(self.theirs.side)
        return [former] if former is not None else []

    def probes(self, operation: Operation, caller: Caller) -> Iterator[Probe]:
        """Yield what a grant hides from a caller, in the path: it must be as if it were nothing."""
        hidden = self.denied.get(caller.name, {})
        if len(operation.slots) != 1 or operation.slots[0].collection not in hidden:
            return
        filling = self.mine.filling
        params, body = self.bodies.params(operation, filling), self.bodies.body(operation, filling)

        def build(values: Values) -> Request:
            return Request(operation.method, operation.address(values), params, caller.headers, body)

        value = str(hidden[operation.slots[0].collection])
        yield Probe(operation, caller.name, "denied by a grant", "path", build, (value,), is_foreign=False)

    async def check(self) -> None:
        """Check that grants hold where they should, and nowhere and at no time else."""
        await asyncio.sleep(max(0.0, self._expires - asyncio.get_running_loop().time()))
        for caller, granting, holds in self.allowed:
            await self._check_allowed(caller, granting, holds=holds)
        await self._check_denied()
        await self._check_tenancy()

    async def _check_allowed(self, caller: Caller, granting: Granting, *, holds: bool) -> None:
        changing = granting.changing
        if changing is None:
            return
        own, others = self.mine.ids_for(changing), self.mine.ids_for(changing, State.OTHERS)
        if own is not None:
            await self._change(
                caller, changing, own, may=holds, case="granted" if holds else "granted until a moment ago"
            )
        if others is not None:
            await self._change(caller, changing, others, may=False, case="not granted")

    async def _change(
        self, caller: Caller, changing: Operation, ids: tuple[UUID, ...], *, may: bool, case: str
    ) -> None:
        request, answer = await self._patched(caller, changing, ids, case)
        tally = self.judge.tally(changing)
        tally.controls += answer.is_success
        tally.denied += answer.status in DENIED
        if answer.is_success != may:
            expected = "2xx, a grant allows it" if may else "403, no grant allows it"
            self.judge.note(Kind.GRANT, changing, caller.name, case, request, expected, shown(answer))

    async def _patched(
        self, caller: Caller, changing: Operation, ids: tuple[UUID, ...], case: str
    ) -> tuple[Request, Answer]:
        body = self.bodies.body(changing, self.mine.filling)
        request = Request(changing.method, changing.address(ids), {}, caller.headers, body)
        return request, await self.judge.call(changing, caller.name, case, request)

    async def _check_denied(self) -> None:
        """What is denied is in no list, under no order and no search, and not counted."""
        for name, hidden in self.denied.items():
            caller = self.mine.side.callers[name]
            for collection, record_id in hidden.items():
                for listing in self._listings(collection):
                    await self._check_list(caller, listing, str(record_id))

    async def _check_list(self, caller: Caller, listing: Operation, hidden: str) -> None:
        owner = self.mine.side.owner
        params = {"page_size": "100", "with_total": "true"}
        asked = [Request("GET", listing.path, params, one.headers) for one in (caller, owner)]
        answers = [await self.judge.call(listing, caller.name, "denied by a grant, list", one) for one in asked]
        ids = [[item.get("id") for item in items_of(one)] for one in answers]
        if hidden in ids[0]:
            got = f"{hidden} is listed"
            self.judge.note(
                Kind.GRANT, listing, caller.name, "denied by a grant, list", asked[0], "a list without it", got
            )
        if hidden not in ids[1]:
            got = "the owner does not see it either, so its absence proves nothing"
            self.judge.note(Kind.UNPROVEN, listing, owner.name, "list", asked[1], "a list with it", got)

    async def _check_tenancy(self) -> None:
        """Grants of the other tenant on whole resources, to roles that both have, change nothing here."""
        giving = self._find("POST", TYPE_GRANTS)
        grantings = list(self._grantings())
        if giving is None or not grantings:
            return
        before = [await self._standing(one) for one in grantings]
        for one in grantings:
            for role, verb, effect in ((Role.VIEWER, "update", "allow"), (Role.MANAGER, "read", "deny")):
                body = {"subject_type": "role", "subject_id": role.value, "effect": effect}
                body |= {"action": f"{one.resource}:{verb}", "resource_type": one.resource}
                await self.door.call(Request("POST", giving.path, {}, self.theirs.side.owner.headers, body))
        await self._give_anything(giving)
        for one, standing in zip(grantings, before, strict=True):
            after = await self._standing(one)
            if after != standing:
                request = Request("POST", giving.path)
                case = f"grants of the other tenant on {one.resource}"
                self.judge.note(
                    Kind.GRANT, giving, "viewer, manager", case, request, f"as before: {standing}", f"{after}"
                )

    async def _give_anything(self, giving: Operation) -> None:
        """Give a grant of one's own, so that what is remembered of the grants here is read anew."""
        somebody = await self.mine.side.join("passer-by")
        body = {"subject_type": "user", "subject_id": str(somebody.user_id), "effect": "allow"}
        body |= {"action": self.bodies.vocabulary.permission_of(giving)}
        body |= {"resource_type": self.bodies.vocabulary.resource_name()}
        await self.door.call(Request("POST", giving.path, {}, self.mine.side.owner.headers, body))

    async def _standing(self, granting: Granting) -> list[object]:
        """Return what a viewer may change and a manager may read, as statuses."""
        callers = self.mine.side.callers
        found: list[object] = []
        for listing in self._listings(granting.collection):
            request = Request("GET", listing.path, {"page_size": "100"}, callers["manager"].headers)
            found.append(sorted(str(one.get("id")) for one in items_of(await self.door.call(request))))
        changing = granting.changing
        ids = self.mine.ids_for(changing) if changing is not None else None
        if changing is not None and ids is not None:
            body = self.bodies.body(changing, self.mine.filling)
            request = Request(changing.method, changing.address(ids), {}, callers["viewer"].headers, body)
            found.append((await self.door.call(request)).status)
        return found

    async def _add(self, caller: Caller | None) -> None:
        if caller is not None:
            self.mine.side.callers[caller.name] = caller

    async def _key_of(self, holder: Caller, name: str, permissions: list[str] | None = None) -> Caller | None:
        """Return who acts by a new key of the holder; None where there are no keys."""
        making = self._find("POST", KEYS)
        if making is None or making.body is None:
            return None
        required = set(making.body.get("required", ()))
        optional = frozenset(one for one in making.body.get("properties", {}) if one not in required)
        body = self.bodies.body(making, self.mine.filling, Choice(optional))
        if permissions is not None:
            body |= {"permissions": permissions}
        told = (await self.door.call(Request("POST", making.path, {}, holder.headers, body))).json()
        secret = next((told[one] for one in _SECRETS if one in told), None) if isinstance(told, dict) else None
        if secret is None:
            return None
        self.credentials.append(secret)
        return Caller(name, holder.user_id, {"Authorization": f"Bearer {secret}"}, holder.tenant)

    async def _reading_key(self) -> Caller | None:
        resources = [one.name for one in self.bodies.vocabulary.resources]
        readable = [f"{name}:read" for name in resources if f"{name}:read" in self.bodies.vocabulary.permissions]
        key = await self._key_of(self.mine.side.owner, "API key of the owner, for reading", readable)
        return replace(key, may_write=False, attacks=False) if key is not None else None

    async def _former_key(self, side: Side) -> Caller | None:
        """Return who acts by a key that was made by a member and worked, before the member left."""
        person = await side.join("member who leaves", Role.MEMBER)
        key = await self._key_of(person, "old key of a former member")
        if key is None:
            return None
        works = self._find("GET", "/tenant")
        if works is None or not (await self.door.call(Request("GET", works.path, {}, key.headers))).is_success:
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

    async def _allow_type(self) -> None:
        """Grant a viewer to change every record of a resource, for a moment."""
        giving, granting = self._find("POST", TYPE_GRANTS), next(self._grantings(), None)
        if giving is None or granting is None:
            return
        caller = await self.mine.side.join(f"viewer once granted all {granting.resource}", Role.VIEWER)
        body = {"subject_type": "user", "subject_id": str(caller.user_id), "resource_type": granting.resource}
        body |= {"action": f"{granting.resource}:update", "effect": "allow", "expires_at": self._soon()}
        answer = await self.door.call(Request("POST", giving.path, {}, self.mine.side.owner.headers, body))
        if answer.is_success:
            self.allowed.append((caller, granting, False))

    def _soon(self) -> str:
        self._expires = asyncio.get_running_loop().time() + BRIEF + 0.2
        return (SystemClock().now() + timedelta(seconds=BRIEF)).isoformat()

    async def _give(self, granting: Granting, record_id: UUID, caller: Caller, body: dict[str, Any]) -> bool:
        body = {"subject_type": "user", "subject_id": str(caller.user_id), **body}
        path = granting.giving.address([record_id])
        answer = await self.door.call(Request("POST", path, {}, self.mine.side.owner.headers, body))
        if not answer.is_success:
            request = Request("POST", path)
            self.judge.note(
                Kind.UNPROVEN, granting.giving, "owner", f"a grant for a {caller.name}", request, "201", shown(answer)
            )
        return answer.is_success

    def _grantings(self) -> Iterator[Granting]:
        for operation in self.operations:
            collection = operation.collection.removesuffix("/{}/grants")
            definition = self.bodies.vocabulary.definition_of(collection)
            if operation.method == "POST" and operation.collection.endswith("/{}/grants") and definition is not None:
                yield Granting(collection, definition.name, operation, self._find("PATCH", f"{collection}/{{}}"))

    def _listings(self, collection: str) -> list[Operation]:
        return [one for one in self.operations if one.is_list and one.collection == collection]

    def _find(self, method: str, collection: str) -> Operation | None:
        return next((one for one in self.operations if (one.method, one.collection) == (method, collection)), None)
