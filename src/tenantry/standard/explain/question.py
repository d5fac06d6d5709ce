"""What is asked: an action, perhaps on a record, and somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from tenantry.access import PermissionCatalog, Principal, RecordFacts, RecordNotFound, ResourceAccess, SubjectType
from tenantry.kernel import ActorKind, new_id
from tenantry.standard.explain.errors import InvalidQuestion, UnknownAction, UnknownResourceType
from tenantry.standard.explain.records import GrantsInForce

CREATE = "create"


@dataclass(frozen=True, slots=True)
class SubjectReference:
    """Whom a question is about: a member, a service account, or whoever an API key acts for, within its scope."""

    type: SubjectType
    id: UUID

    @classmethod
    def of(cls, principal: Principal) -> Self:
        """Return the acting person, service account or key."""
        if principal.key_id is not None:
            return cls(SubjectType.API_KEY, principal.key_id)
        is_account = principal.actor.kind is ActorKind.SERVICE_ACCOUNT
        return cls(SubjectType.SERVICE_ACCOUNT if is_account else SubjectType.USER, principal.user_id)


@dataclass(frozen=True, slots=True)
class AccessQuestion:
    """A question about an action: on one record, or on none."""

    action: str
    resource_type: str | None = None
    """Singular or plural; without it, the resource that the action is about."""
    resource_id: UUID | None = None

    def target(self, catalog: PermissionCatalog, resources: Mapping[str, ResourceAccess]) -> QuestionTarget:
        """Return what is asked about, without the record. Raises `UnknownAction` and other `InvalidQuestion`s."""
        if self.action not in catalog.descriptions:
            raise UnknownAction.at("?action", "There is no such action; GET /permissions lists them.")
        of = resources.get(self.action.partition(":")[0])
        target = QuestionTarget(self.action, of, self._named(of, resources))
        if self.resource_id is not None:
            _require_single_record(target)
        return target

    def not_found(self, target: QuestionTarget) -> RecordNotFound:
        """Return the failure that the record is nowhere, another tenant's, or not to be seen."""
        kind = target.named.singular if target.named else "record"
        return RecordNotFound(f"{kind.capitalize()} {self.resource_id} not found.")

    def _named(self, of: ResourceAccess | None, resources: Mapping[str, ResourceAccess]) -> ResourceAccess | None:
        """Return the resource of the record: the one that the action is about, or one above it."""
        resource = self.action.partition(":")[0]
        if self.resource_type is None or (of is None and self.resource_type == resource):
            return of
        above, named = tuple(of.above) if of else (), resources.get(self.resource_type)
        if named not in above:
            known = ", ".join(one.singular for one in above) or resource
            raise UnknownResourceType.at("?resource_type", f"{self.action} is asked about: {known}.")
        return named


@dataclass(frozen=True, slots=True)
class QuestionTarget:
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
    grants: GrantsInForce = field(default_factory=GrantsInForce)

    @property
    def verb(self) -> str:
        """The last part of the permission."""
        return self.permission.partition(":")[2]

    def is_seen_by(self, principal: Principal) -> bool:
        """Tell whether the record is visible to a principal; where there is none, everybody sees it."""
        if self.record is None or self.named is None:
            return True
        return self.named.sees(principal, self.record, self.grants.to(principal.subjects))

    def record_for(self, principal: Principal, of: ResourceAccess) -> RecordFacts | None:
        """Return the record that the decision is on: the named one, or a supposed one below it."""
        if self.record is None or of is self.named:
            return self.record
        parent = self.record_for(principal, of.parent.access) if of.parent else None
        if of is self.of and self.verb == CREATE:
            return RecordFacts(new_id(), principal.user_id, of.own_when.get(CREATE, {}), parent)
        return RecordFacts(new_id(), parent=parent)


def _require_single_record(target: QuestionTarget) -> None:
    """Refuse a record where the question cannot be about one."""
    of, named = target.of, target.named
    if of is None or named is None:
        raise InvalidQuestion.at("?resource_id", "This action is not about single records.")
    if target.verb == CREATE and of is named:
        above = of.parent.access.singular if of.parent else None
        way = f"name the {above} that is to hold it, by resource_type={above}" if above else "leave it out"
        raise InvalidQuestion.at("?resource_id", f"What is to be created has no id yet: {way}.")
