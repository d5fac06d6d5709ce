"""What is asked about, and the verdict on it: made of the decisions that requests are answered by, and of no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from tenantry.access import Decision, Effect, GrantFacts, Line, Principal, Question, RecordFacts, ResourceAccess
from tenantry.kernel import new_id
from tenantry.standard.api_keys.permissions import OWNED
from tenantry.standard.explain.given import GivenOnRecord

CREATE, GRANT, READ = "create", "grant", "read"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One decision: on the action, or on reading the record or one above it."""

    question: Question
    decision: Decision
    of: ResourceAccess | None = None
    record: RecordFacts | None = None

    @property
    def is_deleted(self) -> bool:
        """Whether the record is soft-deleted, so that nobody sees it."""
        return self.record is not None and self.record.is_deleted

    @property
    def allowed(self) -> bool:
        """Whether this much is allowed."""
        return self.decision.allowed and not self.is_deleted

    @property
    def line(self) -> Line:
        """The line that decided."""
        return Line.NOTHING if self.is_deleted else self.decision.line


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether somebody may do what was asked, with every decision that it takes."""

    principal: Principal
    action: Judgement
    reads: tuple[Judgement, ...]
    """Whether the record is seen, then each one above it: a write needs visible and its action."""

    @property
    def allowed(self) -> bool:
        """Whether it is allowed altogether."""
        return self.visible and self.action.allowed

    @property
    def visible(self) -> bool:
        """Whether everything is seen that has to be."""
        return all(read.allowed for read in self.reads)

    @property
    def deciding(self) -> Judgement:
        """The decision that the verdict comes from: the first that refuses, else that on the action."""
        return next((read for read in self.reads if not read.allowed), self.action)


@dataclass(frozen=True, slots=True)
class Target:
    """A permission, on one record or on none.

    The record may be one above those that the permission is about: then the question is about any record below it
    that is somebody else's; for ``create`` about a new one. What is created belongs to whoever creates it.
    """

    permission: str
    of: ResourceAccess | None
    """The resource that the permission is about; None for permissions of the framework."""
    named: ResourceAccess | None = None
    """The resource of the record."""
    record: RecordFacts | None = None
    grants: GivenOnRecord = field(default_factory=GivenOnRecord)

    @property
    def verb(self) -> str:
        """The last part of the permission."""
        return self.permission.partition(":")[2]

    @property
    def is_of_fields(self) -> bool:
        """Whether the permission is about restricted fields: those are the same on every record, or on none."""
        return self.of is not None and self.permission in self.of.restricted.values()

    def is_seen_by(self, principal: Principal) -> bool:
        """Tell whether the record is visible to a principal; where there is none, everybody sees it."""
        if self.record is None or self.named is None:
            return True
        return self.named.sees(principal, self.record, self.grants.to(principal.subjects))

    def judge(self, principal: Principal) -> Verdict:
        """Return the verdict for a principal."""
        if self.of is None:
            question = Question(principal, self.permission, owns=lambda: self.permission in OWNED, found=_no_grant)
            return Verdict(principal, Judgement(question, question.decision()), ())
        grants, record = self.grants.to(principal.subjects), self._record_for(principal, self.of)
        if self.verb == GRANT and self.of.grantable:
            action = _administering(self.of, principal, self.permission, record)
        elif self.is_of_fields:
            question = Question(principal, self.permission, owns=lambda: False, found=_no_grant)
            action = Judgement(question, question.decision(), self.of, record)
        else:
            action = _judged(self.of, principal, self.verb, record=record, grants=grants)
        levels = list(zip(self.of.above, _lineage(record, self.of), strict=True))
        if self.verb == CREATE:
            levels = levels[1:]
        if self.verb == GRANT and action.decision.allowed:  # an administrator need not see the record
            levels = []
        reads = [_judged(of, principal, READ, record=one, grants=grants) for of, one in levels]
        return Verdict(principal, action, tuple(reads))

    def _record_for(self, principal: Principal, of: ResourceAccess) -> RecordFacts | None:
        """Return the record that the decision is on: the named one, or a supposed one below it."""
        if self.record is None or of is self.named:
            return self.record
        parent = self._record_for(principal, of.parent.access) if of.parent else None
        if of is self.of and self.verb == CREATE:
            return RecordFacts(new_id(), principal.user_id, of.own_when.get(CREATE, {}), parent)
        return RecordFacts(new_id(), parent=parent)


def _administering(of: ResourceAccess, principal: Principal, permission: str, record: RecordFacts | None) -> Judgement:
    """Return the decision of `ResourceAccess.administers`: roles make it, and no grant."""
    by_roles = replace(principal, allowed=frozenset(), denied=frozenset())
    question = Question(by_roles, permission, owns=lambda: False, found=_no_grant, always=of.acl_admins)
    return Judgement(question, question.decision(), of, record)


def _no_grant(_: Effect) -> UUID | None:
    """Return no grant: on single records there are none that count."""
    return None


def _judged(
    of: ResourceAccess,
    principal: Principal,
    verb: str,
    *,
    record: RecordFacts | None,
    grants: Sequence[GrantFacts],
) -> Judgement:
    question = of.question(principal, verb, record, grants)
    return Judgement(question, question.decision(), of, record)


def _lineage(record: RecordFacts | None, of: ResourceAccess) -> Iterable[RecordFacts | None]:
    """Return the record and those above it; as many times none where there is no record."""
    for _ in of.above:
        yield record
        record = record.parent if record is not None else None
