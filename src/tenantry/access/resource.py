"""`ResourceAccess`: who may do what with the records of one resource, as predicates over its table and in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    false,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy import Table as SqlTable

from tenantry.access.decision import Decision, Line, predicate
from tenantry.access.errors import RecordNotFound
from tenantry.access.grant_facts import GrantFacts
from tenantry.access.granted import TENANT, Chosen, allowed, constant, denied, subjects, with_subjects
from tenantry.access.models import Effect
from tenantry.access.permit import Permit, Permits
from tenantry.access.principal import Breadth, Principal
from tenantry.access.question import Question
from tenantry.database import Plane, Table, plane_of
from tenantry.kernel import ConfigurationError, NotFound
from tenantry.tenancy import Role


@dataclass(frozen=True, slots=True, eq=False)
class Parent:
    """The resource that a child belongs to: a child is visible only if its parent is."""

    access: ResourceAccess
    column: str


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What the decision on one record in memory needs to know of it."""

    id: UUID
    owner_id: UUID | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    """The columns that `own_when` asks for."""
    parent: RecordFacts | None = None
    is_deleted: bool = False

    def lineage(self) -> Iterable[UUID]:
        """Return its id and those of the records above it."""
        yield self.id
        if self.parent is not None:
            yield from self.parent.lineage()


@dataclass(frozen=True, slots=True, eq=False)
class ResourceAccess:
    """Who may do what with the records of one resource.

    `owner` names the column with the id of the owning subject; `own_when` limits what ownership allows, by verb, to
    records with certain values: a member may update an own project while ``{"update": {"status": "draft"}}``.
    `restricted` names the fields that only holders of a permission read and write.

    `grantable` records can be granted, one by one, with everything below them. Who is in an `acl_admins` role, or holds
    ``…:grant`` by a role, administers the grants: grants themselves never decide that, so that a deny can always be
    taken back. The `acl_allow_always` roles pass whatever grants say.

    Records whose `deleted_at` is set are visible to nobody, except to the verbs that ask for them.
    """

    resource: str
    """Name in permissions, plural: ``projects``."""
    model: type[Table]
    singular: str
    """Name of one record in grants, audit lines and events: ``project``."""
    owner: str | None = None
    own_when: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    parent: Parent | None = None
    restricted: Mapping[str, str] = field(default_factory=dict)
    grantable: bool = False
    acl_admins: Collection[str] = frozenset({Role.OWNER.value})
    acl_allow_always: Collection[str] = frozenset()
    permissions: Mapping[str, str] = field(default_factory=dict)
    """The permission of a verb, where it is not ``<resource>:<verb>``: ``{"update": "teams:manage"}``."""
    whole: bool = False
    """Whether a permission is for every record or none. Then whoever lacks it is refused before anything else is looked
    at, and needs no ``read`` besides to write."""
    not_found: type[NotFound] = RecordNotFound
    exists_when: Callable[[FromClause], ColumnElement[bool]] | None = None
    """What else makes a row a record, in SQL alone: an invitation that was accepted is not there any more."""

    def __post_init__(self) -> None:
        """Refuse names that no statement could be built with."""
        if self.plane is Plane.CONTROL and (self.grantable or self.owner):
            raise ConfigurationError(f"access to {self.resource}: in the control plane there are no grants on records")
        if self.whole and (self.grantable or self.owner):
            raise ConfigurationError(f"access to {self.resource}: owned or granted records are not one whole")
        columns = self.own_columns | set(self.restricted)
        if self.owner is not None:
            columns.add(self.owner)
        if unknown := columns - {column.name for column in self.table.columns}:
            raise ConfigurationError(f"access to {self.resource}: {', '.join(sorted(unknown))} is no column of it")

    @property
    def table(self) -> SqlTable:
        """The table of the resource."""
        return self.model.__table__

    @property
    def plane(self) -> Plane:
        """Where the records lie; it decides scope, role, trail and outbox."""
        return plane_of(self.model)

    @property
    def own_columns(self) -> set[str]:
        """The columns that `own_when` compares."""
        return {name for values in self.own_when.values() for name in values}

    def permission(self, verb: str) -> str:
        """Return the permission that a verb needs."""
        return self.permissions.get(verb, f"{self.resource}:{verb}")

    @property
    def above(self) -> Iterable[ResourceAccess]:
        """The resource itself, then each one above it."""
        yield self
        if self.parent is not None:
            yield from self.parent.access.above

    def actions(self, verb: str) -> tuple[str, str]:
        """Return the two spellings under which a grant names a verb."""
        return f"{self.resource}:{verb}", f"{self.resource}:*"

    # What a principal may do, as the key of a statement

    def permits(self, principal: Principal, verb: str) -> Permits:
        """Return what the rule says about a verb here, before any record is looked at."""
        permit = self.permit(principal, verb)
        if self.whole:
            return (permit, *(permit for _ in self.above))
        return (permit, *self.read_permits(principal))

    def seen_permits(self, principal: Principal, verb: str) -> Permits:
        """Return the reaches of what a verb presupposes: that the record, and each one above it, is visible."""
        return self.permits(principal, verb)[1:]

    def read_permits(self, principal: Principal) -> Permits:
        """Return the reaches of reading this resource and each one above it."""
        read = self.permit(principal, "read")
        return (read, *self.parent.access.read_permits(principal)) if self.parent else (read,)

    def permit(self, principal: Principal, verb: str) -> Permit:
        """Return how far one verb reaches for a principal. What has no owner is nobody's own."""
        permission = self.permission(verb)
        scope = principal.scope(permission)
        if scope is Breadth.NONE:
            return Permit(Breadth.DENIED)
        own_only = scope is Breadth.OWN
        if own_only and self.owner is None:
            return Permit(Breadth.DENIED)
        if self.acl_allow_always and not principal.roles.isdisjoint(self.acl_allow_always):
            return Permit(Breadth.ALWAYS, own_only=own_only)
        breadth = principal.breadth(permission)
        if breadth is Breadth.OWN and self.owner is None:
            breadth = Breadth.NONE
        granted = self.resource in principal.tenant.granted and breadth is not Breadth.DENIED
        return Permit(breadth, granted, own_only)

    def hidden(self, principal: Principal) -> frozenset[str]:
        """Return the restricted fields that the principal neither reads nor writes."""
        if not self.restricted:
            return frozenset()
        return frozenset(name for name, permission in self.restricted.items() if not principal.has(permission))

    def administers(self, principal: Principal) -> bool:
        """Tell whether the principal gives and takes grants on records of this resource."""
        return principal.is_system or self._administration(principal).decision().allowed

    # The rule as SQL

    def visible(
        self, rows: FromClause, read: Permits, *, deleted: bool = False, named: ColumnElement[Any] | None = None
    ) -> ColumnElement[bool]:
        """Return the predicate of the records that may be read; `deleted` asks for the soft-deleted ones instead.

        `named` is a column elsewhere with the id of the record: grants on it can be asked for there, see
        `_parent_is_visible`.
        """
        clauses = [self._rule("read", read[0], rows, named)]
        if self.plane is Plane.CONTROL and "tenant_id" in rows.c:
            # Row security says the same, but has permissive alternatives there: own rows, the platform's.
            clauses.append(rows.c.tenant_id == bindparam(TENANT, type_=Uuid))
        if "deleted_at" in rows.c:
            clauses.append(rows.c.deleted_at.is_not(None) if deleted else rows.c.deleted_at.is_(None))
        if self.exists_when is not None:
            clauses.append(self.exists_when(rows))
        if self.parent:
            clauses.append(self._parent_is_visible(self.parent, rows, read[1:]))
        return and_(true(), *clauses)

    def allowed(self, verb: str, permits: Permits, rows: FromClause) -> ColumnElement[bool]:
        """Return the predicate of the records that the action may touch, among the visible ones."""
        return self._rule(verb, permits[0], rows)

    def addable(self, permit: Permit, parents: FromClause) -> ColumnElement[bool]:
        """Return the predicate of the parents to which a record may be added: ``create``, with the grants on them."""
        if self.parent is None:
            raise ConfigurationError(f"{self.resource} has no parent")
        above = self.parent.access
        if permit.breadth is Breadth.OWN or permit.own_only:  # who creates a record owns it
            breadth = Breadth.ALL if permit.breadth is Breadth.OWN else permit.breadth
            permit = Permit(breadth, permit.granted)
        return self._decided("create", permit, lambda chosen: above.reached(parents, chosen), own=None)

    def readable_by(self, principal: Principal, rows: FromClause | None = None) -> ColumnElement[bool]:
        """Return the predicate of what a principal may read, with its values in it: for statements of an ORM session.

        The compiled statements take the values as parameters instead.
        """
        seen = self.visible(self.table if rows is None else rows, self.read_permits(principal))
        return with_subjects(seen, principal.subjects)

    def allowed_to(self, principal: Principal, verb: str) -> ColumnElement[bool]:
        """Return the predicate of what a principal may do among what it may read, with its values in it."""
        permitted = self._rule(verb, self.permit(principal, verb), self.table)
        return with_subjects(permitted, principal.subjects)

    def _rule(
        self, verb: str, permit: Permit, rows: FromClause, named: ColumnElement[Any] | None = None
    ) -> ColumnElement[bool]:
        return self._decided(verb, permit, lambda chosen: self.reached(rows, chosen, named), own=self._own(verb, rows))

    def _decided(
        self,
        verb: str,
        permit: Permit,
        reached: Callable[[Chosen], ColumnElement[bool]],
        *,
        own: ColumnElement[bool] | None,
    ) -> ColumnElement[bool]:
        """Say what each line means for a permit, and fold them."""
        lines: dict[Line, ColumnElement[bool]] = {}
        if permit.own_only:
            lines[Line.KEY_SCOPE] = true() if own is None else not_(own)
        if permit.breadth is Breadth.ALWAYS:
            lines[Line.ALLOW_ALWAYS] = true()
        if permit.breadth is Breadth.DENIED:
            lines[Line.DENY_GRANT] = true()
        if permit.granted:
            lines[Line.DENY_GRANT] = reached(denied(self.actions(verb)))
            if permit.breadth is not Breadth.ALL:
                lines[Line.ALLOW_GRANT] = reached(allowed(self.actions(verb)))
        if permit.breadth is Breadth.OWN and own is not None:
            lines[Line.OWNERSHIP] = own
        if permit.breadth is Breadth.ALL:
            lines[Line.ROLE] = true()
        return predicate(lines)

    def _own(self, verb: str, rows: FromClause) -> ColumnElement[bool] | None:
        if self.owner is None:
            return None
        owned = rows.c[self.owner] == any_(subjects())
        return and_(owned, *(rows.c[name] == constant(value) for name, value in self.own_when.get(verb, {}).items()))

    def reached(self, rows: FromClause, chosen: Chosen, named: ColumnElement[Any] | None = None) -> ColumnElement[bool]:
        """Return the condition that a record, or one above it, is among the chosen ones."""
        found = [chosen(rows.c.id if named is None else named)] if self.grantable else []
        if self.parent is not None:
            found += self.parent.access._reached_by(rows.c[self.parent.column], rows.c.tenant_id, chosen)  # noqa: SLF001 - itself, one floor up
        return or_(false(), *found)

    def _reached_by(
        self, named: ColumnElement[Any], tenant: ColumnElement[Any], chosen: Chosen
    ) -> Iterable[ColumnElement[bool]]:
        """Return the conditions that the record that a column names, or one above it, is chosen."""
        if self.grantable:
            yield chosen(named)
        if self.parent is not None:
            above = self.table.alias(f"{self.resource}_between")
            chosen_above = or_(false(), *self.parent.access._reached_by(above.c[self.parent.column], tenant, chosen))  # noqa: SLF001 - itself, one floor up
            yield exists(select(1).where(above.c.tenant_id == tenant, above.c.id == named, chosen_above))

    def _parent_is_visible(self, parent: Parent, rows: FromClause, read: Permits) -> ColumnElement[bool]:
        """Return the condition that the record above is visible, with its grants asked for by the child's column.

        PostgreSQL adds the price of reading the grants to each look-up of a parent in a nested loop, once for every
        child, and would rather join all parents with all children and sort them. Measured, the first 50 of 100,000
        tasks of 100,000 projects: up to 3,670 buffers so; 291 with the grants beside the child, where they count once.
        """
        above, named = parent.access.table.alias(f"{parent.access.resource}_above"), rows.c[parent.column]
        return exists(
            select(1).where(
                above.c.tenant_id == rows.c.tenant_id,
                above.c.id == named,
                parent.access.visible(above, read, named=named),
            )
        )

    # The rule in memory

    def decide(
        self, principal: Principal, verb: str, record: RecordFacts | None, grants: Collection[GrantFacts] = ()
    ) -> Decision:
        """Return the decision on one record, visible or not; `grants` are those on it and above it, none expired.

        Without a record: whether there can be one on which it is allowed. The same order as the predicate;
        `tests/access/test_one_rule.py` proves that they agree.
        """
        return self.question(principal, verb, record, grants).decision()

    def question(
        self, principal: Principal, verb: str, record: RecordFacts | None, grants: Collection[GrantFacts] = ()
    ) -> Question:
        """Return the same as a question, which can be asked for each line: for explanations.

        No grant on a single record counts for who gives grants, nor for restricted fields, the same on every record.
        """
        if verb == "grant" and self.grantable:
            return self._administration(principal)
        if self.permission(verb) in self.restricted.values():
            return Question(principal, self.permission(verb))
        found: dict[Effect, UUID] | None = None

        def owns() -> bool:
            return self.owner is not None if record is None else self._owns(principal, verb, record)

        def grant(effect: Effect) -> UUID | None:
            nonlocal found
            if found is None:
                found = {} if record is None else self._matching(principal, verb, record, grants)
            return found.get(effect)

        return Question(principal, self.permission(verb), owns, grant, self.acl_allow_always)

    def can(self, principal: Principal, verb: str, record: RecordFacts, grants: Collection[GrantFacts] = ()) -> bool:
        """Tell whether a verb is allowed on a record that is visible, as everything above it is."""
        seen = self.sees(principal, record, grants)
        return seen and (verb == "read" or self.decide(principal, verb, record, grants).allowed)

    def sees(self, principal: Principal, record: RecordFacts, grants: Collection[GrantFacts] = ()) -> bool:
        """Tell whether a record is visible."""
        return all(
            one is not None and not one.is_deleted and access.decide(principal, "read", one, grants).allowed
            for access, one in self.lineage(record)
        )

    def lineage(self, record: RecordFacts | None) -> Iterable[tuple[ResourceAccess, RecordFacts | None]]:
        """Return a record and those above it, each with its resource; without a record, the resources alone."""
        yield self, record
        if self.parent is not None:
            yield from self.parent.access.lineage(None if record is None else record.parent)

    def _administration(self, principal: Principal) -> Question:
        """Return the question who gives grants: roles decide it alone, so that every deny can be taken back."""
        by_roles = replace(principal, allowed=frozenset(), denied=frozenset())
        return Question(by_roles, f"{self.resource}:grant", always=self.acl_admins)

    def _owns(self, principal: Principal, verb: str, record: RecordFacts) -> bool:
        if self.owner is None or record.owner_id not in principal.subjects:
            return False
        return all(record.values.get(name) == value for name, value in self.own_when.get(verb, {}).items())

    def _matching(
        self, principal: Principal, verb: str, record: RecordFacts, grants: Collection[GrantFacts]
    ) -> dict[Effect, UUID]:
        """Return the first grant of each effect that is about this verb, this record and this principal."""
        if not grants:
            return {}
        above = [one for access, one in zip(self.above, record.lineage(), strict=True) if access.grantable]
        actions, subjects = self.actions(verb), set(principal.subjects)
        found: dict[Effect, UUID] = {}
        for grant in grants:
            if grant.action in actions and grant.subject_id in subjects and grant.record_id in above:
                found.setdefault(grant.effect, grant.id)
        return found
