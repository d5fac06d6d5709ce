"""What the live database says about itself. The one place for SQL over ``pg_catalog``, which every role may read."""

from tenantry.database.catalog.keys import (
    Definer,
    ForeignKey,
    Index,
    Trigger,
    read_definers,
    read_foreign_keys,
    read_indexes,
    read_shapes,
    read_triggers,
)
from tenantry.database.catalog.relations import PUBLIC, LivePolicy, Relation, read_relations, same_condition
from tenantry.database.catalog.roles import (
    LiveRole,
    PublicDefault,
    Server,
    read_public_defaults,
    read_roles,
    read_server,
)

__all__ = [
    "PUBLIC",
    "Definer",
    "ForeignKey",
    "Index",
    "LivePolicy",
    "LiveRole",
    "PublicDefault",
    "Relation",
    "Server",
    "Trigger",
    "read_definers",
    "read_foreign_keys",
    "read_indexes",
    "read_public_defaults",
    "read_relations",
    "read_roles",
    "read_server",
    "read_shapes",
    "read_triggers",
    "same_condition",
]
