"""Where a live table differs from its model in what Alembic does not compare: wall, policies, grants, storage.

One comparison with three readers: `doctor` reports it, the drift check counts it, and the generator of migrations
writes the operations that end it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from tenantry.database.catalog import PUBLIC, LivePolicy, Relation
from tenantry.database.row_security import PRIVILEGES, Policy, policies_of, privileges_of, qualified, quoted


class DifferenceKind(StrEnum):
    """What differs."""

    WALL = "wall"
    POLICY = "policy"
    GRANT = "grant"
    STORAGE = "storage"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: what it is, the SQL that mends it here, and the operation of a migration with its reverse.

    `reverse` is empty where nothing should be restored.
    """

    kind: DifferenceKind
    reason: str
    repair: str
    operation: str
    reverse: str = ""


def differences(table: sa.Table, live: Relation) -> Iterator[Difference]:
    """Yield every difference between the declared and the live table, but for columns, keys and indexes."""
    comparison = _Comparison(table, live)
    yield from comparison.wall()
    yield from comparison.policies()
    yield from comparison.grants()
    yield from comparison.column_grants()
    yield from comparison.storage()


def render(policy: Policy) -> str:
    """Return the Python expression that makes the policy, for a migration file."""
    parts = [repr(policy.name), repr(str(policy.role))]
    parts += [f"using={policy.using!r}"] if policy.using is not None else []
    parts += [f"check={policy.check!r}"] if policy.check is not None else []
    parts += [f"command={policy.command!r}"] if policy.command != "ALL" else []
    parts += ["restrictive=True"] if policy.restrictive else []
    return f"Policy({', '.join(parts)})"


class _Comparison:
    """One table. `here` is its name in the live schema; `name` its name in a migration, where a tenant's has none."""

    def __init__(self, table: sa.Table, live: Relation) -> None:
        self._live = live
        self._policies = policies_of(table)
        self._privileges = privileges_of(table)
        self._is_unlogged = "UNLOGGED" in table._prefixes  # noqa: SLF001 - SQLAlchemy has no other way to ask
        self._here = qualified(live.name, live.schema)
        self._name = qualified(table.name, table.schema)
        self._table = repr(str(table.name))
        self._schema = "" if table.schema is None else f", schema={table.schema!r}"

    def wall(self) -> Iterator[Difference]:
        is_declared = bool(self._policies)
        for is_on, on, off in (
            (self._live.is_enabled, "ENABLE", "DISABLE"),
            (self._live.is_forced, "FORCE", "NO FORCE"),
        ):
            if is_on is is_declared:
                continue
            wanted, found = (on, off) if is_declared else (off, on)
            why = "is not declared for this table" if is_on else f"is off: {on} is missing"
            yield Difference(
                DifferenceKind.WALL,
                f"row security {why}",
                f"ALTER TABLE {self._here} {wanted} ROW LEVEL SECURITY",
                f"op.execute({f'ALTER TABLE {self._name} {wanted} ROW LEVEL SECURITY'!r})",
                f"op.execute({f'ALTER TABLE {self._name} {found} ROW LEVEL SECURITY'!r})",
            )

    def policies(self) -> Iterator[Difference]:
        found = {policy.name: policy for policy in self._live.policies}
        for declared in self._policies:
            present = found.pop(declared.name, None)
            if present is None:
                yield self._missing(declared, f"the policy {declared.name} is missing")
            elif not present.matches(declared):
                yield self._extra(present, f"the policy {declared.name} is not the declared one")
                yield self._missing(declared, f"the policy {declared.name} must be created as declared")
        for present in found.values():
            yield self._extra(present, f"nothing declares the policy {present.name}")

    def grants(self) -> Iterator[Difference]:
        for role in sorted(self._privileges.keys() | self._live.grants.keys()):
            wanted, found = self._privileges.get(role, frozenset()), self._live.grants.get(role, frozenset())
            if missing := ", ".join(sorted(wanted - found)):
                yield self._grant(role, missing)
            if extra := sorted(found - wanted):
                yield self._revoke(role, extra)

    def column_grants(self) -> Iterator[Difference]:
        for grant in self._live.column_grants:
            role, _, privilege = grant.partition(" ")
            repair = f"REVOKE {privilege} ON {{}} FROM {_grantee(role)}"
            yield Difference(
                DifferenceKind.GRANT,
                f"{role} may {privilege}; columns are not granted one by one",
                repair.format(self._here),
                f"op.execute({repair.format(self._name)!r})",
            )

    def storage(self) -> Iterator[Difference]:
        if self._live.is_unlogged is not self._is_unlogged:
            forth, back = ("UNLOGGED", "LOGGED") if self._is_unlogged else ("LOGGED", "UNLOGGED")
            yield Difference(
                DifferenceKind.STORAGE,
                f"the table is {back} and declared {forth}",
                f"ALTER TABLE {self._here} SET {forth}",
                f"op.execute({f'ALTER TABLE {self._name} SET {forth}'!r})",
                f"op.execute({f'ALTER TABLE {self._name} SET {back}'!r})",
            )

    def _missing(self, declared: Policy, reason: str) -> Difference:
        return Difference(
            DifferenceKind.POLICY,
            reason,
            declared.statement(self._here),
            f"op.create_policy({self._table}, {render(declared)}{self._schema})",
            f"op.drop_policy({self._table}, {declared.name!r}{self._schema})",
        )

    def _extra(self, present: LivePolicy, reason: str) -> Difference:
        return Difference(
            DifferenceKind.POLICY,
            reason,
            f"DROP POLICY {quoted(present.name)} ON {self._here}",
            f"op.drop_policy({self._table}, {present.name!r}{self._schema})",
            f"op.execute({_recreate(present, self._name)!r})",
        )

    def _grant(self, role: str, privileges: str) -> Difference:
        arguments = f"({self._table}, {str(role)!r}, {privileges!r}{self._schema})"
        return Difference(
            DifferenceKind.GRANT,
            f"{role} may not {privileges}",
            f"GRANT {privileges} ON {self._here} TO {quoted(role)}",
            f"op.grant{arguments}",
            f"op.revoke{arguments}",
        )

    def _revoke(self, role: str, privileges: list[str]) -> Difference:
        listed = ", ".join(privileges)
        reason = f"{role} may {listed}, which nothing declares"
        repair = f"REVOKE {listed} ON {{}} FROM {_grantee(role)}"
        if role == PUBLIC or not set(privileges) <= set(PRIVILEGES):
            operation = f"op.execute({repair.format(self._name)!r})"
            return Difference(DifferenceKind.GRANT, reason, repair.format(self._here), operation)
        arguments = f"({self._table}, {str(role)!r}, {listed!r}{self._schema})"
        return Difference(
            DifferenceKind.GRANT, reason, repair.format(self._here), f"op.revoke{arguments}", f"op.grant{arguments}"
        )


def _recreate(policy: LivePolicy, name: str) -> str:
    kind = "PERMISSIVE" if policy.is_permissive else "RESTRICTIVE"
    roles = ", ".join(_grantee(role) for role in policy.roles)
    using = f" USING ({policy.seen})" if policy.seen is not None else ""
    check = f" WITH CHECK ({policy.written})" if policy.written is not None else ""
    return f"CREATE POLICY {quoted(policy.name)} ON {name} AS {kind} FOR {policy.command} TO {roles}{using}{check}"


def _grantee(role: str) -> str:
    return role if role == PUBLIC else quoted(role)
