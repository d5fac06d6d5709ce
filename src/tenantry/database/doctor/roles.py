"""Rule: no role has more than it needs, and none may become another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantry.database.catalog import LiveRole, PublicDefault
from tenantry.database.doctor.declared import Declared
from tenantry.database.doctor.finding import DatabaseFinding, error
from tenantry.database.provisioning import ROLE_ATTRIBUTES
from tenantry.database.roles import SERVING_ROLES, DatabaseRole
from tenantry.database.row_security import quoted

_RULE = "roles"


def role_findings(roles: Mapping[str, LiveRole], declared: Declared, database: str) -> Iterator[DatabaseFinding]:
    """Judge the five roles: flags, memberships, property, and rights outside tables."""
    for name in DatabaseRole:
        role = roles.get(name)
        if role is None:
            yield error(_RULE, _place(name), "it does not exist", f"CREATE ROLE {quoted(name)} {ROLE_ATTRIBUTES}")
            continue
        yield from _flags(role)
        yield from _memberships(role)
        if name in SERVING_ROLES:
            yield from _property(role)
            yield from _reach(role, declared, database)


def public_default_findings(defaults: list[PublicDefault]) -> Iterator[DatabaseFinding]:
    """Report default privileges that would open every new table or schema to everybody."""
    kinds = {"r": "TABLES", "S": "SEQUENCES", "n": "SCHEMAS"}
    for one in defaults:
        kind = kinds.get(one.kind, one.kind)
        inside = "" if one.schema == "every schema" else f" IN SCHEMA {quoted(one.schema)}"
        yield error(
            "default privileges",
            one.schema,
            f"PUBLIC gets {one.privilege} on all new {kind.lower()} of {one.creator}",
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {quoted(one.creator)}{inside} "
            f"REVOKE {one.privilege} ON {kind} FROM PUBLIC",
        )


def _flags(role: LiveRole) -> Iterator[DatabaseFinding]:
    flags = (
        (role.is_superuser, "it is a superuser, and row security does not hold for superusers", "NOSUPERUSER"),
        (role.bypasses, "it has BYPASSRLS: no policy holds for it", "NOBYPASSRLS"),
        (role.creates_roles, "it may create roles, and could make one without a wall", "NOCREATEROLE"),
        (role.creates_databases, "it may create databases", "NOCREATEDB"),
        (role.replicates, "it may read everything by replication", "NOREPLICATION"),
        (not role.can_login, "it may not connect", "LOGIN"),
    )
    for is_wrong, reason, attribute in flags:
        if is_wrong:
            yield error(_RULE, _place(role.name), reason, f"ALTER ROLE {quoted(role.name)} {attribute}")


def _memberships(role: LiveRole) -> Iterator[DatabaseFinding]:
    for other in role.member_of:
        reason = f"it is a member of {other} and could act as it"
        yield error(_RULE, _place(role.name), reason, f"REVOKE {quoted(other)} FROM {quoted(role.name)}")


def _property(role: LiveRole) -> Iterator[DatabaseFinding]:
    for owned in role.owns:
        reason = f"it owns the {owned}, and an owner can switch row security off"
        way_out = f"ALTER {owned} OWNER TO {quoted(DatabaseRole.OWNER)}"
        yield error(_RULE, _place(role.name), reason, way_out)


def _reach(role: LiveRole, declared: Declared, database: str) -> Iterator[DatabaseFinding]:
    for privilege in role.on_database:
        yield error(
            _RULE,
            _place(role.name),
            f"it may {privilege} in the database, and what it creates could come before a tenant's tables",
            f"REVOKE {privilege} ON DATABASE {quoted(database)} FROM PUBLIC, {quoted(role.name)}",
        )
    for schema in role.creates_in:
        way_out = f"REVOKE CREATE ON SCHEMA {quoted(schema)} FROM PUBLIC, {quoted(role.name)}"
        yield error(_RULE, _place(role.name), f"it may create objects in the schema {schema}", way_out)
    for schema in role.enters:
        if schema != "public" and not declared.may_enter(role.name, schema):
            way_out = f"REVOKE USAGE ON SCHEMA {quoted(schema)} FROM PUBLIC, {quoted(role.name)}"
            yield error(_RULE, _place(role.name), f"it may enter the schema {schema}", way_out)


def _place(role: str) -> str:
    return f"role {role}"
