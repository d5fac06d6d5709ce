"""The sentence of an explanation: for whoever administers a tenant, naming the grant, the role, the team."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenantry.access import Breadth, Line, SubjectType
from tenantry.standard.explain.explanation import Scope, ShownDecision, ShownGrant
from tenantry.standard.explain.roster import Roster, Someone
from tenantry.standard.explain.verdict import Judgement, Target


@dataclass(frozen=True, slots=True)
class Reason:
    """Puts the decision that a verdict comes from into words."""

    roster: Roster
    someone: Someone
    target: Target
    judgement: Judgement
    deciding: ShownDecision

    def sentence(self) -> str:
        """Return one sentence that begins with Allowed or Denied."""
        word = "Allowed" if self.deciding.allowed else "Denied"
        return f"{word}: {self._unseen()}{self._why()}."

    def _unseen(self) -> str:
        """Say first that it is reading that fails, where something else was asked."""
        if self.deciding.allowed or self.deciding.action == self.target.permission:
            return ""
        return f"{self.someone.name} does not see {self._object()}, because "

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
                return f"{self._object()} is deleted" if self.deciding.is_deleted else self._nothing()

    @property
    def _action(self) -> str:
        return self.deciding.action

    def _key_scope(self) -> str:
        key = self.someone.key.name if self.someone.key else ""
        if self.judgement.question.principal.scope(self._action) is Breadth.OWN:
            return f"the key {key} is limited to records of {self.someone.name}'s own"
        return f"the key {key} is limited to other permissions than {self._action}"

    def _granted(self, grant: ShownGrant | None) -> str:
        if grant is None:  # taken back between two statements
            return f"a grant is about {self._action}"
        may = "may" if self.deciding.allowed else "may not"
        return f"{self._holder(grant)} {may} {self._action} {self._granted_object(grant)} (grant {grant.id})"

    def _granted_object(self, grant: ShownGrant) -> str:
        match grant.scope:
            case Scope.TYPE:
                return f"on any {self._kind}"
            case Scope.ABOVE:
                return f"on what is in this {self._kind_above(grant)}"
            case _:
                return f"on this {self._kind}"

    def _kind_above(self, grant: ShownGrant) -> str:
        of, record = self.judgement.of, self.judgement.record
        levels = zip(of.above, record.lineage(), strict=True) if of and record else ()
        return next((above.singular for above, id_ in levels if id_ == grant.record_id), "record")

    def _holder(self, grant: ShownGrant) -> str:
        match grant.subject_type:
            case SubjectType.TEAM:
                return f"the team {grant.subject_name}, which {self.someone.name} is in,"
            case SubjectType.ROLE:
                return f"{self._role(grant.subject_name)}"
            case SubjectType.API_KEY:
                return f"the key {grant.subject_name}"
            case _:
                return grant.subject_name

    def _ownership(self) -> str:
        role = self._role(self.deciding.role)
        gives = f"{role} has {self._action} for own records"
        if self.judgement.record is None:
            return gives
        if self._known_record() is None:
            return f"{gives}, and what {self.someone.name} creates is such"
        return f"{self._owner()} owns {self._object()}, and {gives}{self._condition()}"

    def _nothing(self) -> str:
        none = f"no grant and no role of {self.someone.name} gives {self._action}"
        if self.target.is_of_fields and self._action == self.target.permission:
            return f"{none}, which is about fields of every {self._kind}, so that grants on single ones do not count"
        if self.judgement.question.principal.breadth(self._action) is not Breadth.OWN or self.judgement.of is None:
            return f"{none} here" if self.target.record else none
        role = self._role(self.roster.role_giving(self.someone, self._action, own=True))
        only = f"{role} has {self._action} for own records only{self._condition()}"
        owner = self.judgement.record.owner_id if self.judgement.record else None
        if owner in self.judgement.question.principal.subjects:
            return f"{only}, and this {self._kind} is not so now"
        return f"{only}, and {self.someone.name} does not own {self._object()}"

    def _condition(self) -> str:
        of, verb = self.judgement.of, self._action.partition(":")[2]
        values = dict(of.own_when.get(verb, {})) if of else {}
        return " while " + " and ".join(f"{name} is {value}" for name, value in values.items()) if values else ""

    def _role(self, name: str | None) -> str:
        """Name a role, and the team by which it is held where it is one."""
        if name is None:
            return f"a role of {self.someone.name}"
        team = self.roster.team_giving(self.someone, name)
        if team is not None:
            return f"the role {name}, which the team {self.roster.team_names[team]} gives {self.someone.name},"
        return f"the role {name}, which {self.someone.name} has,"

    def _owner(self) -> str:
        owner: UUID | None = self.judgement.record.owner_id if self.judgement.record else None
        if owner is None or owner == self.someone.id:
            return self.someone.name
        name = self.roster.subject_name(self.someone, owner)
        return f"the team {name}, which {self.someone.name} is in," if owner in self.roster.team_names else name

    @property
    def _kind(self) -> str:
        return self.judgement.of.singular if self.judgement.of else "record"

    def _object(self) -> str:
        if self.deciding.resource_id is None:
            return f"such {article(self._kind)} {self._kind}"
        is_named = self.target.record is not None and self.deciding.resource_id == self.target.record.id
        return f"this {self._kind}" if is_named else f"the {self._kind} that holds it"

    def _known_record(self) -> UUID | None:
        return self.deciding.resource_id


def article(noun: str) -> str:
    """Return the article that stands before a noun.

    >>> article("item"), article("task")
    ('an', 'a')
    """
    return "an" if noun[:1] in "aeiou" else "a"
