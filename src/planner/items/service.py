"""The rules of items: those of every resource."""

from planner.items.models import Item
from planner.items.schemas import ItemListItem, ItemRead
from tenantry.access import ResourceAccess
from tenantry.resources import ResourceDefinition, ResourceService


class ItemService(ResourceService):
    """Items of one tenant."""

    resource = ResourceDefinition(
        access=ResourceAccess("items", Item, "item", grantable=True),
        read=ItemRead,
        list_item=ItemListItem,
    )
