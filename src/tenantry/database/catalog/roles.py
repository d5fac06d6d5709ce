"""What the live database says about roles: their flags, memberships, property, and what they may do outside tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

_ROLES = """
SELECT r.rolname::text AS name, r.rolcanlogin AS can_login, r.rolsuper AS is_superuser, r.rolbypassrls AS bypasses,
       r.rolcreaterole AS creates_roles, r.rolcreatedb AS creates_databases, r.rolreplication AS replicates,
       ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
              WHERE m.member = r.oid) AS member_of,
       ARRAY(SELECT 'database ' || datname FROM pg_database WHERE datdba = r.oid
             UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspowner = r.oid
             UNION ALL SELECT format('table %I.%I', n.nspname, c.relname)
                         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                        WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
             LIMIT 10) AS owns,
       ARRAY(SELECT p FROM unnest(ARRAY['CREATE', 'TEMPORARY']) p
              WHERE has_database_privilege(r.oid, current_database(), p)) AS on_database,
       ARRAY(SELECT n.nspname::text FROM pg_namespace n
              WHERE n.nspname = ANY ($2) AND has_schema_privilege(r.oid, n.oid, 'CREATE')) AS creates_in,
       ARRAY(SELECT n.nspname::text FROM pg_namespace n
              WHERE n.nspname = ANY ($2) AND has_schema_privilege(r.oid, n.oid, 'USAGE')) AS enters
  FROM pg_roles r
 WHERE r.rolname = ANY ($1)
"""

_PUBLIC_DEFAULTS = """
SELECT coalesce(n.nspname::text, 'every schema') AS schema, d.defaclobjtype::text AS kind,
       pg_get_userbyid(d.defaclrole)::text AS creator, a.privilege_type AS privilege
  FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace, aclexplode(d.defaclacl) a
 WHERE a.grantee = 0 AND NOT (d.defaclobjtype IN ('f', 'T'))
"""

# asyncpg's own reading of the version takes the minor number of current servers for a third one.
_SERVER = "SELECT current_database()::text, current_setting('server_version_num')::int"


@dataclass(frozen=True, slots=True)
class Server:
    """The version of the server and the name of the database."""

    database: str
    major: int
    minor: int


@dataclass(frozen=True, slots=True)
class LiveRole:
    """A role as the server knows it. `on_database` and the schemas include what it has through PUBLIC."""

    name: str
    can_login: bool
    is_superuser: bool
    bypasses: bool
    creates_roles: bool
    creates_databases: bool
    replicates: bool
    member_of: Sequence[str]
    owns: Sequence[str]
    on_database: Sequence[str]
    creates_in: Sequence[str]
    enters: Sequence[str]


@dataclass(frozen=True, slots=True)
class PublicDefault:
    """A default privilege that gives PUBLIC something of every object that will be created."""

    schema: str
    kind: str
    creator: str
    privilege: str


async def read_server(connection: asyncpg.Connection) -> Server:
    """Return the version of the server and the name of the database."""
    database, number = await connection.fetchrow(_SERVER)
    return Server(database, number // 10000, number % 10000)


async def read_roles(
    connection: asyncpg.Connection, names: Sequence[str], schemas: Sequence[str]
) -> dict[str, LiveRole]:
    """Return the roles that exist among `names`. One round trip."""
    rows = await connection.fetch(_ROLES, names, schemas)
    return {row["name"]: LiveRole(**dict(row)) for row in rows}


async def read_public_defaults(connection: asyncpg.Connection) -> list[PublicDefault]:
    """Return the default privileges of PUBLIC, but for functions and types, where PostgreSQL itself has them."""
    return [PublicDefault(**dict(row)) for row in await connection.fetch(_PUBLIC_DEFAULTS)]
