"""`Explainer`: why somebody may or may not do something, and who may.

It asks the same decisions as requests do, about facts that are read anew: what it says is true now, while another
process may go by what it remembers for up to a second more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from uuid import UUID

from tenantry.access import (
    ApiKeyNotFound,
    NotPermitted,
    PermissionCatalog,
    Principal,
    ResourceAccess,
    ServiceAccountNotFound,
    SubjectType,
)
from tenantry.database import UnitOfWork
from tenantry.kernel import SYSTEM
from tenantry.runtime import Runtime
from tenantry.standard.explain.decisions import AccessDecision
from tenantry.standard.explain.errors import UnknownPosition
from tenantry.standard.explain.question import AccessQuestion, QuestionTarget, SubjectReference
from tenantry.standard.explain.records import read_grants, read_record
from tenantry.standard.explain.rendering import ExplanationRenderer
from tenantry.standard.explain.schemas import ExplanationRead, WhoCanItem, WhoCanRead
from tenantry.standard.explain.tenant_snapshot import SubjectFacts, TenantSnapshot, find_subject, read_actors
from tenantry.standard.grants import by_name
from tenantry.tenancy import MemberNotFound, TenantFacts

EXPLAIN = "access:explain"
TURN = 50
"""Members that it decides on before other requests have their turn; about 5 ms."""

_MISSING = {SubjectType.SERVICE_ACCOUNT: ServiceAccountNotFound, SubjectType.API_KEY: ApiKeyNotFound}


class Explainer:
    """Explains access in an application that declares these resources."""

    def __init__(self, runtime: Runtime, catalog: PermissionCatalog, resources: Iterable[ResourceAccess]) -> None:
        self._runtime = runtime
        self._catalog = catalog
        self._resources = by_name(resources)

    async def explain(
        self, tenant: TenantFacts, question: AccessQuestion, about: SubjectReference, asker: Principal | None
    ) -> ExplanationRead:
        """Explain an action to somebody of the tenant, or (without an asker) to an operator at the command line.

        Holders of ``access:explain`` ask about anybody and any record, everybody else about themselves and what they
        see. Raises `InvalidQuestion` (400); `NotPermitted` for questions about others; `MemberNotFound` and the like;
        `RecordNotFound`, the same for a record that is nowhere, another tenant's, and not to be seen.
        """
        target = question.target(self._catalog, self._resources)
        limited = asker if asker is not None and not asker.has(EXPLAIN) else None
        async with self._runtime.database.control_scope(actor=SYSTEM, tenant_id=tenant.id) as uow:
            snapshot = await TenantSnapshot.read(uow, tenant, self._catalog, self._runtime.clock.now())
            if limited is not None:
                await _require_own(uow, limited, about)
                limited = snapshot.principal(await _found(uow, tenant.id, SubjectReference.of(limited)))
            subject = await snapshot.as_answered(uow, await _found(uow, tenant.id, about))
        target = await self._with_record(tenant, target, question)
        if limited is not None and not target.is_seen_by(limited):
            raise question.not_found(target)
        return ExplanationRenderer(AccessDecision.of(snapshot, subject, target)).explanation()

    async def who_can(
        self, tenant: TenantFacts, question: AccessQuestion, *, limit: int = 200, after: UUID | None = None
    ) -> WhoCanRead:
        """Return members and service accounts that may do something, by name, with the line that lets each.

        `after` is the last subject of the page before. Whoever calls it holds ``access:explain``. Raises
        `InvalidQuestion`, `RecordNotFound` and `UnknownPosition`.
        """
        target = question.target(self._catalog, self._resources)
        target = await self._with_record(tenant, target, question)
        found: list[WhoCanItem] = []
        async with self._runtime.database.control_scope(actor=SYSTEM, tenant_id=tenant.id) as uow:
            snapshot = await TenantSnapshot.read(uow, tenant, self._catalog, self._runtime.clock.now())
            async for subject in _everybody(uow, tenant.id, after):
                decision = AccessDecision.of(snapshot, await snapshot.as_answered(uow, subject), target)
                if decision.allowed:
                    found.append(ExplanationRenderer(decision).who_can())
                if len(found) > limit:
                    break
        has_more, subjects = len(found) > limit, found[:limit]
        next_after = subjects[-1].subject_id if has_more else None
        return WhoCanRead(subjects=subjects, has_more=has_more, next_after=next_after)

    async def _with_record(
        self, tenant: TenantFacts, target: QuestionTarget, question: AccessQuestion
    ) -> QuestionTarget:
        """Return the target with the record and the grants that are about it."""
        if question.resource_id is None or target.named is None:
            return target
        scope = self._runtime.database.tenant_scope(tenant.id, tenant.placement, actor=SYSTEM, request_id=None)
        async with scope as uow:
            record = await read_record(uow, target.named, question.resource_id)
            if record is None:
                raise question.not_found(target)
            return replace(target, record=record, grants=await read_grants(uow, record))


async def _found(uow: UnitOfWork, tenant_id: UUID, about: SubjectReference) -> SubjectFacts:
    """Return whom a question is about. Raises `MemberNotFound`, `ServiceAccountNotFound` and `ApiKeyNotFound`."""
    subject = await find_subject(uow, tenant_id, about.id, is_key=about.type is SubjectType.API_KEY)
    if subject is None or about.type not in (subject.type, SubjectType.API_KEY):
        raise _MISSING.get(about.type, MemberNotFound)
    return subject


async def _require_own(uow: UnitOfWork, asker: Principal, about: SubjectReference) -> None:
    """Refuse questions about others, whether they exist or not."""
    owner_id: UUID | None = about.id
    if about.type is SubjectType.API_KEY:
        holder = await find_subject(uow, asker.tenant.id, about.id, is_key=True)
        owner_id = holder.id if holder else None
    if owner_id != asker.user_id:
        raise NotPermitted(f"To ask about others needs the permission {EXPLAIN}.", permission=EXPLAIN)


async def _everybody(uow: UnitOfWork, tenant_id: UUID, after: UUID | None) -> AsyncIterator[SubjectFacts]:
    """Yield members and service accounts by name, in batches."""
    last = None
    if after is not None:
        last = await find_subject(uow, tenant_id, after)
        if last is None:
            raise UnknownPosition.at("?after", "There is no such subject; begin anew.")
    while batch := await read_actors(uow, tenant_id, last):
        for number, subject in enumerate(batch):
            if number % TURN == 0:
                await asyncio.sleep(0)
            yield subject
        last = batch[-1]
