"""Telling a decision: which grant and which role are behind it, and the one sentence that says so."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from tenantry.access import ORDER, Effect, GrantFacts, Line
from tenantry.standard.explain.decisions import AccessDecision, RuleDecision
from tenantry.standard.explain.reasons import Reason
from tenantry.standard.explain.schemas import (
    SIGNED_IN,
    STEPS,
    ExplainedDecision,
    ExplainedGrant,
    ExplainedLine,
    ExplainedSubject,
    ExplainedVisibility,
    ExplanationRead,
    Scope,
    WhoCanItem,
)

_EFFECTS = {Line.DENY_GRANT: Effect.DENY, Line.ALLOW_GRANT: Effect.ALLOW}


@dataclass(frozen=True, slots=True)
class ExplanationRenderer:
    """Tells the decision on one subject."""

    decision: AccessDecision

    def explanation(self) -> ExplanationRead:
        """Return everything that there is to say."""
        deciding, target, subject = self._deciding(), self.decision.target, self.decision.subject
        return ExplanationRead(
            allowed=self.decision.allowed,
            reason=self._reason(deciding),
            decided_by=deciding.decided_by,
            step=deciding.step,
            action=target.permission,
            resource_type=target.named.singular if target.named else None,
            resource_id=target.record.id if target.record else None,
            is_deleted=target.record is not None and target.record.is_deleted,
            subject=ExplainedSubject(
                subject_type=subject.type, id=subject.id, name=subject.name, api_key_id=subject.key_id
            ),
            grant=deciding.grant,
            role=deciding.role,
            lines=[self._line(line, allows=allows) for line, allows in (*ORDER, (Line.NOTHING, False))],
            visible=self._visibility(),
        )

    def who_can(self) -> WhoCanItem:
        """Return the same in short, for the list of those who may."""
        deciding, subject = self._deciding(), self.decision.subject
        return WhoCanItem(
            subject_type=subject.type,
            subject_id=subject.id,
            name=subject.name,
            decided_by=deciding.decided_by,
            reason=self._reason(deciding),
            role=deciding.role,
            grant=deciding.grant,
        )

    def _deciding(self) -> ExplainedDecision:
        deciding = self._explained(self.decision.deciding)
        if self.decision.locked_out is None:
            return deciding
        nothing = {"decided_by": Line.NOTHING, "step": SIGNED_IN, "grant": None, "role": None}
        return deciding.model_copy(update=nothing)

    def _reason(self, deciding: ExplainedDecision) -> str:
        of = self.decision
        if of.locked_out:
            return f"Denied: {of.locked_out}."
        return Reason(of.snapshot, of.subject, of.target, of.deciding, deciding).sentence()

    def _visibility(self) -> ExplainedVisibility:
        reads = [self._explained(read) for read in self.decision.reads]
        refused = next((read for read in reads if not read.allowed), None)
        deciding = refused or next(iter(reads), None)
        decided_by = deciding.decided_by if deciding else None
        return ExplainedVisibility(allowed=refused is None, decided_by=decided_by, reads=reads)

    def _line(self, line: Line, *, allows: bool) -> ExplainedLine:
        action = self.decision.action
        holds = line is Line.NOTHING or action.question.holds(line)
        grant = self._grant(action, line) if holds else None
        return ExplainedLine(line=line, step=STEPS.get(line), holds=holds, allows=allows, grant=grant)

    def _explained(self, rule: RuleDecision) -> ExplainedDecision:
        target, decision = self.decision.target, rule.decision
        known = set(target.record.lineage()) if target.record else set()  # one that is supposed has no id to tell
        return ExplainedDecision(
            action=rule.question.permission,
            resource_type=rule.of.singular if rule.of else None,
            resource_id=rule.record.id if rule.record and rule.record.id in known else None,
            is_deleted=rule.is_deleted,
            allowed=decision.allowed,
            decided_by=decision.line,
            step=STEPS.get(decision.line),
            grant=self._grant(rule, decision.line),
            role=self._role(rule, decision.line),
        )

    def _grant(self, rule: RuleDecision, line: Line) -> ExplainedGrant | None:
        """Return the grant that makes a line hold."""
        effect = _EFFECTS.get(line)
        if effect is None:
            return None
        principal, grant_id = self.decision.principal, rule.question.grant(line)
        if grant_id is None:
            grant = self.decision.snapshot.type_grant(principal, rule.question.permission, effect)
        else:
            on_record = self.decision.target.grants.to(principal.subjects)
            grant = next((one for one in on_record if one.id == grant_id), None)
        return None if grant is None else self._explained_grant(grant, rule)

    def _explained_grant(self, grant: GrantFacts, rule: RuleDecision) -> ExplainedGrant:
        on_it = rule.record is not None and grant.record_id == rule.record.id
        scope = Scope.TYPE if grant.record_id is None else Scope.RECORD if on_it else Scope.ABOVE
        kind, name = self.decision.snapshot.named(self.decision.subject, grant.subject_id)
        return ExplainedGrant(**asdict(grant), subject_type=kind, subject_name=name, scope=scope)

    def _role(self, rule: RuleDecision, line: Line) -> str | None:
        """Return the role that makes a line hold."""
        if line is Line.ALLOW_ALWAYS:
            return min(self.decision.principal.roles & set(rule.question.always))
        if line not in (Line.OWNERSHIP, Line.ROLE):
            return None
        is_own = line is Line.OWNERSHIP
        return self.decision.snapshot.role_giving(self.decision.subject, rule.question.permission, own=is_own)
