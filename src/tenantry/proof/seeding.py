"""Records full of canaries: of every collection that a path names, live, of somebody else, deleted, and beneath
something deleted.

They are made through the routes themselves, as members would make them; where no route makes them, they are those
that a list shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from tenantry.proof.bodies import PEOPLE, TENANTS, Bodies, Filling
from tenantry.proof.calling import AppClient, AppRequest, AppResponse
from tenantry.proof.people import SECOND, Persona, TenantSide, newcomer
from tenantry.proof.verdicts import items_of
from tenantry.testing import ApiOperation

USERS = "/users"
_MOST_STATES_DEEP = 6
"""Levels of parents that are made; deeper trees of collections do not exist in practice."""


class State(StrEnum):
    """What a record is to the member who calls."""

    OWN = "own"
    OTHERS = "not owned"
    DELETED = "deleted"
    BENEATH = "beneath something deleted"


@dataclass(frozen=True, slots=True)
class Record:
    """A record: the ids of its path, and its version as it was made."""

    ids: tuple[UUID, ...]
    etag: str | None = None

    @property
    def id(self) -> UUID:
        """The record's own id."""
        return self.ids[-1]


@dataclass
class TenantFixture:
    """What a tenant holds: its records by collection and state."""

    side: TenantSide
    records: dict[str, dict[State, Record]] = field(default_factory=dict)
    made: list[UUID] = field(default_factory=list)
    """The id of everything that was ever made in the tenant."""

    def get(self, collection: str, state: State = State.OWN) -> Record | None:
        """Return a record; None where there is none in this state."""
        return self.records.get(collection, {}).get(state)

    def ids_for(self, operation: ApiOperation, state: State = State.OWN) -> tuple[UUID, ...] | None:
        """Return ids for every place of an operation's path; None where there are none."""
        if not operation.slots:
            return ()
        record = self.get(operation.slots[-1].collection, state)
        return record.ids if record is not None and len(record.ids) == len(operation.slots) else None

    @property
    def ids(self) -> dict[str, UUID]:
        """One live id of each collection, for references."""
        return {name: states[State.OWN].id for name, states in self.records.items() if State.OWN in states}

    @property
    def filling(self) -> Filling:
        """What bodies of this tenant are filled with."""
        return Filling(self.side.mark, self.ids)


class Seeder:
    """Makes records through the routes of the application."""

    def __init__(self, client: AppClient, operations: Iterable[ApiOperation], bodies: Bodies) -> None:
        self._client = client
        self._operations = list(operations)
        self._bodies = bodies
        self.collections = sorted(bodies.vocabulary.collections, key=lambda one: (one.count("/"), one))

    async def fill(self, side: TenantSide) -> TenantFixture:
        """Fill a tenant with what its routes can make."""
        fixture = TenantFixture(side)
        self._place_people(fixture)
        for _ in range(_MOST_STATES_DEEP):
            missing = [one for one in self.collections if one not in fixture.records]
            found = [await self._fill_collection(fixture, one) for one in missing]
            if not any(found):
                break
        return fixture

    async def make(self, fixture: TenantFixture, collection: str, *, by: Iterable[Persona] = ()) -> Record | None:
        """Return a new record of a collection, made by the first of the callers who may; None where nobody can."""
        if collection in (PEOPLE, USERS):
            return await self._person(fixture, collection)
        maker = self._maker_of(collection)
        if maker is None:
            return None
        parents = await self._parents(fixture, maker)
        return (
            None
            if parents is None
            else await self._made(fixture, maker, collection, parents, [*by, fixture.side.owner])
        )

    async def delete(self, fixture: TenantFixture, collection: str, record: Record) -> bool:
        """Delete a record as the owner."""
        remover = self._find("DELETE", f"{collection}/{{}}")
        if remover is None:
            return False
        answer = await self.send(remover, record.ids, fixture.side.owner, filling=fixture.filling)
        return answer.is_success

    async def send(
        self,
        operation: ApiOperation,
        ids: tuple[UUID, ...],
        caller: Persona,
        *,
        filling: Filling,
        params: Mapping[str, str] | None = None,
    ) -> AppResponse:
        """Send a valid request with the shape of body that was taken before."""
        return await self._client.call(
            AppRequest(
                operation.method,
                operation.address(ids),
                {**self._bodies.params(operation, filling), **(params or {})},
                caller.headers,
                self._bodies.body(operation, filling),
            )
        )

    async def filling_for(self, operation: ApiOperation, fixture: TenantFixture) -> Filling:
        """Return what a body is filled with where a person can be named once only: somebody new."""
        filling, members = fixture.filling, (operation.body_schema or {}).get("properties", {})
        if operation.method != "POST" or not ("subject_id" in members or operation.collection.endswith("}/members")):
            return filling
        person = await fixture.side.join("passer-by")
        return Filling(filling.mark, {**filling.ids, PEOPLE: _known(person)})

    def _place_people(self, fixture: TenantFixture) -> None:
        side = fixture.side
        member, second = side.callers["member"].user_id, side.callers[SECOND].user_id
        if member is not None and second is not None:
            people = {State.OWN: Record((member,)), State.OTHERS: Record((second,))}
            fixture.records[PEOPLE] = dict(people)
            fixture.records[USERS] = dict(people)
        fixture.records[TENANTS] = {State.OWN: Record((side.tenant.id,))}
        fixture.made += [one.user_id for one in side.callers.values() if one.user_id is not None]
        fixture.made.append(side.tenant.id)

    async def _fill_collection(self, fixture: TenantFixture, collection: str) -> bool:
        """Make the four states; the deleted ones stand between the live ones in the order of time."""
        callers = fixture.side.callers
        own = await self.make(fixture, collection, by=[callers["member"], callers["manager"]])
        if own is None:
            return await self._take_from_list(fixture, collection)
        states = fixture.records[collection] = {State.OWN: own}
        if gone := await self._deleted(fixture, collection):
            states[State.DELETED] = gone
        if beneath := await self._beneath(fixture, collection):
            states[State.BENEATH] = beneath
        if others := await self.make(fixture, collection, by=[callers[SECOND]]):
            states[State.OTHERS] = others
        return True

    async def _deleted(self, fixture: TenantFixture, collection: str) -> Record | None:
        record = await self.make(fixture, collection)
        return record if record is not None and await self.delete(fixture, collection, record) else None

    async def _beneath(self, fixture: TenantFixture, collection: str) -> Record | None:
        """Return a record whose parent was deleted after it was made."""
        maker = self._maker_of(collection)
        if maker is None or not maker.slots:
            return None
        above = maker.slots[-1].collection
        parent = await self.make(fixture, above)
        if parent is None:
            return None
        record = await self._made(fixture, maker, collection, parent.ids, [fixture.side.owner])
        return record if record is not None and await self.delete(fixture, above, parent) else None

    async def _take_from_list(self, fixture: TenantFixture, collection: str) -> bool:
        """Take what a list shows where no route makes it: sessions, jobs, notifications."""
        found = await self.first_of(collection, fixture.side.callers["member"], fixture.filling)
        if found is None:
            return False
        fixture.records[collection] = {State.OWN: Record((found,))}
        fixture.made.append(found)
        return True

    async def first_of(self, collection: str, caller: Persona, filling: Filling) -> UUID | None:
        """Return the id of the first thing that the list of a collection shows to a caller."""
        listing = self._find("GET", collection)
        if listing is None or listing.slots:
            return None
        answer = await self.send(listing, (), caller, filling=filling)
        ids = [one.get("id") for one in items_of(answer) if isinstance(one, dict)]
        return next((UUID(one) for one in ids if _is_uuid(one)), None)

    async def _person(self, fixture: TenantFixture, collection: str) -> Record:
        side = fixture.side
        person = await (side.join("passer-by") if collection == PEOPLE else newcomer(side.world, "passer-by"))
        fixture.made.append(_known(person))
        return Record((_known(person),))

    async def _parents(self, fixture: TenantFixture, maker: ApiOperation) -> tuple[UUID, ...] | None:
        if not maker.slots:
            return ()
        parent = fixture.get(maker.slots[-1].collection)
        return None if parent is None else parent.ids

    async def _made(
        self,
        fixture: TenantFixture,
        maker: ApiOperation,
        collection: str,
        parents: tuple[UUID, ...],
        callers: Iterable[Persona],
    ) -> Record | None:
        filling = await self.filling_for(maker, fixture)
        for caller in callers:
            for choice in self._bodies.choices(maker):
                body = self._bodies.body(maker, filling, choice)
                answer = await self._client.call(
                    AppRequest(maker.method, maker.address(parents), {}, caller.headers, body)
                )
                if answer.status in (401, 403):
                    break
                if answer.is_success and (found := _record(answer, body, parents, collection)):
                    self._bodies.keep(maker, choice)
                    fixture.made.append(found.id)
                    return found
        return None

    def _maker_of(self, collection: str) -> ApiOperation | None:
        """Return the operation that adds to a collection: by its own path, else by one that ends with its name."""
        if (direct := self._find("POST", collection)) is not None:
            return direct
        name = collection.rpartition("/")[2]
        ending = [one for one in self._operations if one.method == "POST" and one.collection.endswith(f"}}/{name}")]
        return ending[0] if ending and "{" not in collection else None

    def _find(self, method: str, collection: str) -> ApiOperation | None:
        return next((one for one in self._operations if (one.method, one.collection) == (method, collection)), None)


def _record(answer: AppResponse, sent: object, parents: tuple[UUID, ...], collection: str) -> Record | None:
    """Return what was made: the id that the answer gives, or the one that was sent to be added."""
    body = answer.json()
    told = body if isinstance(body, dict) else {}
    given = sent if isinstance(sent, dict) else {}
    for candidate in (told.get("id"), told.get("user_id"), given.get("user_id")):
        if _is_uuid(candidate):
            ids = (*parents, UUID(str(candidate))) if "{" in collection else (UUID(str(candidate)),)
            return Record(ids, answer.header("etag"))
    return None


def _is_uuid(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _known(person: Persona) -> UUID:
    if person.user_id is None:
        raise ValueError(person.name)
    return person.user_id
