"""Allowed controls: for every operation a call that succeeds, by somebody who may, with something of one's own.

A route that refuses everything is not isolated, it is broken; without a control its refusals prove nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenantry.proof.bodies import TENANTS, Bodies
from tenantry.proof.calling import AppClient, AppRequest, AppResponse
from tenantry.proof.people import NOBODY, Persona
from tenantry.proof.seeding import USERS, Record, Seeder, TenantFixture
from tenantry.proof.verdicts import shown
from tenantry.testing import ApiOperation

NEEDS_MAIL = "public: its body holds what only a mail or an earlier answer tells"
NEEDS_PAIR = "of identity: its address or body holds what only a mail or an earlier answer tells"


@dataclass(frozen=True, slots=True)
class Control:
    """An allowed call: who made it and what came back; `answer` is a refusal where none succeeded."""

    caller: str
    request: AppRequest
    answer: AppResponse

    @property
    def detail(self) -> str:
        """What was tried, for a report."""
        return f"{self.request.line} as {self.caller}: {shown(self.answer)}"


class Controls:
    """Looks for the allowed call of each operation."""

    def __init__(self, client: AppClient, seeder: Seeder, bodies: Bodies, administrator: Persona) -> None:
        self._client = client
        self._seeder = seeder
        self._bodies = bodies
        self._administrator = administrator

    async def of(self, operation: ApiOperation, fixture: TenantFixture) -> Control | None:
        """Return a call that succeeded, else the owner's that did not; None where there was nothing to call with."""
        first: Control | None = None
        for caller in await self._callers(operation, fixture):
            for is_deleted in (False, True) if operation.writes and operation.slots else (False,):
                tried = await self._attempt(operation, fixture, caller, is_deleted=is_deleted)
                if tried is not None and tried.answer.is_success:
                    return tried
                first = first or tried
        return first

    async def _callers(self, operation: ApiOperation, fixture: TenantFixture) -> list[Persona]:
        if operation.is_of_tenant:
            return list(fixture.side.callers.values())
        person = await fixture.side.join("visitor")
        person = Persona(person.name, person.user_id, person.credential)
        return [person, self._administrator, NOBODY] if not operation.is_public else [NOBODY]

    async def _attempt(
        self, operation: ApiOperation, fixture: TenantFixture, caller: Persona, *, is_deleted: bool
    ) -> Control | None:
        last: Control | None = None
        for choice in self._bodies.choices(operation):
            ids = await self._ids(operation, fixture, caller, is_deleted=is_deleted)
            if ids is None:
                return last
            filling = await self._seeder.filling_for(operation, fixture)
            request = AppRequest(
                operation.method,
                operation.address(ids),
                self._bodies.params(operation, filling, choice),
                caller.headers,
                self._bodies.body(operation, filling, choice),
            )
            last = Control(caller.name, request, await self._client.call(request))
            if last.answer.is_success:
                self._bodies.keep(operation, choice)
                return last
            if last.answer.status in (401, 403, 404) or operation.body_schema is None:
                return last
        return last

    async def _ids(
        self, operation: ApiOperation, fixture: TenantFixture, caller: Persona, *, is_deleted: bool
    ) -> tuple[UUID, ...] | None:
        """Return ids for the path: standing records for reads, new ones for writes, which may use them up."""
        if not operation.slots:
            return ()
        collection = operation.slots[-1].collection
        record = fixture.get(collection)
        if not operation.is_of_tenant:
            record = await self._of_person(collection, fixture, caller) or record
        elif operation.writes:
            made = await self._seeder.make(fixture, collection)
            if made is None and is_deleted:
                return None
            record = made or record
            if is_deleted and record is not None and not await self._seeder.delete(fixture, collection, record):
                return None
        if record is None or len(record.ids) != len(operation.slots):
            return None
        return record.ids

    async def _of_person(self, collection: str, fixture: TenantFixture, caller: Persona) -> Record | None:
        """Return what a person's own routes name: themselves, a tenant of the platform, something of their lists."""
        match collection:
            case _ if collection == USERS and caller.user_id is not None:
                return Record((caller.user_id,))
            case _ if collection == TENANTS:
                spare = await fixture.side.world.tenant(side="spare")
                return Record((spare.id,))
            case _:
                found = await self._seeder.first_of(collection, caller, fixture.filling)
                return None if found is None else Record((found,))
