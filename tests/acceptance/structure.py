"""Checks of the live catalogue, in plain SQL: what must hold for row security to hold, whatever the application does.

They share nothing with `tenantry doctor`, which checks the same from the models: each notices a fault of the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

SERVING = ("tenantry_app", "tenantry_control", "tenantry_worker", "tenantry_platform")
WALLED = "(n.nspname IN ('pool', 'shared') OR n.nspname ~ '^t_[0-9a-f]{32}$')"
OPEN_CONTROL_TABLES = {"outbox": "events of the control plane: the roles that write it may not read it"}
"""Control tables with a tenant that have no policy, with the reason."""

_TABLES = f"""
SELECT n.nspname || '.' || c.relname AS name, c.relrowsecurity AS is_on, c.relforcerowsecurity AS is_forced,
       pg_get_userbyid(c.relowner)::text AS owner,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') AS has_tenant
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND {WALLED} AND c.relname NOT LIKE '%version%' ORDER BY 1
"""
_POLICIES = f"""
SELECT n.nspname || '.' || c.relname AS name, p.polname AS policy, p.polpermissive AS is_permissive,
       p.polcmd::text AS command, pg_get_expr(p.polqual, p.polrelid) AS seen,
       pg_get_expr(p.polwithcheck, p.polrelid) AS written,
       ARRAY(SELECT r.rolname::text FROM pg_roles r WHERE r.oid = ANY (p.polroles)) AS roles
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE {WALLED}
"""
_KEYS = f"""
SELECT n.nspname || '.' || c.relname AS name, o.conname AS key,
       (SELECT attname::text FROM pg_attribute WHERE attrelid = o.conrelid AND attnum = o.conkey[1]) AS own,
       (SELECT attname::text FROM pg_attribute WHERE attrelid = o.confrelid AND attnum = o.confkey[1]) AS other,
       o.confdeltype::text AS on_delete
  FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE o.contype = 'f' AND {WALLED}
"""
_UNIQUES = f"""
SELECT n.nspname || '.' || c.relname AS name, i.relname AS index,
       (SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum = x.indkey[0]) AS first
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE x.indisunique AND {WALLED} AND n.nspname <> 'shared' AND c.relname NOT LIKE '%version%'
"""
_WALL = "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)"


async def assert_structure(admin: asyncpg.Connection) -> None:
    """Every check of this file."""
    await assert_roles_are_weak(admin)
    await assert_every_tenant_table_is_walled(admin)
    await assert_policies_are_the_two(admin)
    await assert_keys_carry_the_tenant(admin)
    await assert_the_control_plane_is_out_of_reach(admin)
    await assert_nothing_runs_with_other_rights(admin)


async def assert_roles_are_weak(admin: asyncpg.Connection) -> None:
    """No serving role may more than connect: no attribute, no membership, no property, nothing to create."""
    for role in SERVING:
        found = await admin.fetchrow(
            "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication AS is_strong, "
            "EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) AS is_member, "
            "EXISTS (SELECT FROM pg_class WHERE relowner = r.oid) AS is_owner, "
            "has_database_privilege(r.oid, current_database(), 'CREATE, TEMPORARY') AS creates, "
            "EXISTS (SELECT FROM pg_namespace n WHERE has_schema_privilege(r.oid, n.oid, 'CREATE')) AS creates_in "
            "FROM pg_roles r WHERE rolname = $1",
            role,
        )
        assert found is not None, f"{role} does not exist"
        assert not any(found.values()), f"{role}: {dict(found)}"


async def assert_every_tenant_table_is_walled(admin: asyncpg.Connection) -> None:
    """Each table of the tenant and shared planes has a tenant, and row security that holds for its owner too."""
    tables = await admin.fetch(_TABLES)
    assert len(tables) > 5, "there is nothing to check"
    for table in tables:
        assert table["has_tenant"], f"{table['name']} has no tenant_id"
        assert table["is_on"], f"{table['name']}: row security is off"
        assert table["is_forced"], f"{table['name']}: row security does not hold for the owner"
        assert table["owner"] == "tenantry_owner", f"{table['name']} belongs to {table['owner']}"


async def assert_policies_are_the_two(admin: asyncpg.Connection) -> None:
    """Each of these tables has the restrictive wall and one permissive policy for the application, and no other."""
    found: dict[str, dict[str, asyncpg.Record]] = {}
    for row in await admin.fetch(_POLICIES):
        found.setdefault(row["name"], {})[row["policy"]] = row
    for table in await admin.fetch(_TABLES):
        name = table["name"]
        expected = {"tenant_wall", "tenant_rows"} | ({"worker_rows"} if name.startswith("shared.") else set())
        assert set(found.get(name, ())) == expected, f"{name} has the policies {sorted(found.get(name, ()))}"
        wall = found[name]["tenant_wall"]
        assert (wall["is_permissive"], wall["command"], wall["roles"]) == (False, "*", ["tenantry_app"]), name
        assert wall["seen"] == wall["written"] == _WALL, f"{name}: {wall['seen']}"
        for other in expected - {"tenant_wall"}:
            role = "tenantry_worker" if other == "worker_rows" else "tenantry_app"
            assert found[name][other]["roles"] == [role], f"{name}: {other} is for {found[name][other]['roles']}"


async def assert_keys_carry_the_tenant(admin: asyncpg.Connection) -> None:
    """Every foreign key between tenant tables, and every unique one, starts with the tenant."""
    for key in await admin.fetch(_KEYS):
        assert (key["own"], key["other"]) == ("tenant_id", "tenant_id"), f"{key['name']}: {key['key']}"
        assert key["on_delete"] in {"r", "c", "a"}, f"{key['name']}: {key['key']} changes the child's tenant"
    for index in await admin.fetch(_UNIQUES):
        assert index["first"] == "tenant_id", (
            f"{index['name']}: {index['index']} tells whether a value exists elsewhere"
        )


async def assert_the_control_plane_is_out_of_reach(admin: asyncpg.Connection) -> None:
    """The application's role reaches nothing of the control schema; no role gets past row security in any schema."""
    assert not await admin.fetchval("SELECT has_schema_privilege('tenantry_app', 'control', 'USAGE')")
    reachable = await _relations_with(admin, "tenantry_app", "control", ("SELECT", "INSERT", "UPDATE", "DELETE"))
    assert not reachable, f"tenantry_app can reach {reachable}"
    for schema in ("pool", "shared", "control"):
        for role in SERVING:
            passing = await _relations_with(admin, role, schema, ("TRUNCATE", "REFERENCES", "TRIGGER"))
            assert not passing, f"{role} gets past row security on {passing}"
    walls = await admin.fetch(
        "SELECT c.relname::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS is_walled FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE n.nspname = 'control' AND c.relkind = 'r' AND a.attname = 'tenant_id'"
    )
    assert {row["name"] for row in walls if not row["is_walled"]} == set(OPEN_CONTROL_TABLES)


async def assert_nothing_runs_with_other_rights(admin: asyncpg.Connection) -> None:
    """No view, materialized view or function lets a caller act with its owner's rights."""
    views = await admin.fetch(
        "SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
        "AND NOT coalesce(c.reloptions && ARRAY['security_invoker=true'], false)"
    )
    assert not views, f"{views} show what their owner may see"
    functions = await admin.fetch(
        "SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    )
    assert not functions, f"{functions} run with their owner's rights"


async def _relations_with(admin: asyncpg.Connection, role: str, schema: str, privileges: Sequence[str]) -> list[str]:
    rows = await admin.fetch(
        "SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = $2 AND c.relkind IN ('r', 'p', 'v', 'm') AND has_table_privilege($1, c.oid, $3)",
        role,
        schema,
        ", ".join(privileges),
    )
    return [row["name"] for row in rows]
