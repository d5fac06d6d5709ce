"""Lists against single records: what a caller can count, walk, search, sort and filter is what the caller can read.

The visible set of a caller is what a whole page shows; every other way of looking must show the same or less, and
every single record must be found exactly when it is in the set.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from tenantry.proof.bodies import Bodies
from tenantry.proof.calling import AppRequest, AppResponse
from tenantry.proof.judging import Judge
from tenantry.proof.people import Persona
from tenantry.proof.seeding import State, TenantFixture
from tenantry.proof.verdicts import Breach, IsolationFinding, difference, items_of, page_of, shown
from tenantry.testing import ApiOperation

MOST_PAGES = 60
"""Pages of one record that are walked."""
MOST_SEEN = 1000
"""Records of one list that are looked at."""
MOST_ITEMS = 6
"""Records of a list that are read one by one, besides those whose state is known."""

_ATTEMPTS = 3


@dataclass(frozen=True)
class Seen:
    """What a list shows to a caller."""

    ids: tuple[str, ...]
    total: int | None
    fields: frozenset[str]


@dataclass
class ListCheck:
    """Checks one list for everybody."""

    judge: Judge
    bodies: Bodies
    mine: TenantFixture
    operation: ApiOperation
    reading: ApiOperation | None
    """The operation that reads one record of the list; None where there is none."""
    hidden: frozenset[str]
    """Ids of records that nobody sees: deleted, or beneath something deleted."""
    known: Mapping[State, UUID] = field(default_factory=dict)
    _suspicions: list[IsolationFinding] = field(default_factory=list)

    async def everybody(self, callers: list[Persona]) -> None:
        """Check the list as each caller; the first one's fields are those that there are."""
        whole = await self.seen(callers[0])
        fields = whole.fields if whole is not None else frozenset()
        for caller in callers:
            for _ in range(_ATTEMPTS):
                self._suspicions.clear()
                seen = await self.seen(caller)
                await self._check(caller, seen, fields)
                if not self._suspicions or await self._stands(caller, seen):
                    break
            for finding in self._suspicions:
                self.judge.ledger.add(finding)
            self._suspicions.clear()

    async def _check(self, caller: Persona, seen: Seen | None, fields: frozenset[str]) -> None:
        await self._items(caller, seen)
        if seen is not None:
            await self._walks(caller, seen)
            await self._selections(caller, seen)
            if seen.ids:
                await self._hidden_fields(caller, fields - seen.fields)

    async def _stands(self, caller: Persona, seen: Seen | None) -> bool:
        """Tell whether the list is what it was: one that grows by being read (a trail) is looked at again."""
        suspicions = list(self._suspicions)
        again = await self.seen(caller)
        self._suspicions[:] = suspicions
        return (again.ids if again else None) == (seen.ids if seen else None)

    async def seen(self, caller: Persona) -> Seen | None:
        """Return what a whole page shows; None where the caller may not list."""
        asked = {"page_size": str(self.operation.largest_page), "with_total": "true"}
        answer = await self._ask(caller, "whole list", asked)
        if not answer.is_success:
            return None
        seen = _seen(answer)
        while (cursor := page_of(answer).get("next_cursor")) and len(seen.ids) < MOST_SEEN:
            answer = await self._ask(caller, "whole list", asked | {"cursor": str(cursor)})
            seen = Seen(seen.ids + _seen(answer).ids, seen.total, seen.fields)
        if shown_hidden := self.hidden & set(seen.ids):
            self._note(Breach.HIDDEN_SHOWN, caller, "whole list", {}, "no deleted records", ", ".join(shown_hidden))
        if not page_of(answer).get("has_more"):
            self._count(caller, "whole list", {}, seen)
        return seen

    async def _walks(self, caller: Persona, seen: Seen) -> None:
        """Walk by cursor and by number with one record a page, and by cursor in every order."""
        if len(seen.ids) > MOST_PAGES:
            return
        await self._walk(caller, seen, {"page_size": "1"}, by_number=False)
        await self._walk(caller, seen, {"page_size": "1"}, by_number=True)
        for sort in self.operation.sorts:
            await self._walk(caller, seen, {"page_size": "2", "sort": sort}, by_number=False)

    async def _walk(self, caller: Persona, seen: Seen, params: dict[str, str], *, by_number: bool) -> None:
        case = f"{'pages by number' if by_number else 'pages by cursor'} {params.get('sort', '')}".strip()
        found: list[str] = []
        place: dict[str, str] = {}
        for number in range(1, MOST_PAGES + 2):
            asked = {**params, **place, "with_total": "true"}
            answer = await self._ask(caller, case, asked)
            if not answer.is_success:
                if number > 1 or params.get("sort", "").lstrip("-") in seen.fields:
                    self._note(Breach.COUNT, caller, case, asked, "the next page", shown(answer))
                return
            page = page_of(answer)
            found += _seen(answer).ids
            if page.get("total") not in (None, len(seen.ids)):
                self._note(Breach.COUNT, caller, case, asked, f"total {len(seen.ids)}", f"total {page['total']}")
            if not page.get("has_more"):
                break
            place = {"page": str(number + 1)} if by_number else {"cursor": str(page.get("next_cursor"))}
        if sorted(found) != sorted(seen.ids):
            kind = Breach.HIDDEN_SHOWN if set(found) - set(seen.ids) else Breach.COUNT
            more, less = set(found) - set(seen.ids), set(seen.ids) - set(found)
            told = f"{len(found)} records, of them unseen {sorted(more)}, missing {sorted(less)}"
            self._note(kind, caller, case, params, f"the {len(seen.ids)} records of the whole list", told)

    async def _selections(self, caller: Persona, seen: Seen) -> None:
        """Search for the own canary, and filter by own ids: what is found is seen, and counted rightly."""
        selections = [(name, self.mine.side.mark) for name in self.operation.text_parameters]
        for reference in self.operation.id_parameters:
            target = self.bodies.vocabulary.target_of(self.operation, reference.field)
            selections += [(reference.name, str(one.id)) for one in self.mine.records.get(target, {}).values()]
        for name, value in selections:
            params = {name: value, "page_size": str(self.operation.largest_page), "with_total": "true"}
            answer = await self._ask(caller, f"query {name}", params)
            if not answer.is_success:
                continue
            found = _seen(answer)
            if unseen := set(found.ids) - set(seen.ids):
                told = f"{sorted(unseen)} besides"
                self._note(Breach.HIDDEN_SHOWN, caller, f"query {name}", params, "records of the whole list", told)
            if not page_of(answer).get("has_more"):
                self._count(caller, f"query {name}", params, found)

    async def _items(self, caller: Persona, seen: Seen | None) -> None:
        """Read records one by one: found exactly when they are listed."""
        if self.reading is None or self.operation.slots:
            return
        listed = set(seen.ids) if seen else set()
        asked = {str(one) for one in self.known.values()} | set(sorted(listed)[:MOST_ITEMS])
        for record_id in sorted(asked):
            request = AppRequest(self.reading.method, self.reading.address([record_id]), {}, caller.headers)
            answer = await self.judge.call(self.reading, caller.name, "own tenant, path", request)
            if answer.is_success != (record_id in listed):
                expected = "200, it is in the list" if record_id in listed else "404, it is not in the list"
                case, got = "own tenant, path", shown(answer)
                found = IsolationFinding(
                    Breach.LIST_AND_ITEM, self.reading.title, caller.name, case, request.line, expected, got
                )
                self._suspicions.append(found)

    async def _hidden_fields(self, caller: Persona, fields: frozenset[str]) -> None:
        """A field that others see and the caller does not must not sort, filter or be asked for."""
        probes = [{"sort": sort} for sort in self.operation.sorts if sort.lstrip("-") in fields]
        probes += [
            {name: "1"} for name in self.operation.query if name.startswith("filter[") and _field(name) in fields
        ]
        probes += [{"fields": f"id,{name}"} for name in sorted(fields)]
        for params in probes:
            answer = await self._ask(caller, "a field that is not shown", params)
            is_told = "fields" not in params or bool(_seen(answer).fields & fields)
            if answer.is_success and is_told:
                self._note(Breach.FIELD, caller, "a field that is not shown", params, "400", shown(answer))

    async def foreign_cursor(self, callers: list[Persona], foreign: str) -> None:
        """A cursor of the other tenant is refused like one that nobody made."""
        raw = bytearray(base64.urlsafe_b64decode(foreign + "=" * (-len(foreign) % 4)))
        raw[1:] = random.Random(len(raw)).randbytes(len(raw) - 1)  # noqa: S311 - a cursor of nobody, no secret
        nobody = base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
        case = "other tenant, cursor"
        for caller in callers:
            answer = await self._ask(caller, case, {"page_size": "1", "cursor": foreign})
            twin = await self._ask(caller, case, {"page_size": "1", "cursor": nobody})
            told = difference(answer, twin, [foreign], [nobody])
            self.judge.tally(self.operation).places["cursor"] += 1
            self.judge.tally(self.operation).denied += not answer.is_success
            if answer.is_success or told:
                got = f"{told or 'taken'}: {shown(answer)}"
                request = self._request(caller, {"cursor": foreign})
                expected = f"as for a cursor of nobody: {shown(twin)}"
                self.judge.note(Breach.ACCEPTED, self.operation, caller.name, case, request, expected, got)

    async def cursor(self, caller: Persona, fixture: TenantFixture) -> str | None:
        """Return the cursor of a first page of another tenant."""
        ids = fixture.ids_for(self.operation)
        if ids is None:
            return None
        request = AppRequest("GET", self.operation.address(ids), {"page_size": "1"}, caller.headers)
        found = page_of(await self.judge.client.call(request)).get("next_cursor")
        return found if isinstance(found, str) else None

    async def _ask(self, caller: Persona, case: str, params: Mapping[str, str]) -> AppResponse:
        known = {name: value for name, value in params.items() if name in self.operation.query}
        return await self.judge.call(self.operation, caller.name, case, self._request(caller, known))

    def _request(self, caller: Persona, params: Mapping[str, str]) -> AppRequest:
        ids = self.mine.ids_for(self.operation) or ()
        required = self.bodies.params(self.operation, self.mine.filling)
        return AppRequest("GET", self.operation.address(ids), {**required, **params}, caller.headers)

    def _count(self, caller: Persona, case: str, params: Mapping[str, str], seen: Seen) -> None:
        if seen.total is not None and seen.total != len(seen.ids):
            self._note(Breach.COUNT, caller, case, params, f"total {len(seen.ids)}, as shown", f"total {seen.total}")

    def _note(
        self, kind: Breach, caller: Persona, case: str, params: Mapping[str, str], expected: str, got: str
    ) -> None:
        line = self._request(caller, params).line
        self._suspicions.append(IsolationFinding(kind, self.operation.title, caller.name, case, line, expected, got))


def check_of(
    operation: ApiOperation, operations: list[ApiOperation], judge: Judge, bodies: Bodies, mine: TenantFixture
) -> ListCheck:
    """Return the check of a list, with what is known of its records."""
    home = bodies.vocabulary.home_of(operation.collection)
    states = mine.records.get(home, {})
    reading = next((one for one in operations if one.method == "GET" and one.collection == f"{home}/{{}}"), None)
    gone = {str(states[one].id) for one in (State.DELETED, State.BENEATH) if one in states}
    live = {str(states[one].id) for one in (State.OWN, State.OTHERS) if one in states}
    hidden = frozenset(gone - live)  # somebody who left one team may be in another
    known = {state: record.id for state, record in states.items()}
    return ListCheck(judge, bodies, mine, operation, reading, hidden, known)


def can_be_listed(operation: ApiOperation, fixture: TenantFixture) -> bool:
    """Tell whether the list can be asked for: whether there is something for each place of its path."""
    return operation.is_list and operation.is_of_tenant and fixture.ids_for(operation) is not None


def _seen(answer: AppResponse) -> Seen:
    items = [one for one in items_of(answer) if isinstance(one, dict)]
    total = page_of(answer).get("total")
    fields = frozenset(name for one in items for name in one)
    return Seen(tuple(str(one.get("id")) for one in items), total if isinstance(total, int) else None, fields)


def _field(parameter: str) -> str:
    return parameter.removeprefix("filter[").partition("]")[0]
