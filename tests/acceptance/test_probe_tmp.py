import pytest, asyncio
from tests.acceptance.test_plans import *
from tests.acceptance.conftest import *
pytestmark = pytest.mark.anyio
async def test_probe(tenants, admin):
    small, large = tenants
    db = small.world.assembly.runtime.database
    sql = """SELECT string_agg(CAST(row_to_json("_page_") AS TEXT), E',') AS items, count(*) AS count FROM (SELECT projects.id, projects.created_at, projects.name FROM projects WHERE projects.deleted_at IS NULL AND projects.status = $1::VARCHAR ORDER BY projects.created_at DESC, projects.id DESC LIMIT $2::BIGINT + 1) AS _page_"""
    c = await db.app.acquire()
    for mode in ('force_custom_plan', 'auto'):
        await c.execute("DEALLOCATE ALL"); await c.execute("PREPARE q AS " + sql)
        await c.execute(f"SET plan_cache_mode={mode}")
        for t in (small,)*7 + (large,):
          async with c.transaction():
            await c.execute(f"SET LOCAL app.tenant_id='{t.id}'")
            rows = await c.fetch("EXPLAIN ANALYZE EXECUTE q('draft', 50)")
        print(mode, 'large after small'); print('\n'.join(r[0] for r in rows)[:1800])
        async with c.transaction():
            await c.execute(f"SET LOCAL app.tenant_id='{small.id}'")
            print('\n'.join(r[0] for r in await c.fetch("EXPLAIN ANALYZE EXECUTE q('draft', 50)")))
    await c.execute("RESET plan_cache_mode")
