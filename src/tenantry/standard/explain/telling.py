"""Telling a verdict: which grant and which role are behind it, and the one sentence that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from tenantry.access import ORDER, Effect, Line
from tenantry.standard.explain.explanation import (
    SIGNED_IN,
    STEPS,
    Explanation,
    Scope,
    ShownDecision,
    ShownGrant,
    ShownLine,
    Subject,
    Visibility,
    WhoCan,
)
from tenantry.standard.explain.given import Given
from tenantry.standard.explain.reasons import Reason
from tenantry.standard.explain.roster import Roster, Someone
from tenantry.standard.explain.verdict import Judgement, Target, Verdict

_EFFECTS: Mapping[Line, Effect] = {Line.DENY_GRANT: Effect.DENY, Line.ALLOW_GRANT: Effect.ALLOW}


@dataclass(frozen=True, slots=True)
class Telling:
    """Tells the verdict on one subject."""

    roster: Roster
    someone: Someone
    target: Target
    verdict: Verdict

    @property
    def allowed(self) -> bool:
        """Whether it is allowed, to somebody who can sign in at all."""
        return self.verdict.allowed and self._locked_out() is None

    def explanation(self) -> Explanation:
        """Return everything that there is to say."""
        deciding, target, locked = self._shown(self.verdict.deciding), self.target, self._locked_out()
        return Explanation(
            allowed=self.allowed,
            reason=locked or self._reason(deciding),
            decided_by=Line.NOTHING if locked else deciding.decided_by,
            step=SIGNED_IN if locked else deciding.step,
            action=target.permission,
            resource_type=target.named.singular if target.named else None,
            resource_id=target.record.id if target.record else None,
            is_deleted=target.record is not None and target.record.is_deleted,
            subject=self._subject(),
            grant=None if locked else deciding.grant,
            role=None if locked else deciding.role,
            lines=[self._line(line, allows=allows) for line, allows in (*ORDER, (Line.NOTHING, False))],
            visible=self._visibility(),
        )

    def who_can(self) -> WhoCan:
        """Return the same in short, for the list of those who may."""
        deciding, someone = self._shown(self.verdict.deciding), self.someone
        reason = self._reason(deciding)
        return WhoCan(
            someone.type, someone.id, someone.name, deciding.decided_by, reason, deciding.role, deciding.grant
        )

    def _reason(self, deciding: ShownDecision) -> str:
        judgement = self.verdict.deciding
        return Reason(self.roster, self.someone, self.target, judgement, deciding).sentence()

    def _subject(self) -> Subject:
        someone = self.someone
        return Subject(someone.type, someone.id, someone.name, someone.key.id if someone.key else None)

    def _locked_out(self) -> str | None:
        """Say why the subject can do nothing at all, before the order is asked."""
        someone = self.someone
        if not someone.is_active:
            return f"Denied: {someone.name} is deactivated and cannot sign in."
        if someone.key is not None and self.roster.has_expired(someone.key):
            return f"Denied: the key {someone.key.name} has expired."
        return None

    def _visibility(self) -> Visibility:
        reads = [self._shown(read) for read in self.verdict.reads]
        refused = next((read for read in reads if not read.allowed), None)
        deciding = refused or (reads[0] if reads else None)
        return Visibility(refused is None, deciding.decided_by if deciding else None, reads)

    def _line(self, line: Line, *, allows: bool) -> ShownLine:
        question = self.verdict.action.question
        holds = question.holds(line) if line is not Line.NOTHING else True
        grant = self._grant(self.verdict.action, line) if holds else None
        return ShownLine(line, STEPS[line], holds, allows, grant)

    def _shown(self, judgement: Judgement) -> ShownDecision:
        return ShownDecision(
            action=judgement.question.permission,
            resource_type=judgement.of.singular if judgement.of else None,
            resource_id=self._known_id(judgement),
            is_deleted=judgement.is_deleted,
            allowed=judgement.allowed,
            decided_by=judgement.line,
            step=STEPS[judgement.line],
            grant=self._grant(judgement, judgement.line),
            role=self._role(judgement),
        )

    def _known_id(self, judgement: Judgement) -> UUID | None:
        """Return the record's id; a record that is only supposed has none to tell."""
        known = set(self.target.record.lineage()) if self.target.record else set()
        return judgement.record.id if judgement.record and judgement.record.id in known else None

    def _grant(self, judgement: Judgement, line: Line) -> ShownGrant | None:
        effect = _EFFECTS.get(line)
        if effect is None:
            return None
        question = judgement.question
        grant_id = question.grant(line)
        if grant_id is None:
            given = self.roster.type_grant(self.verdict.principal, question.permission, effect)
        else:
            given = self.target.grants.named(grant_id)
        return None if given is None else self._shown_grant(given, judgement)

    def _shown_grant(self, given: Given, judgement: Judgement) -> ShownGrant:
        on_it = judgement.record is not None and given.record_id == judgement.record.id
        scope = Scope.TYPE if given.record_id is None else Scope.RECORD if on_it else Scope.ABOVE
        name = self.roster.subject_name(self.someone, given.subject_id)
        return ShownGrant(
            given.id,
            given.subject_type,
            given.subject_id,
            name,
            given.action,
            given.effect,
            scope,
            given.record_id,
            given.expires_at,
        )

    def _role(self, judgement: Judgement) -> str | None:
        permission = judgement.question.permission
        match judgement.line:
            case Line.ALLOW_ALWAYS:
                return min(self.verdict.principal.roles & set(judgement.question.always))
            case Line.OWNERSHIP:
                return self.roster.role_giving(self.someone, permission, own=True)
            case Line.ROLE:
                return self.roster.role_giving(self.someone, permission)
            case _:
                return None
