"""Which lists can be a walk along an index, so that their plan may be kept for all tenants."""

from __future__ import annotations

from functools import lru_cache

from tenantry.access import Permits
from tenantry.database import Planning
from tenantry.query import ListShape
from tenantry.resources.definition import ResourceDefinition


@lru_cache(maxsize=1024)
def planning_of(resource: ResourceDefinition, read: Permits, shape: ListShape, *, nested: bool = False) -> Planning:
    """Return how a list is planned.

    In order: no condition besides the tenant, the soft delete, deny grants and the same of what is above, and an index
    ``(tenant_id, <the sort>)`` that is walked in one direction. Anything else is planned for its values; so is the
    list of one parent (`nested`), which has an index of its own to be chosen.
    """
    plain = not (shape.filters or shape.search or shape.with_total or any(shape.null_keys))
    one_way = len({descending for _, descending in shape.sort}) == 1
    everybody = not nested and resource.rows is None and all(permit.is_everything for permit in read)
    if plain and one_way and everybody and _has_index(resource, [name for name, _ in shape.sort]):
        return Planning.IN_ORDER
    return Planning.FRESH


def _has_index(resource: ResourceDefinition, sort: list[str]) -> bool:
    table = resource.table
    wanted = ["tenant_id", *sort]
    not_null = all(name in table.c and not table.c[name].nullable for name in sort)
    return not_null and any([column.name for column in index.columns] == wanted for index in table.indexes)
