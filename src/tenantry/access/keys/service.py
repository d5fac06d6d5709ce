"""Keys in one value: what the assembly makes once, and everything above asks. Knows no web framework."""

from __future__ import annotations

from tenantry.access.keys.api_keys import ApiKeys
from tenantry.access.keys.facts import KeyCache
from tenantry.access.keys.usage import KeyUsage
from tenantry.access.permissions import PermissionCatalog
from tenantry.runtime import Runtime
from tenantry.tenancy import RoleAuthority


class KeyService:
    """The behaviours of keys: `keys`, and the `book` that every request asks."""

    def __init__(self, runtime: Runtime, catalog: PermissionCatalog, authority: RoleAuthority) -> None:
        self._usage = KeyUsage(runtime.database, runtime.clock)
        self.book = KeyCache(runtime.database, runtime.facts, runtime.clock, catalog=catalog, usage=self._usage)
        self.keys = ApiKeys(runtime, catalog, authority)

    async def close(self) -> None:
        """Write what was noted about the use of keys."""
        await self._usage.close()
