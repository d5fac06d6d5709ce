"""Placement: where a tenant's rows live. Application code never knows it; the unit of work asks once, when it opens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tenantry.database.planes import POOL_SCHEMA
from tenantry.kernel import TenantId

_SCHEMA_OF_TENANT = re.compile(r"t_[0-9a-f]{32}")


class PlacementKind(StrEnum):
    """How a tenant's rows are set apart, besides row security, which holds in every kind."""

    POOL = "pool"
    SCHEMA = "schema"


@dataclass(frozen=True, slots=True)
class Placement:
    """A place for tenant tables: a schema of the database.

    >>> Placement.pool().opening
    ''
    """

    kind: PlacementKind
    schema: str
    opening: str
    """What the opening batch of a transaction says about it; empty where the connection's default is right."""

    @classmethod
    def pool(cls) -> Placement:
        """The schema that many tenants share: the default `search_path` of an application connection."""
        return _POOL

    @classmethod
    def of_schema(cls, schema: str) -> Placement:
        """The schema of one tenant.

        Names come from the catalog and are checked again here, because the name becomes part of a statement.

        >>> Placement.of_schema("public")
        Traceback (most recent call last):
        ...
        ValueError: 'public' is not the schema of a tenant
        """
        if not _SCHEMA_OF_TENANT.fullmatch(schema):
            raise ValueError(f"{schema!r} is not the schema of a tenant")
        return cls(PlacementKind.SCHEMA, schema, f'SET LOCAL search_path = "{schema}", pg_temp;')

    @classmethod
    def schema_for(cls, tenant_id: TenantId) -> Placement:
        """The placement a tenant gets when it is created with a schema of its own."""
        return cls.of_schema(f"t_{tenant_id.hex}")


_POOL = Placement(PlacementKind.POOL, POOL_SCHEMA, "")


class PlacementSource(Protocol):
    """Knows where each tenant lives; implemented by `tenancy`."""

    async def placements(self) -> list[Placement]:
        """Return every placement that holds tenant tables, the pool first."""
        ...
