"""`Explainer`: why somebody may or may not do something, and who may.

It asks the same decisions as requests do, about facts that are read anew: what it says is true now, while another
process may go by what it remembers for up to a second more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from tenantry.access import (
    ApiKeyNotFound,
    Breadth,
    NotPermitted,
    PermissionCatalog,
    Principal,
    RecordNotFound,
    ResourceAccess,
    ServiceAccountNotFound,
)
from tenantry.database import UnitOfWork
from tenantry.kernel import SYSTEM, ActorKind, NotFound
from tenantry.runtime import Runtime
from tenantry.standard.explain.errors import InvalidQuestion, UnknownAction, UnknownPosition, UnknownResourceType
from tenantry.standard.explain.explanation import Explanation, WhoCan, WhoCanPage
from tenantry.standard.explain.records import read_grants, read_record
from tenantry.standard.explain.roster import Roster, Someone, find_account, find_holder, find_member, read_actors
from tenantry.standard.explain.telling import Telling
from tenantry.standard.explain.verdict import CREATE, Target
from tenantry.standard.grants import by_name
from tenantry.tenancy import MemberNotFound, TenantFacts

EXPLAIN = "access:explain"
BATCH = 1000
"""Members that `who_can` reads at a time."""
TURN = 50
"""Members that it decides on before other requests have their turn; about 5 ms."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about an action: on one record, or on none."""

    action: str
    resource_type: str | None = None
    """Singular or plural; without it, the resource that the action is about."""
    resource_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class About:
    """Whom a question is about: one of the three, or whoever asks."""

    user_id: UUID | None = None
    service_account_id: UUID | None = None
    api_key_id: UUID | None = None

    @property
    def named(self) -> int:
        """How many are named."""
        return sum(one is not None for one in (self.user_id, self.service_account_id, self.api_key_id))


@dataclass(frozen=True, slots=True)
class Page:
    """Which of those who may are wanted: so many behind a subject."""

    limit: int = 200
    after: UUID | None = None


class Explainer:
    """Explains access in an application that declares these resources."""

    def __init__(self, runtime: Runtime, catalog: PermissionCatalog, resources: Iterable[ResourceAccess]) -> None:
        self._runtime = runtime
        self._catalog = catalog
        self._resources = by_name(resources)

    async def explain(self, tenant: TenantFacts, asked: Asked, about: About, asker: Principal | None) -> Explanation:
        """Explain an action to somebody of the tenant, or (without an asker) to an operator at the command line.

        Holders of ``access:explain`` ask about anybody and any record, everybody else about themselves and what they
        see. Raises `InvalidQuestion` (400); `NotPermitted` for questions about others; `MemberNotFound` and the like;
        `RecordNotFound`, the same for a record that is nowhere, another tenant's, and not to be seen.
        """
        target = self.target(asked)
        if about.named > 1:
            raise InvalidQuestion.at("user_id", "Name one of user_id, service_account_id and api_key_id.")
        async with self._control(tenant) as uow:
            roster = await self._roster(uow, tenant)
            caller = None if asker is None else await _found(uow, tenant.id, _caller(asker))
            if caller is not None and asker is not None and not _asks_about_anybody(asker):
                await _require_own(uow, asker, about)
            someone = caller if about.named == 0 and caller is not None else await _found(uow, tenant.id, about)
        async with self._tenant(tenant) as uow:
            target = await _with_record(uow, target, asked)
        if caller is not None and asker is not None and not _asks_about_anybody(asker):
            _require_seen(target, roster.principal(caller), asked)
        return _tell(roster, someone, target).explanation()

    async def who_can(self, tenant: TenantFacts, asked: Asked, page: Page) -> WhoCanPage:
        """Return members and service accounts that may do something, by name, with the line that lets each.

        Whoever calls it holds ``access:explain``. Raises `InvalidQuestion`, `RecordNotFound` and `UnknownPosition`.
        """
        target = self.target(asked)
        async with self._tenant(tenant) as uow:
            target = await _with_record(uow, target, asked)
        found: list[WhoCan] = []
        async with self._control(tenant) as uow:
            roster = await self._roster(uow, tenant)
            async for someone in _everybody(uow, tenant.id, page.after):
                telling = _tell(roster, someone, target)
                if telling.allowed:
                    found.append(telling.who_can())
                if len(found) > page.limit:
                    break
        has_more = len(found) > page.limit
        subjects = found[: page.limit]
        return WhoCanPage(subjects, has_more, subjects[-1].subject_id if has_more else None)

    def target(self, asked: Asked) -> Target:
        """Return what is asked about, without the record. Raises `UnknownAction` and `UnknownResourceType`."""
        if asked.action not in self._catalog.descriptions:
            raise UnknownAction.at("action", "There is no such action; GET /permissions lists them.")
        resource, _, verb = asked.action.partition(":")
        of = self._resources.get(resource)
        if asked.resource_type is None:
            named = of
        elif of is None and asked.resource_type == resource:
            named = None
        else:
            named = self._resources.get(asked.resource_type)
            above = tuple(of.above) if of else ()
            if named not in above:
                known = ", ".join(one.singular for one in above) or resource
                raise UnknownResourceType.at("resource_type", f"{asked.action} is asked about: {known}.")
        if asked.resource_id is not None:
            _require_record(of, named, verb)
        return Target(asked.action, of, named)

    async def _roster(self, uow: UnitOfWork, tenant: TenantFacts) -> Roster:
        return await Roster.read(uow, tenant, self._catalog, self._runtime.clock.now())

    def _control(self, tenant: TenantFacts) -> UnitOfWork:
        return self._runtime.database.control_scope(actor=SYSTEM, tenant_id=tenant.id)

    def _tenant(self, tenant: TenantFacts) -> UnitOfWork:
        return self._runtime.database.tenant_scope(tenant.id, tenant.placement, actor=SYSTEM, request_id=None)


async def _found(uow: UnitOfWork, tenant_id: UUID, about: About) -> Someone:
    """Return whom a question is about. Raises `MemberNotFound`, `ServiceAccountNotFound` and `ApiKeyNotFound`."""
    if about.api_key_id is not None:
        return _there(await find_holder(uow, tenant_id, about.api_key_id), ApiKeyNotFound)
    if about.service_account_id is not None:
        return _there(await find_account(uow, tenant_id, about.service_account_id), ServiceAccountNotFound)
    if about.user_id is not None:
        return _there(await find_member(uow, tenant_id, about.user_id), MemberNotFound)
    raise InvalidQuestion.at("user_id", "Name one of user_id, service_account_id and api_key_id.")


def _there(someone: Someone | None, missing: type[NotFound]) -> Someone:
    if someone is None:
        raise missing
    return someone


async def _require_own(uow: UnitOfWork, asker: Principal, about: About) -> None:
    """Refuse questions about others, whether they exist or not."""
    own = {about.user_id, about.service_account_id} <= {None, asker.user_id}
    if own and about.api_key_id is not None:
        holder = await find_holder(uow, asker.tenant.id, about.api_key_id)
        own = holder is not None and holder.id == asker.user_id
    if not own:
        raise NotPermitted(f"To ask about others needs the permission {EXPLAIN}.", permission=EXPLAIN)


def _require_seen(target: Target, asker: Principal, asked: Asked) -> None:
    """Refuse questions about a record that the asker does not see, as if it were not there."""
    if not target.is_seen_by(asker):
        raise _no_such_record(target, asked)


async def _with_record(uow: UnitOfWork, target: Target, asked: Asked) -> Target:
    """Return the target with the record and the grants that are about it."""
    if asked.resource_id is None or target.named is None:
        return target
    record = await read_record(uow, target.named, asked.resource_id)
    if record is None:
        raise _no_such_record(target, asked)
    return replace(target, record=record, grants=await read_grants(uow, record))


def _no_such_record(target: Target, asked: Asked) -> RecordNotFound:
    kind = target.named.singular if target.named else "record"
    return RecordNotFound(f"{kind.capitalize()} {asked.resource_id} not found.")


def _require_record(of: ResourceAccess | None, named: ResourceAccess | None, verb: str) -> None:
    """Refuse a record where the question cannot be about one."""
    if of is None or named is None:
        raise InvalidQuestion.at("resource_id", "This action is not about single records.")
    if verb == CREATE and of is named:
        above = of.parent.access.singular if of.parent else None
        way = f"name the {above} that is to hold it, by resource_type={above}" if above else "leave it out"
        raise InvalidQuestion.at("resource_id", f"What is to be created has no id yet: {way}.")


async def _everybody(uow: UnitOfWork, tenant_id: UUID, after: UUID | None) -> AsyncIterator[Someone]:
    """Yield members and service accounts by name, in batches."""
    last = None
    if after is not None:
        last = await find_member(uow, tenant_id, after) or await find_account(uow, tenant_id, after)
        if last is None:
            raise UnknownPosition.at("after", "There is no such subject; begin anew.")
    while batch := await read_actors(uow, tenant_id, last, limit=BATCH):
        for number, someone in enumerate(batch):
            if number % TURN == 0:
                await asyncio.sleep(0)
            yield someone
        last = batch[-1]


def _tell(roster: Roster, someone: Someone, target: Target) -> Telling:
    return Telling(roster, someone, target, target.judge(roster.principal(someone)))


def _asks_about_anybody(principal: Principal) -> bool:
    return principal.breadth(EXPLAIN) is Breadth.ALL and principal.scope(EXPLAIN) is Breadth.ALL


def _caller(principal: Principal) -> About:
    """Return the acting person, service account or key as whom a question can be about."""
    if principal.key_id is not None:
        return About(api_key_id=principal.key_id)
    if principal.actor.kind is ActorKind.SERVICE_ACCOUNT:
        return About(service_account_id=principal.user_id)
    return About(user_id=principal.user_id)
