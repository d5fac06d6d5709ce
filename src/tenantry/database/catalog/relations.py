"""Tables and views as the server knows them: their walls, policies and grants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from tenantry.database.row_security import Policy

PUBLIC = "PUBLIC"
_COMMANDS = {"*": "ALL", "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|::|\w+|[^\s\w]")
_NOISE = re.compile(r":: (?:text|character varying)\b")

_RELATIONS = """
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
       pg_get_userbyid(c.relowner)::text AS owner, c.relrowsecurity AS is_enabled, c.relforcerowsecurity AS is_forced,
       c.relpersistence = 'u' AS is_unlogged,
       coalesce(c.reloptions && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false)
           AS is_invoker,
       ARRAY(SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END
                    || ' ' || a.privilege_type
               FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner) AS grants,
       ARRAY(SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END
                    || ' ' || a.privilege_type || ' (' || t.attname || ')'
               FROM pg_attribute t, aclexplode(t.attacl) a
              WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL AND a.grantee <> c.relowner) AS column_grants
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
 ORDER BY 2, 3
"""

_POLICIES = """
SELECT p.polrelid, p.polname AS name, p.polpermissive AS is_permissive, p.polcmd::text AS command,
       ARRAY(SELECT CASE r WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r)::text END FROM unnest(p.polroles) r) AS roles,
       pg_get_expr(p.polqual, p.polrelid) AS seen, pg_get_expr(p.polwithcheck, p.polrelid) AS written
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY ($1)
 ORDER BY 2
"""


@dataclass(frozen=True, slots=True)
class LivePolicy:
    """A policy as PostgreSQL prints it."""

    name: str
    command: str
    roles: tuple[str, ...]
    seen: str | None
    written: str | None
    is_permissive: bool

    def matches(self, declared: Policy) -> bool:
        """Tell whether this is the declared policy."""
        return (
            (self.name, self.command, self.roles) == (declared.name, declared.command, (declared.role,))
            and self.is_permissive is not declared.restrictive
            and same_condition(self.seen, declared.seen)
            and same_condition(self.written, declared.written)
        )


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view, materialized view or foreign table with its wall and its grants (the owner's are left out)."""

    schema: str
    name: str
    kind: str
    owner: str
    is_enabled: bool
    is_forced: bool
    is_unlogged: bool
    is_invoker: bool
    grants: Mapping[str, frozenset[str]]
    column_grants: tuple[str, ...]
    policies: tuple[LivePolicy, ...]

    @property
    def is_table(self) -> bool:
        """Tell whether rows are stored here, as in a table or a partition."""
        return self.kind in {"r", "p"}


async def read_relations(connection: asyncpg.Connection, schemas: Sequence[str]) -> list[Relation]:
    """Return every relation of the schemas. Two round trips."""
    rows = await connection.fetch(_RELATIONS, schemas)
    policies: dict[int, list[LivePolicy]] = {}
    for row in await connection.fetch(_POLICIES, schemas):
        policy = LivePolicy(
            row["name"],
            _COMMANDS[row["command"]],
            tuple(row["roles"]),
            row["seen"],
            row["written"],
            is_permissive=row["is_permissive"],
        )
        policies.setdefault(row["polrelid"], []).append(policy)
    return [_relation(row, policies.get(row["oid"], ())) for row in rows]


def same_condition(live: str | None, declared: str | None) -> bool:
    """Tell whether a condition is the declared one, whatever parentheses and text casts PostgreSQL prints.

    >>> same_condition("(a = (NULLIF(current_setting('x'::text, true), ''::text))::uuid)",
    ...                "a = NULLIF(current_setting('x', true), '')::uuid")
    True
    >>> same_condition("true", "a = 1")
    False
    """
    if live is None or declared is None:
        return live is declared
    return _essence(live) == _essence(declared)


def _essence(condition: str) -> str:
    tokens = (token if token[0] in "'\"" else token.lower() for token in _TOKEN.findall(condition))
    return _NOISE.sub("", " ".join(token for token in tokens if token not in {"(", ")"})).replace("  ", " ").strip()


def _relation(row: asyncpg.Record, policies: Iterable[LivePolicy]) -> Relation:
    grants: dict[str, set[str]] = {}
    for grant in row["grants"]:
        role, _, privilege = grant.rpartition(" ")
        grants.setdefault(role, set()).add(privilege)
    return Relation(
        row["schema"],
        row["name"],
        row["kind"],
        row["owner"],
        is_enabled=row["is_enabled"],
        is_forced=row["is_forced"],
        is_unlogged=row["is_unlogged"],
        is_invoker=row["is_invoker"],
        grants={role: frozenset(names) for role, names in grants.items()},
        column_grants=tuple(row["column_grants"]),
        policies=tuple(policies),
    )
