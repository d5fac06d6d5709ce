"""The sentence of an explanation: for whoever administers a tenant, naming the grant, the role, the team."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.access import Breadth, Line, SubjectType
from tenantry.kernel import with_article
from tenantry.standard.explain.decisions import AccessDecision, RuleDecision
from tenantry.standard.explain.schemas import ExplainedDecision, ExplainedGrant, Scope
from tenantry.standard.explain.tenant_snapshot import SubjectFacts


@dataclass(frozen=True, slots=True)
class Reason:
    """Puts the decision that an answer comes from into words."""

    decision: AccessDecision
    deciding: ExplainedDecision

    def sentence(self) -> str:
        """Return one sentence that begins with Allowed or Denied."""
        word = "Allowed" if self.deciding.allowed else "Denied"
        return f"{word}: {self._unseen()}{self._why()}."

    def _unseen(self) -> str:
        """Say first that it is reading that fails, where something else was asked."""
        if self.deciding.allowed or self._action == self.decision.target.permission:
            return ""
        return f"{self._subject.name} does not see {self._object}, because "

    def _why(self) -> str:
        match self.deciding.decided_by:
            case Line.KEY_SCOPE:
                return self._key_scope()
            case Line.ALLOW_ALWAYS:
                return f"{self._role(self.deciding.role)} may {self._action} whatever grants say"
            case Line.DENY_GRANT | Line.ALLOW_GRANT:
                return self._granted(self.deciding.grant)
            case Line.OWNERSHIP:
                return self._ownership()
            case Line.ROLE:
                return f"{self._role(self.deciding.role)} has {self._action}"
            case _:
                return f"{self._object} is deleted" if self.deciding.is_deleted else self._nothing()

    def _key_scope(self) -> str:
        key = self._subject.key_name
        if self._rule.question.principal.scope(self._action) is Breadth.OWN:
            return f"the key {key} is limited to records of {self._subject.name}'s own"
        return f"the key {key} is limited to other permissions than {self._action}"

    def _granted(self, grant: ExplainedGrant | None) -> str:
        if grant is None:  # taken back between two statements
            return f"a grant is about {self._action}"
        may = "may" if self.deciding.allowed else "may not"
        return f"{self._holder(grant)} {may} {self._action} {self._granted_object(grant)} (grant {grant.id})"

    def _holder(self, grant: ExplainedGrant) -> str:
        match grant.subject_type:
            case SubjectType.TEAM:
                return self._team(grant.subject_name)
            case SubjectType.ROLE:
                return self._role(grant.subject_name)
            case SubjectType.API_KEY:
                return f"the key {grant.subject_name}"
            case _:
                return grant.subject_name

    def _granted_object(self, grant: ExplainedGrant) -> str:
        if grant.scope is Scope.TYPE:
            return f"on any {self._kind}"
        if grant.scope is Scope.RECORD or self._rule.of is None:
            return f"on this {self._kind}"
        levels = self._rule.of.lineage(self._rule.record)
        kinds = (above.singular for above, one in levels if one is not None and one.id == grant.record_id)
        return f"on what is in this {next(kinds, 'record')}"

    def _ownership(self) -> str:
        role = self._role(self.deciding.role)
        gives = f"{role} has {self._action} for own records"
        if self._rule.record is None:
            return gives
        if self.deciding.resource_id is None:
            return f"{gives}, and what {self._subject.name} creates is such"
        return f"{self._owner()} owns {self._object}, and {gives}{self._condition()}"

    def _nothing(self) -> str:
        of, principal = self._rule.of, self._rule.question.principal
        none = f"no grant and no role of {self._subject.name} gives {self._action}"
        if of is not None and self._action in of.restricted.values():
            return f"{none}, which is about fields of every {self._kind}, so that grants on single ones do not count"
        if of is None or principal.breadth(self._action) is not Breadth.OWN:
            return f"{none} here" if self.decision.target.record else none
        role = self._role(self.decision.snapshot.role_giving(self._subject, self._action, own=True))
        only = f"{role} has {self._action} for own records only{self._condition()}"
        if self._rule.record is not None and self._rule.record.owner_id in principal.subjects:
            return f"{only}, and this {self._kind} is not so now"
        return f"{only}, and {self._subject.name} does not own {self._object}"

    def _condition(self) -> str:
        """Say under which condition ownership counts for the action."""
        of, verb = self._rule.of, self._action.partition(":")[2]
        values = of.own_when.get(verb, {}) if of else {}
        return " while " + " and ".join(f"{name} is {value}" for name, value in values.items()) if values else ""

    def _role(self, name: str | None) -> str:
        """Name a role, and the team by which it is held where it is one."""
        if name is None:
            return f"a role of {self._subject.name}"
        team = self.decision.snapshot.team_giving(self._subject, name)
        if team is not None:
            return f"the role {name}, which the team {team} gives {self._subject.name},"
        return f"the role {name}, which {self._subject.name} has,"

    def _owner(self) -> str:
        owner = self._rule.record.owner_id if self._rule.record else None
        if owner is None:
            return self._subject.name
        kind, name = self.decision.snapshot.named(self._subject, owner)
        return self._team(name) if kind is SubjectType.TEAM else name

    def _team(self, name: str) -> str:
        return f"the team {name}, which {self._subject.name} is in,"

    @property
    def _rule(self) -> RuleDecision:
        return self.decision.deciding

    @property
    def _subject(self) -> SubjectFacts:
        return self.decision.subject

    @property
    def _action(self) -> str:
        return self.deciding.action

    @property
    def _kind(self) -> str:
        return self._rule.of.singular if self._rule.of else "record"

    @property
    def _object(self) -> str:
        if self.deciding.resource_id is None:
            return f"such {with_article(self._kind)}"
        is_named = (
            self.decision.target.record is not None and self.deciding.resource_id == self.decision.target.record.id
        )
        return f"this {self._kind}" if is_named else f"the {self._kind} that holds it"
