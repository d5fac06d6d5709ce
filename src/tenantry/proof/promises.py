"""What grants promise: they hold on what they name, until they end, in lists as on records, in one tenant."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenantry.proof.bodies import Bodies
from tenantry.proof.calling import AppClient, AppRequest, AppResponse
from tenantry.proof.extras import TYPE_GRANTS, Extras, Granting, Guest
from tenantry.proof.judging import DENIED, Judge
from tenantry.proof.people import Persona
from tenantry.proof.seeding import State, TenantFixture
from tenantry.proof.verdicts import Breach, items_of, page_of, shown
from tenantry.tenancy import Role
from tenantry.testing import ApiOperation


@dataclass
class Promises:
    """Checks what the grants of `extras` promise."""

    extras: Extras
    client: AppClient
    judge: Judge
    bodies: Bodies
    mine: TenantFixture
    theirs: TenantFixture

    async def check(self) -> None:
        """Check that grants hold where they should, and nowhere and at no time else."""
        for caller, granting, holds in self.extras.allowed:
            await self._check_allowed(caller, granting, holds=holds)
        for guest in self.extras.guests:
            await self._check_guest(guest)
        await self._check_denied()
        await self._check_tenancy()

    async def _check_allowed(self, caller: Persona, granting: Granting, *, holds: bool) -> None:
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
        self, caller: Persona, changing: ApiOperation, ids: tuple[UUID, ...], *, may: bool, case: str
    ) -> None:
        request, answer = await self._patched(caller, changing, ids, case)
        tally = self.judge.tally(changing)
        tally.controls += answer.is_success
        tally.denied += answer.status in DENIED
        if answer.is_success != may:
            expected = "2xx, a grant allows it" if may else "403, no grant allows it"
            self.judge.note(Breach.GRANT, changing, caller.name, case, request, expected, shown(answer))

    async def _patched(
        self, caller: Persona, changing: ApiOperation, ids: tuple[UUID, ...], case: str
    ) -> tuple[AppRequest, AppResponse]:
        body = self.bodies.body(changing, self.mine.filling)
        request = AppRequest(changing.method, changing.address(ids), {}, caller.headers, body)
        return request, await self.judge.call(changing, caller.name, case, request)

    async def _check_guest(self, guest: Guest) -> None:
        """The list of a guest holds the granted record alone, and says that there is one."""
        for listing in self._listings(guest.granting.collection):
            request = AppRequest("GET", listing.path, {"with_total": "true"}, guest.caller.headers)
            case = "one record granted, one expired"
            answer = await self.judge.call(listing, guest.caller.name, case, request)
            found = [one.get("id") for one in items_of(answer)], page_of(answer).get("total")
            self.judge.tally(listing).controls += answer.is_success
            if found != ([str(guest.granted)], 1):
                expected = f"{guest.granted} alone, total 1"
                self.judge.note(Breach.GRANT, listing, guest.caller.name, case, request, expected, shown(answer))

    async def _check_denied(self) -> None:
        """What is denied is in no list, under no order and no search, and not counted."""
        for name, hidden in self.extras.denied.items():
            caller = self.mine.side.callers[name]
            for collection, record_id in hidden.items():
                for listing in self._listings(collection):
                    await self._check_list(caller, listing, str(record_id))

    async def _check_list(self, caller: Persona, listing: ApiOperation, hidden: str) -> None:
        owner = self.mine.side.owner
        params = {"page_size": str(listing.largest_page), "with_total": "true"}
        asked = [AppRequest("GET", listing.path, params, one.headers) for one in (caller, owner)]
        answers = [await self.judge.call(listing, caller.name, "denied by a grant, list", one) for one in asked]
        ids = [[item.get("id") for item in items_of(one)] for one in answers]
        if hidden in ids[0]:
            got = f"{hidden} is listed"
            self.judge.note(
                Breach.GRANT, listing, caller.name, "denied by a grant, list", asked[0], "a list without it", got
            )
        if hidden not in ids[1]:
            got = "the owner does not see it either, so its absence proves nothing"
            self.judge.note(Breach.UNPROVEN, listing, owner.name, "list", asked[1], "a list with it", got)

    async def _check_tenancy(self) -> None:
        """Grants of the other tenant on whole resources, to roles that both have, change nothing here."""
        giving = self.extras.find("POST", TYPE_GRANTS)
        grantings = list(self.extras.grantings())
        if giving is None or not grantings:
            return
        before = [await self._standing(one) for one in grantings]
        for one in grantings:
            for role, verb, effect in ((Role.VIEWER, "update", "allow"), (Role.MANAGER, "read", "deny")):
                body = {"subject_type": "role", "subject_id": role.value, "effect": effect}
                body |= {"action": f"{one.resource}:{verb}", "resource_type": one.resource}
                await self.client.call(AppRequest("POST", giving.path, {}, self.theirs.side.owner.headers, body))
        await self._give_anything(giving)
        for one, standing in zip(grantings, before, strict=True):
            after = await self._standing(one)
            if after != standing:
                request = AppRequest("POST", giving.path)
                case = f"grants of the other tenant on {one.resource}"
                self.judge.note(
                    Breach.GRANT, giving, "viewer, manager", case, request, f"as before: {standing}", f"{after}"
                )

    async def _give_anything(self, giving: ApiOperation) -> None:
        """Give a grant of one's own, so that what is remembered of the grants here is read anew."""
        somebody = await self.mine.side.join("passer-by")
        body = {"subject_type": "user", "subject_id": str(somebody.user_id), "effect": "allow"}
        body |= {"action": self.bodies.vocabulary.permission_of(giving)}
        body |= {"resource_type": self.bodies.vocabulary.resource_name()}
        await self.client.call(AppRequest("POST", giving.path, {}, self.mine.side.owner.headers, body))

    async def _standing(self, granting: Granting) -> list[object]:
        """Return what a viewer may change and a manager may read, as statuses."""
        callers = self.mine.side.callers
        found: list[object] = []
        for listing in self._listings(granting.collection):
            params = {"page_size": str(listing.largest_page)}
            request = AppRequest("GET", listing.path, params, callers["manager"].headers)
            found.append(sorted(str(one.get("id")) for one in items_of(await self.client.call(request))))
        changing = granting.changing
        ids = self.mine.ids_for(changing) if changing is not None else None
        if changing is not None and ids is not None:
            body = self.bodies.body(changing, self.mine.filling)
            request = AppRequest(changing.method, changing.address(ids), {}, callers["viewer"].headers, body)
            found.append((await self.client.call(request)).status)
        return found

    def _listings(self, collection: str) -> list[ApiOperation]:
        return [one for one in self.extras.operations if one.is_list and one.collection == collection]
