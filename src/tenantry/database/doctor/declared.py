"""What the models say should be there, schema by schema."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from tenantry.database.migrations.chains import Chain
from tenantry.database.migrations.versions import schemas_of
from tenantry.database.placement import Placement
from tenantry.database.planes import Plane
from tenantry.database.provisioning import users_of
from tenantry.database.row_security import privileges_of


class Declared:
    """The tables of `chains` in every schema where they live."""

    def __init__(self, chains: Iterable[Chain], placements: Sequence[Placement]) -> None:
        self.tables: dict[tuple[str, str], sa.Table] = {}
        self.version_tables: set[tuple[str, str]] = set()
        self.tenant_schemas = frozenset(schemas_of(Plane.TENANT, placements))
        self._users: dict[str, set[str]] = {}
        for chain in chains:
            tables = chain.tables()
            roles = {role for table in tables.values() for role in privileges_of(table)}
            for schema in schemas_of(chain.plane, placements):
                self.tables |= {(schema, name): table for name, table in tables.items()}
                self.version_tables.add((schema, chain.version_table))
                self._users.setdefault(schema, set()).update(roles)

    @property
    def schemas(self) -> list[str]:
        """Every schema that holds declared tables."""
        return [*self._users]

    @property
    def tenant_tables(self) -> dict[str, sa.Table]:
        """The tables of the tenant plane by name, once, however many placements hold them."""
        return {name: table for (schema, name), table in self.tables.items() if schema in self.tenant_schemas}

    def may_enter(self, role: str, schema: str) -> bool:
        """Tell whether the role has something to do in the schema."""
        return role in users_of(schema) or role in self._users.get(schema, ())
