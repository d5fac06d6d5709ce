"""Attacks on every route, each beside the same request for something that does not exist.

What belongs to another tenant must be answered like what belongs to nobody: the same status, the same words. Every
attack has its control, the same request for one's own, which must succeed; an attack on a route that refuses
everything would prove nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from httpx2 import AsyncClient, Response
from tests.acceptance.scenery import Scenery, checksums, joined, made, things
from tests.acceptance.surface import QUESTIONS, Ids, Operation, tenant_operations

from tenantry.kernel import new_id
from tenantry.tenancy import Role
from tenantry.testing import TestTenant

ADDS_PEOPLE_BY_ID = "members_create"
"""The one operation that may name a user of no tenant of one's own: people belong to the platform, not to a tenant."""

SEARCHED = {"members_list": "people.test", "teams_members_list": "people.test", "permissions_list": "teams"}
"""What a list is searched for where its texts do not carry the tenant's canary."""

SUBJECTS = {
    "user": "members",
    "team": "teams",
    "role": "roles",
    "service_account": "service-accounts",
    "api_key": "api-keys",
}
"""Where the subjects of grants are, by kind."""

_VOLATILE = re.compile(r'("request_id":)"[^"]*"')


@dataclass
class Exposure:
    """What an attacker must never be shown, and everything that was shown."""

    secrets: frozenset[str]
    answers: int = 0
    allowed: set[str] = field(default_factory=set)
    """Ids of the operations that succeeded for somebody who may."""

    @classmethod
    async def of(cls, victim: Scenery, admin: asyncpg.Connection) -> Exposure:
        people = list(victim.tenant.people.values())
        emails = await admin.fetch("SELECT email FROM control.users WHERE id = ANY ($1)", people)
        texts = {victim.canary, victim.tenant.slug, *victim.own_ids, *(row["email"] for row in emails)}
        return cls(frozenset(text.lower() for text in texts))

    def inspect(self, answer: Response, sent: Mapping[str, Any]) -> None:
        """Fail if an answer shows a secret that was not part of the request itself."""
        self.answers += 1
        told = repr(sent).lower()
        shown = f"{answer.text}\n{answer.headers}".lower()
        leaked = [secret for secret in self.secrets if secret in shown and secret not in told]
        assert not leaked, f"{answer.request.method} {answer.request.url} shows {leaked}: {answer.text[:500]}"


@dataclass(frozen=True)
class Attacker:
    """Who attacks: one of the tenant's people, by an access token or by an API key."""

    tenant: TestTenant
    role: Role
    key: str | None = None

    def __str__(self) -> str:
        return f"the key of {self.role}" if self.key else str(self.role)

    @property
    def may_everything(self) -> bool:
        return self.role is Role.OWNER and self.key is None

    def client(self, headers: Mapping[str, str] | None) -> AsyncClient:
        """Return who sends; `headers` name a tenant in the place of one's own."""
        if headers is None and self.key is None:
            return self.tenant.as_(self.role)
        token = {"Authorization": f"Bearer {self.tenant.tokens[self.role]}"}
        sent = token if self.key is None else {"X-API-Key": self.key}
        return self.tenant.world.client({**sent, **(headers or {})})


@dataclass(frozen=True)
class Attack:
    """One request for what is foreign, its twin for what is nowhere, and the statuses that either may have."""

    name: str
    foreign: Mapping[str, Any]
    nowhere: Mapping[str, Any]
    for_owner: frozenset[int]


async def attack_every_route(
    mine: Scenery, victim: Scenery, role: Role, admin: asyncpg.Connection, *, key: str | None = None
) -> Exposure:
    """Attack the victim through every tenant route, as one role, or with an API key of it; return what was met.

    The victim's rows, in every table of every plane, are the same afterwards.
    """
    exposure = await Exposure.of(victim, admin)
    before = await checksums(admin, victim.tenant.id)
    for operation in tenant_operations(mine.tenant.world.app):
        for attack in attacks_on(operation, mine, victim):
            await _meets_nothing(operation, attack, Attacker(mine.tenant, role, key), exposure)
    assert await checksums(admin, victim.tenant.id) == before
    return exposure


def attacks_on(operation: Operation, mine: Scenery, victim: Scenery) -> Iterator[Attack]:
    """Yield every attack that the operation's shape allows: ids in path, body and query, texts, the tenant itself."""
    yield from _in_path(operation, mine, victim)
    yield from _in_body(operation, mine, victim)
    yield from _in_query(operation, mine, victim)
    yield from _by_header(operation, mine, victim)


def _in_path(operation: Operation, mine: Scenery, victim: Scenery) -> Iterator[Attack]:
    for collection in operation.path_collections:
        for state, foreign in (("live", victim.ids), ("deleted", victim.deleted)):
            if collection in foreign:
                yield Attack(
                    f"{state} {collection} in the path",
                    {"ids": mine.ids | {collection: foreign[collection]}},
                    {"ids": mine.ids | {collection: new_id()}},
                    frozenset({404}),
                )


def _in_body(operation: Operation, mine: Scenery, victim: Scenery) -> Iterator[Attack]:
    for name in operation.references:
        if operation.id == ADDS_PEOPLE_BY_ID:
            continue
        body = operation.body(mine.ids)
        foreign, nowhere = body | {name: str(victim.ids[name])}, body | {name: str(new_id())}
        sent = {"ids": mine.ids}
        yield Attack(f"{name} in the body", sent | {"body": foreign}, sent | {"body": nowhere}, frozenset({422}))
    if "subject_type" in (operation.body_schema or {}).get("properties", {}):
        yield from _as_subject(operation, mine, victim)


def _as_subject(operation: Operation, mine: Scenery, victim: Scenery) -> Iterator[Attack]:
    """Yield a foreign subject of every kind that there is."""
    for kind, collection in SUBJECTS.items():
        body = operation.body(mine.ids) | {"subject_type": kind}
        yield Attack(
            f"a foreign {kind} as subject",
            {"ids": mine.ids, "body": body | {"subject_id": str(victim.ids[collection])}},
            {"ids": mine.ids, "body": body | {"subject_id": str(new_id())}},
            frozenset({422}),
        )


def _in_query(operation: Operation, mine: Scenery, victim: Scenery) -> Iterator[Attack]:
    for name, schema in operation.query.items():
        field_name = name.removeprefix("filter[").partition("]")[0]
        is_id = name == f"filter[{field_name}]" and schema.get("format") == "uuid"
        if is_id:
            foreign, nowhere = str(victim.ids[field_name]), str(new_id())
        elif name == "search" or name.endswith("[contains]"):
            foreign, nowhere = victim.canary, f"nothing.{new_id().hex}"
        elif operation.id in QUESTIONS and schema.get("format") == "uuid":
            yield _by_question(name, mine, victim)
            continue
        else:
            continue
        sent = {"ids": mine.ids}
        yield Attack(
            f"{name} in the query",
            sent | {"params": {name: foreign, "with_total": "true"}},
            sent | {"params": {name: nowhere, "with_total": "true"}},
            frozenset({200}),
        )


def _by_question(name: str, mine: Scenery, victim: Scenery) -> Attack:
    """Return the attack that asks about something foreign; 400 is the answer to a position that is none."""
    return Attack(
        f"{name} in the query",
        {"ids": mine.ids, "params": {name: str(victim.ids[name])}},
        {"ids": mine.ids, "params": {name: str(new_id())}},
        frozenset({400 if name == "after" else 404}),
    )


def _by_header(operation: Operation, mine: Scenery, victim: Scenery) -> Iterator[Attack]:
    own = {"X-Tenant-Id": str(mine.tenant.id), "X-Tenant-Slug": mine.tenant.slug}
    named = {"X-Tenant-Id": str(victim.tenant.id), "X-Tenant-Slug": victim.tenant.slug}
    nowhere = {"X-Tenant-Id": str(new_id()), "X-Tenant-Slug": f"t-{new_id().hex[-24:]}"}
    for header in own:
        for beside in ({}, {name: value for name, value in own.items() if name != header}):
            yield Attack(
                f"{header} of the victim{' beside ones own' if beside else ''}",
                {"ids": victim.ids, "only_headers": {header: named[header], **beside}},
                {"ids": victim.ids, "only_headers": {header: nowhere[header], **beside}},
                frozenset({400, 403}),
            )


async def _meets_nothing(operation: Operation, attack: Attack, attacker: Attacker, exposure: Exposure) -> None:
    place = f"{operation.id} as {attacker}: {attack.name}"
    answers = []
    for sent in (attack.foreign, attack.nowhere):
        answer = await _send(operation, attacker, sent)
        exposure.inspect(answer, sent)
        answers.append(answer)
    foreign, nowhere = answers
    allowed = attack.for_owner if attacker.may_everything else attack.for_owner | {403}
    assert foreign.status_code in allowed, f"{place}: {foreign.status_code} {foreign.text[:500]}"
    assert comparable(foreign, attack.foreign) == comparable(nowhere, attack.nowhere), place
    if foreign.status_code == 200:
        assert foreign.json()["items"] == [], place
        assert foreign.json()["page"]["total"] == 0, place


async def _send(operation: Operation, attacker: Attacker, sent: Mapping[str, Any]) -> Response:
    given = dict(sent)
    headers = given.pop("only_headers", None)
    client = attacker.client(headers)
    return await operation.send(client, given.pop("ids"), body=given.pop("body", None), **given)


def comparable(answer: Response, sent: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what two answers must have in common, without the ids and texts that the requests themselves brought."""
    text = _VOLATILE.sub(r"\1null", answer.text)
    for value in sorted(_leaves(sent), key=len, reverse=True):
        text = text.replace(value, "…")
    return answer.status_code, text, sorted(answer.headers)


def _leaves(value: Any) -> set[str]:
    match value:
        case Mapping():
            return {leaf for inner in value.values() for leaf in _leaves(inner)}
        case UUID():
            return {str(value)}
        case str() if len(value) > 8:
            return {value}
        case _:
            return set()


async def use_every_route(mine: Scenery, exposure: Exposure) -> None:
    """Call every tenant route as the owner may: each call succeeds, and shows nothing of the victim."""
    for operation in tenant_operations(mine.tenant.world.app):
        answer = await allowed_call(operation, mine)
        exposure.inspect(answer, {})
        exposure.allowed.add(operation.id)
        if operation.is_list:
            await _finds_own(operation, mine, exposure)


async def allowed_call(operation: Operation, mine: Scenery) -> Response:
    """Call one operation as the owner, with things made for it."""
    ids = await prepared(operation, mine)
    answer = await operation.send(mine.tenant.owner, ids, mark=mine.canary)
    assert answer.is_success, f"{operation.id}: {answer.status_code} {answer.text[:500]}"
    return answer


async def prepared(operation: Operation, mine: Scenery) -> Ids:
    """Return ids of new things, in the state that the operation asks for."""
    if not operation.writes:
        return mine.ids
    ids = await things(mine.tenant)
    if "members" in operation.path_collections:
        ids["members"] = await joined(mine.tenant, f"leaving.{new_id().hex[-8:]}")
    if operation.path_collections == ("teams", "members"):
        body = {"user_id": str(ids["members"])}
        await made(mine.tenant, f"/teams/{ids['teams']}/members", body)
    if operation.id == ADDS_PEOPLE_BY_ID:
        ids["user_id"] = await mine.tenant.world.person(f"coming.{new_id().hex[-8:]}")
    if operation.path.endswith("/restore"):
        [collection] = operation.path_collections
        gone = await mine.tenant.owner.delete(f"/{collection}/{ids[collection]}")
        assert gone.status_code == 204, gone.text
    return ids


async def _finds_own(operation: Operation, mine: Scenery, exposure: Exposure) -> None:
    """Each way of selecting that found nothing foreign finds what is one's own."""
    for name, schema in operation.query.items():
        field_name = name.removeprefix("filter[").partition("]")[0]
        if name == f"filter[{field_name}]" and schema.get("format") == "uuid":
            # Some are owned by the owner, some assigned to the member: one of the two is found.
            values = [str(mine.ids[field_name]), str(mine.tenant.people[Role.OWNER])]
        elif name == "search":
            values = [SEARCHED.get(operation.id, mine.canary)]
        else:
            continue
        found = []
        for value in values:
            answer = await operation.send(mine.tenant.owner, mine.ids, params={name: value, "with_total": "true"})
            assert answer.status_code == 200, answer.text
            exposure.inspect(answer, {})
            found += answer.json()["items"]
        assert found, f"{operation.id}: {name} finds nothing of one's own"
