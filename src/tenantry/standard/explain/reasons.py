"""The sentence of an explanation: for whoever administers a tenant, naming the grant, the role, the team."""

from __future__ import annotations

from dataclasses import dataclass

from tenantry.access import Breadth, Line, SubjectType
from tenantry.kernel import with_article
from tenantry.standard.explain.decisions import RuleDecision
from tenantry.standard.explain.question import QuestionTarget
from tenantry.standard.explain.schemas import ExplainedDecision, ExplainedGrant, Scope
from tenantry.standard.explain.tenant_snapshot import SubjectFacts, TenantSnapshot


@dataclass(frozen=True, slots=True)
class Reason:
    """Puts the decision that an answer comes from into words."""

    snapshot: TenantSnapshot
    subject: SubjectFacts
    target: QuestionTarget
    rule: RuleDecision
    deciding: ExplainedDecision

    def sentence(self) -> str:
        """Return one sentence that begins with Allowed or Denied."""
        word = "Allowed" if self.deciding.allowed else "Denied"
        return f"{word}: {self._unseen()}{self._why()}."

    def _unseen(self) -> str:
        """Say first that it is reading that fails, where something else was asked."""
        if self.deciding.allowed or self._action == self.target.permission:
            return ""
        return f"{self.subject.name} does not see {self._object}, because "

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
        key = self.subject.key_name
        if self.rule.question.principal.scope(self._action) is Breadth.OWN:
            return f"the key {key} is limited to records of {self.subject.name}'s own"
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
        if grant.scope is Scope.RECORD or self.rule.of is None:
            return f"on this {self._kind}"
        levels = self.rule.of.lineage(self.rule.record)
        kinds = (above.singular for above, one in levels if one is not None and one.id == grant.record_id)
        return f"on what is in this {next(kinds, 'record')}"

    def _ownership(self) -> str:
        role = self._role(self.deciding.role)
        gives = f"{role} has {self._action} for own records"
        if self.rule.record is None:
            return gives
        if self.deciding.resource_id is None:
            return f"{gives}, and what {self.subject.name} creates is such"
        return f"{self._owner()} owns {self._object}, and {gives}{self._condition()}"

    def _nothing(self) -> str:
        of, principal = self.rule.of, self.rule.question.principal
        none = f"no grant and no role of {self.subject.name} gives {self._action}"
        if of is not None and self._action in of.restricted.values():
            return f"{none}, which is about fields of every {self._kind}, so that grants on single ones do not count"
        if of is None or principal.breadth(self._action) is not Breadth.OWN:
            return f"{none} here" if self.target.record else none
        role = self._role(self.snapshot.role_giving(self.subject, self._action, own=True))
        only = f"{role} has {self._action} for own records only{self._condition()}"
        if self.rule.record is not None and self.rule.record.owner_id in principal.subjects:
            return f"{only}, and this {self._kind} is not so now"
        return f"{only}, and {self.subject.name} does not own {self._object}"

    def _condition(self) -> str:
        """Say under which condition ownership counts for the action."""
        of, verb = self.rule.of, self._action.partition(":")[2]
        values = of.own_when.get(verb, {}) if of else {}
        return " while " + " and ".join(f"{name} is {value}" for name, value in values.items()) if values else ""

    def _role(self, name: str | None) -> str:
        """Name a role, and the team by which it is held where it is one."""
        if name is None:
            return f"a role of {self.subject.name}"
        team = self.snapshot.team_giving(self.subject, name)
        if team is not None:
            return f"the role {name}, which the team {team} gives {self.subject.name},"
        return f"the role {name}, which {self.subject.name} has,"

    def _owner(self) -> str:
        owner = self.rule.record.owner_id if self.rule.record else None
        if owner is None:
            return self.subject.name
        kind, name = self.snapshot.named(self.subject, owner)
        return self._team(name) if kind is SubjectType.TEAM else name

    def _team(self, name: str) -> str:
        return f"the team {name}, which {self.subject.name} is in,"

    @property
    def _action(self) -> str:
        return self.deciding.action

    @property
    def _kind(self) -> str:
        return self.rule.of.singular if self.rule.of else "record"

    @property
    def _object(self) -> str:
        if self.deciding.resource_id is None:
            return f"such {with_article(self._kind)}"
        is_named = self.target.record is not None and self.deciding.resource_id == self.target.record.id
        return f"this {self._kind}" if is_named else f"the {self._kind} that holds it"
