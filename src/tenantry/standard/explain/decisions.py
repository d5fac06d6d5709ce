"""The decisions that requests are answered by, asked for one subject: on the action, and on what has to be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tenantry.access import Decision, Line, Principal, Question, RecordFacts, ResourceAccess
from tenantry.standard.api_keys.permissions import OWNED
from tenantry.standard.explain.question import CREATE, QuestionTarget
from tenantry.standard.explain.tenant_snapshot import SubjectFacts, TenantSnapshot

GRANT, READ = "grant", "read"


@dataclass(frozen=True, slots=True)
class RuleDecision:
    """One decision of the rule: on the action, or on reading the record or one above it."""

    question: Question
    of: ResourceAccess | None = None
    record: RecordFacts | None = None

    @property
    def is_deleted(self) -> bool:
        """Whether the record is soft-deleted, so that nobody sees it."""
        return self.record is not None and self.record.is_deleted

    @property
    def decision(self) -> Decision:
        """Whether this much is allowed, and the line that decided."""
        return Decision(allowed=False, line=Line.NOTHING) if self.is_deleted else self.question.decision()


@dataclass(frozen=True, slots=True)
class AccessDecision:
    """Whether a subject may do what was asked, with every decision that it takes."""

    snapshot: TenantSnapshot
    subject: SubjectFacts
    target: QuestionTarget
    principal: Principal
    action: RuleDecision
    reads: tuple[RuleDecision, ...]
    """Whether the record is seen, then each one above it: a write needs visible and its action."""

    @classmethod
    def of(cls, snapshot: TenantSnapshot, subject: SubjectFacts, target: QuestionTarget) -> Self:
        """Decide what is asked about a subject."""
        principal = snapshot.principal(subject)
        return cls(snapshot, subject, target, principal, *_rules(target, principal))

    @property
    def locked_out(self) -> str | None:
        """Why the subject can do nothing at all, before the order is asked."""
        return self.subject.locked_out(self.snapshot.now)

    @property
    def allowed(self) -> bool:
        """Whether it is allowed, to somebody who can sign in at all."""
        return self.deciding.decision.allowed and self.locked_out is None

    @property
    def deciding(self) -> RuleDecision:
        """The decision that the answer comes from: the first that refuses, else that on the action."""
        return next((read for read in self.reads if not read.decision.allowed), self.action)


def _rules(target: QuestionTarget, principal: Principal) -> tuple[RuleDecision, tuple[RuleDecision, ...]]:
    """Return the decision on the action, and those on what has to be seen for it."""
    of, permission = target.of, target.permission
    if of is None:
        return RuleDecision(Question(principal, permission, owns=lambda: permission in OWNED)), ()
    record, grants = target.record_for(principal, of), target.grants.to(principal.subjects)
    question = of.question(principal, target.verb, record, grants)
    levels = list(of.lineage(record))
    if target.verb == CREATE:  # what is to be created is not there yet
        levels = levels[1:]
    if target.verb == GRANT and question.decision().allowed:  # an administrator need not see the record
        levels = []
    reads = [RuleDecision(level.question(principal, READ, one, grants), level, one) for level, one in levels]
    return RuleDecision(question, of, record), tuple(reads)
