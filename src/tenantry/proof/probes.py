"""The matrix: for one operation and one caller, every request about something that is not the caller's.

Each *probe* is a request with values of the other tenant (or with something deleted), and its twin with values that
name nothing. The two must be answered alike.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from tenantry.kernel import SystemClock
from tenantry.proof.bodies import PEOPLE, Bodies
from tenantry.proof.calling import AppRequest
from tenantry.proof.people import Persona
from tenantry.proof.seeding import State, TenantFixture
from tenantry.testing import ApiOperation, IdReference

Values = tuple[str, ...]
Of = Literal["id", "slug", "text"]

NO_ID = "not-an-id"

_SUBJECT = IdReference("subject_id", "subject_id")
"""Named by id, although its schema is a text: a role may be named by its name too."""

DIFFERENT_STATES = (State.OWN, State.DELETED, State.BENEATH)


@dataclass(frozen=True)
class Probe:
    """A request about something that must not be there for the caller; `build` takes its ids or its twin's."""

    operation: ApiOperation
    caller: str
    thing: str
    place: str
    build: Callable[[Values], AppRequest]
    foreign: Values
    of: Of = "id"
    is_foreign: bool = True
    """Whether it is the other tenant's; else something deleted of one's own."""
    must_fail: bool = False
    """Whether it may not even be taken where what is nowhere is taken as well."""


class Nowhere:
    """Ids, slugs and texts that name nothing, from a seed; ids look like those of this moment."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret

    def like(self, values: Values, of: Of) -> Values:
        """Return as many values that name nothing."""
        return tuple(self._one(value, of) for value in values)

    def id(self) -> UUID:
        """Return an id of version 7 that nothing has."""
        moment = int(SystemClock().now().timestamp() * 1000) << 80
        bits = self._random.getrandbits(74)
        return UUID(int=moment | 0x7 << 76 | (bits >> 62) << 64 | 0b10 << 62 | bits & (1 << 62) - 1)

    def _one(self, value: str, of: Of) -> str:
        match of:
            case "id":
                return str(self.id())
            case "slug":
                return f"t-{self.id().hex[-24:]}"
            case "text":
                return f"none.{self.id().hex}"[: len(value)]


@dataclass(frozen=True)
class Matrix:
    """Generates the probes of the attackers of `mine` against `theirs`."""

    mine: TenantFixture
    theirs: TenantFixture
    bodies: Bodies

    def probes(self, operation: ApiOperation, caller: Persona) -> Iterator[Probe]:
        """Yield every probe that the shape of the operation allows a member of `mine`."""
        if caller.is_of_both and not operation.is_of_tenant:
            return  # a person's own tenants, of which the other one is one
        yield from self._in_path(operation, caller)
        if self.mine.ids_for(operation) is not None:
            yield from self._in_body(operation, caller)
            yield from self._in_query(operation, caller)
        if operation.is_of_tenant and not caller.is_of_both:
            yield from self.by_header(operation, caller)

    def by_header(self, operation: ApiOperation, caller: Persona) -> Iterator[Probe]:
        """Yield the probes that select the other tenant; all that somebody of no tenant can try."""
        side, own = self.theirs.side.tenant, self.mine.side.tenant
        ids = self.theirs.ids_for(operation)
        if ids is None:
            return
        params = self.bodies.params(operation, self.theirs.filling)
        body = self.bodies.body(operation, self.theirs.filling)
        named: tuple[tuple[str, str, Of, dict[str, str]], ...] = (
            ("X-Tenant-Id", str(side.id), "id", {"X-Tenant-Slug": own.slug}),
            ("X-Tenant-Slug", side.slug, "slug", {"X-Tenant-Id": str(own.id)}),
        )
        for header, value, of, beside in named:
            for others in ({}, beside) if caller.tenant else ({},):

                def build(values: Values, header: str = header, others: Mapping[str, str] = others) -> AppRequest:
                    headers = {**caller.credential, **others, header: values[0]}
                    return AppRequest(operation.method, operation.address(ids), params, headers, body)

                place = f"header {header}{' beside one of ones own' if others else ''}"
                yield Probe(operation, caller.name, "other tenant", place, build, (value,), of)

    def unselected(self, operation: ApiOperation, caller: Persona) -> AppRequest | None:
        """Return a request for something of the other tenant without saying which tenant."""
        ids = self.theirs.ids_for(operation)
        return None if ids is None else self._request(operation, caller, ids)

    def malformed(self, operation: ApiOperation, caller: Persona) -> Iterator[tuple[str, AppRequest]]:
        """Yield requests with something that is no id, each with the place where it stands."""
        ids = self.mine.ids_for(operation)
        if ids:
            yield "path", self._request(operation, caller, (*ids[:-1], NO_ID))
        if ids is not None:
            for reference in operation.id_parameters:
                yield f"query {reference.name}", self._query_builder(operation, caller, reference.name)((NO_ID,))
            for reference in operation.references:
                yield f"body member {reference.name}", self._body_builder(operation, caller, reference)((NO_ID,))

    def _in_path(self, operation: ApiOperation, caller: Persona) -> Iterator[Probe]:
        own = self.mine.ids_for(operation)
        if not operation.slots or own is None:
            return
        last = operation.slots[-1].collection
        for state in DIFFERENT_STATES:
            foreign = self.theirs.get(last, state)
            thing = "other tenant" if state is State.OWN else f"other tenant, {state}"
            if foreign is not None and len(foreign.ids) == len(own):
                yield from self._replaced(operation, caller, own, foreign.ids, thing)
                if state is State.OWN:
                    yield from self._with_etag(operation, caller, foreign.ids, foreign.etag)
        if operation.path.endswith("/restore"):
            return
        for state in (State.DELETED, State.BENEATH):
            gone = self.mine.get(last, state)
            if gone is not None and len(gone.ids) == len(own):
                build = self._builder(operation, caller, gone.ids, [len(own) - 1])
                yield Probe(operation, caller.name, state, "path", build, (str(gone.id),), is_foreign=False)
        if (above := self._another_parent(operation)) is not None:
            build = self._builder(operation, caller, (above, *own[1:]), [len(own) - 1])
            place, value = f"nested path, {operation.slots[-1].name}", str(own[-1])
            yield Probe(operation, caller.name, "child of another parent", place, build, (value,), is_foreign=False)

    def _another_parent(self, operation: ApiOperation) -> UUID | None:
        """Return a record of one's own that the child in the path is not below."""
        if len(operation.slots) != 2:
            return None
        own, other = (self.mine.get(operation.slots[0].collection, one) for one in (State.OWN, State.OTHERS))
        return other.id if own is not None and other is not None and own.id != other.id else None

    def _replaced(
        self, operation: ApiOperation, caller: Persona, own: Sequence[Any], foreign: Sequence[UUID], thing: str
    ) -> Iterator[Probe]:
        """Put foreign ids into the path: into each place alone beside ones own, then into all."""
        places = [[at] for at in range(len(own))]
        if len(own) > 1:
            places.append(list(range(len(own))))
        for at in places:
            build = self._builder(operation, caller, own, at)
            names = ", ".join(operation.slots[one].name for one in at)
            place = "path" if len(own) == 1 else f"nested path, {names}"
            yield Probe(operation, caller.name, thing, place, build, tuple(str(foreign[one]) for one in at))

    def _with_etag(
        self, operation: ApiOperation, caller: Persona, foreign: Sequence[UUID], etag: str | None
    ) -> Iterator[Probe]:
        header = "If-Match" if operation.writes else "If-None-Match"
        if etag is None or not any(one["name"].lower() == header.lower() for one in operation.parameters):
            return
        places = list(range(len(foreign)))
        build = self._builder(operation, caller, foreign, places, headers={header: etag})
        values = tuple(str(one) for one in foreign)
        yield Probe(operation, caller.name, "other tenant", f"path with its ETag in {header}", build, values)

    def _in_body(self, operation: ApiOperation, caller: Persona) -> Iterator[Probe]:
        for reference in operation.references:
            for state in (State.OWN, State.DELETED):
                foreign = self._foreign(operation, reference, state)
                if foreign is not None:
                    build = self._body_builder(operation, caller, reference)
                    thing = "other tenant" if state is State.OWN else f"other tenant, {state}"
                    kind = "bulk" if reference.is_list else "body"
                    place = f"{kind} member {reference.name}"
                    must_fail = self.bodies.vocabulary.is_reference(operation, reference.field)
                    values = (str(foreign),)
                    yield Probe(operation, caller.name, thing, place, build, values, must_fail=must_fail)
        members = (operation.body_schema or {}).get("properties", {})
        if {"subject_type", "subject_id"} <= members.keys():
            yield from self._as_subject(operation, caller, operation.plain(members["subject_type"]).get("enum", ()))
        if operation.is_of_tenant and members:
            build = self._body_builder(operation, caller, IdReference("tenant_id", "tenant_id"))
            value = str(self.theirs.side.tenant.id)
            yield Probe(operation, caller.name, "other tenant", "body tenant_id, undeclared", build, (value,))

    def _as_subject(self, operation: ApiOperation, caller: Persona, kinds: Sequence[str]) -> Iterator[Probe]:
        """Name a subject of the other tenant, of every kind that a grant can be given to."""
        for kind in kinds:
            foreign = self.theirs.get(self.bodies.vocabulary.target_of(operation, f"{kind}_id"))
            if foreign is not None:
                build = self._body_builder(operation, caller, _SUBJECT, subject_type=kind)
                place, value = f"body member subject_id of kind {kind}", str(foreign.id)
                yield Probe(operation, caller.name, "other tenant", place, build, (value,), must_fail=True)

    def _in_query(self, operation: ApiOperation, caller: Persona) -> Iterator[Probe]:
        for reference in operation.id_parameters:
            foreign = self._foreign(operation, reference, State.OWN)
            if foreign is not None:
                build = self._query_builder(operation, caller, reference.name)
                yield Probe(operation, caller.name, "other tenant", f"query {reference.name}", build, (str(foreign),))
        for name in operation.text_parameters:
            build = self._query_builder(operation, caller, name)
            yield Probe(
                operation, caller.name, "other tenant", f"query {name}", build, (self.theirs.side.mark,), "text"
            )
        if operation.is_of_tenant and not operation.writes:
            build = self._query_builder(operation, caller, "tenant_id")
            value = str(self.theirs.side.tenant.id)
            yield Probe(operation, caller.name, "other tenant", "query tenant_id, undeclared", build, (value,))

    def _foreign(self, operation: ApiOperation, reference: IdReference, state: State) -> UUID | None:
        target = self.bodies.vocabulary.target_of(operation, reference.field)
        record = self.theirs.get(target, state) or (self.theirs.get(PEOPLE) if state is State.OWN else None)
        return None if record is None else record.id

    def _request(
        self, operation: ApiOperation, caller: Persona, ids: Sequence[Any], headers: Mapping[str, str] | None = None
    ) -> AppRequest:
        filling = self.mine.filling
        params = self.bodies.params(operation, filling)
        body = self.bodies.body(operation, filling)
        return AppRequest(operation.method, operation.address(ids), params, {**caller.headers, **(headers or {})}, body)

    def _builder(
        self,
        operation: ApiOperation,
        caller: Persona,
        ids: Sequence[Any],
        places: Sequence[int],
        headers: Mapping[str, str] | None = None,
    ) -> Callable[[Values], AppRequest]:
        template = self._request(operation, caller, ids, headers)

        def build(values: Values) -> AppRequest:
            filled = list(ids)
            for place, value in zip(places, values, strict=True):
                filled[place] = value
            path = operation.address(filled)
            return AppRequest(template.method, path, template.params, template.headers, template.body)

        return build

    def _body_builder(
        self, operation: ApiOperation, caller: Persona, reference: IdReference, **beside: str
    ) -> Callable[[Values], AppRequest]:
        template = self._request(operation, caller, self.mine.ids_for(operation) or ())
        own = list((template.body or {}).get(reference.name, ())) if reference.is_list else []

        def build(values: Values) -> AppRequest:
            value = [*own, values[0]] if reference.is_list else values[0]
            body = {**template.body, **beside, reference.name: value}
            return AppRequest(template.method, template.path, template.params, template.headers, body)

        return build

    def _query_builder(self, operation: ApiOperation, caller: Persona, name: str) -> Callable[[Values], AppRequest]:
        template = self._request(operation, caller, self.mine.ids_for(operation) or ())
        counted = {"with_total": "true"} if "with_total" in operation.query else {}

        def build(values: Values) -> AppRequest:
            params = {**template.params, **counted, name: values[0]}
            return AppRequest(template.method, template.path, params, template.headers, template.body)

        return build
