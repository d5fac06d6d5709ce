"""What the live database says about keys, indexes, triggers and functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

_INDEXES = """
SELECT n.nspname::text AS schema, t.relname::text AS table, i.relname::text AS name, x.indisunique AS is_unique,
       x.indisvalid AS is_valid,
       ARRAY(SELECT coalesce(a.attname::text, '(expression)')
               FROM unnest(x.indkey::int2[]) WITH ORDINALITY k (number, place)
               LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number AND k.number > 0
              WHERE k.place <= x.indnkeyatts ORDER BY k.place) AS columns,
       ARRAY(SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
               FROM unnest(x.indkey::int2[], x.indclass::oid[]) k (number, class)
               JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number
               JOIN pg_opclass o ON o.oid = k.class
              WHERE EXISTS (SELECT 1 FROM pg_amop m JOIN pg_operator p ON p.oid = m.amopopr
                              JOIN pg_proc f ON f.oid = p.oprcode
                             WHERE m.amopfamily = o.opcfamily AND m.amoplefttype = o.opcintype
                               AND m.amoprighttype = o.opcintype AND NOT f.proleakproof)) AS leaking
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
  JOIN pg_namespace n ON n.oid = t.relnamespace
 WHERE n.nspname = ANY ($1)
 ORDER BY 1, 2, 3
"""

_FOREIGN_KEYS = """
SELECT n.nspname::text AS schema, t.relname::text AS table, c.conname::text AS name,
       ns.nspname::text AS target_schema, s.relname::text AS target, c.convalidated AS is_valid,
       c.confdeltype::text AS on_delete,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k (number, place)
               JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number ORDER BY k.place) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY k (number, place)
               JOIN pg_attribute a ON a.attrelid = s.oid AND a.attnum = k.number ORDER BY k.place) AS referred
  FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_class s ON s.oid = c.confrelid JOIN pg_namespace ns ON ns.oid = s.relnamespace
 WHERE c.contype = 'f' AND n.nspname = ANY ($1)
 ORDER BY 1, 2, 3
"""

_SHAPES = """
SELECT schema::text, md5(string_agg(line, E'\\n' ORDER BY line)) AS shape FROM (
  SELECT n.nspname AS schema, concat_ws(' ', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
         a.attcollation::regcollation, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid)) AS line
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname = ANY ($1)
  UNION ALL
  SELECT n.nspname, concat_ws(' ', c.relname, o.conname,
         replace(pg_get_constraintdef(o.oid), quote_ident(n.nspname) || '.', ''))
    FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = ANY ($1)
  UNION ALL
  SELECT n.nspname, replace(pg_get_indexdef(x.indexrelid), quote_ident(n.nspname) || '.', '')
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = ANY ($1)
) lines GROUP BY schema
"""

_TRIGGERS = """
SELECT n.nspname::text AS schema, t.relname::text AS table, g.tgname::text AS name
  FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_namespace n ON n.oid = t.relnamespace
 WHERE NOT g.tgisinternal AND n.nspname = ANY ($1)
 ORDER BY 1, 2, 3
"""

_DEFINERS = """
SELECT p.oid::regprocedure::text AS name,
       ARRAY(SELECT r FROM unnest($1::text[]) r WHERE has_function_privilege(r, p.oid, 'EXECUTE')) AS callers
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


@dataclass(frozen=True, slots=True)
class Index:
    """An index. `leaking` names columns whose comparison row security keeps from using the index, with their types."""

    schema: str
    table: str
    name: str
    is_unique: bool
    is_valid: bool
    columns: Sequence[str]
    leaking: Sequence[str]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key with its columns in order. `on_delete` is PostgreSQL's letter (a, r, c, n, d)."""

    schema: str
    table: str
    name: str
    target_schema: str
    target: str
    is_valid: bool
    on_delete: str
    columns: Sequence[str]
    referred: Sequence[str]


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger that somebody created."""

    schema: str
    table: str
    name: str


@dataclass(frozen=True, slots=True)
class Definer:
    """A function that runs with its owner's rights, and the serving roles that may call it."""

    name: str
    callers: Sequence[str]


async def read_indexes(connection: asyncpg.Connection, schemas: Sequence[str]) -> list[Index]:
    """Return every index of the schemas."""
    return [Index(**dict(row)) for row in await connection.fetch(_INDEXES, schemas)]


async def read_foreign_keys(connection: asyncpg.Connection, schemas: Sequence[str]) -> list[ForeignKey]:
    """Return every foreign key of the schemas."""
    return [ForeignKey(**dict(row)) for row in await connection.fetch(_FOREIGN_KEYS, schemas)]


async def read_shapes(connection: asyncpg.Connection, schemas: Sequence[str]) -> dict[str, str]:
    """Return a digest of the columns, constraints and indexes of each schema: equal digests, equal tables."""
    return {row["schema"]: row["shape"] for row in await connection.fetch(_SHAPES, schemas)}


async def read_triggers(connection: asyncpg.Connection, schemas: Sequence[str]) -> list[Trigger]:
    """Return every trigger of the schemas that is not PostgreSQL's own."""
    return [Trigger(**dict(row)) for row in await connection.fetch(_TRIGGERS, schemas)]


async def read_definers(connection: asyncpg.Connection, roles: Sequence[str]) -> list[Definer]:
    """Return every function with definer's rights; `roles` must exist."""
    return [Definer(**dict(row)) for row in await connection.fetch(_DEFINERS, roles)]
