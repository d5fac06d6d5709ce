"""Calls within one's own tenant, by everybody, for records of one's own and of others.

Some are allowed and are controls of the refusals; none fails, and none changes what its caller cannot read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from tenantry.proof.bodies import Bodies
from tenantry.proof.calling import AppRequest
from tenantry.proof.judging import DENIED, Judge
from tenantry.proof.people import SECOND, Persona
from tenantry.proof.seeding import Seeder, State, TenantFixture
from tenantry.proof.verdicts import Breach, shown
from tenantry.testing import ApiOperation

Spares = dict[tuple[str, State], tuple[UUID, ...]]


@dataclass
class OwnCalls:
    """Makes the calls; a record that a write may have used up is not used again."""

    judge: Judge
    seeder: Seeder
    bodies: Bodies
    mine: TenantFixture
    operations: list[ApiOperation]
    _spares: Spares = field(default_factory=dict)

    async def attempt(self, operation: ApiOperation, caller: Persona) -> None:
        """Call an operation as one caller, with a record of the first member and with one of somebody else."""
        for state in (State.OWN, State.OTHERS) if operation.slots else (State.OWN,):
            ids = await self._ids(operation, state)
            if ids is not None:
                await self._call(operation, caller, ids, state)

    async def _call(self, operation: ApiOperation, caller: Persona, ids: tuple[UUID, ...], state: State) -> None:
        case = f"own tenant, {state}"
        is_readable = await self._is_readable(operation, caller, ids)
        filling = self.mine.filling
        params = self.bodies.params(operation, filling)
        body = self.bodies.body(operation, filling)
        request = AppRequest(operation.method, operation.address(ids), params, caller.headers, body)
        answer = await self.judge.call(operation, caller.name, case, request)
        tally = self.judge.tally(operation)
        tally.controls += answer.is_success
        tally.denied += answer.status in DENIED
        if answer.is_success and operation.writes:
            self._spares.pop((self._collection(operation), state), None)
            if not is_readable:
                got = f"it cannot be read, but: {shown(answer)}"
                self.judge.note(Breach.LIST_AND_ITEM, operation, caller.name, case, request, "404", got)
            if not caller.may_write:
                expected = "403, the key may only read"
                self.judge.note(Breach.GRANT, operation, caller.name, case, request, expected, shown(answer))

    async def _is_readable(self, operation: ApiOperation, caller: Persona, ids: tuple[UUID, ...]) -> bool:
        """Tell whether the caller reads the record that a write is about; yes where no route reads it."""
        reading = self._reading(operation)
        if reading is None or not operation.writes or not operation.slots:
            return True
        request = AppRequest("GET", reading.address(ids), {}, caller.headers)
        answer = await self.judge.call(reading, caller.name, "own tenant, path", request)
        return answer.is_success

    def _reading(self, operation: ApiOperation) -> ApiOperation | None:
        wanted = f"{self._collection(operation)}/{{}}"
        return next((one for one in self.operations if (one.method, one.collection) == ("GET", wanted)), None)

    async def _ids(self, operation: ApiOperation, state: State) -> tuple[UUID, ...] | None:
        if not operation.slots:
            return ()
        if not operation.writes:
            return self.mine.ids_for(operation, state)
        collection = self._collection(operation)
        if (collection, state) not in self._spares:
            callers = self.mine.side.callers
            by = [callers["member"], callers["manager"]] if state is State.OWN else [callers[SECOND]]
            made = await self.seeder.make(self.mine, collection, by=by)
            if made is None or len(made.ids) != len(operation.slots):
                return None
            self._spares[collection, state] = made.ids
        return self._spares[collection, state]

    def _collection(self, operation: ApiOperation) -> str:
        return operation.slots[-1].collection if operation.slots else operation.collection
