"""HTTP to service."""

from planner.items.schemas import ItemCreate, ItemUpdate
from planner.items.service import ItemService
from tenantry.resources import STANDARD, Operation, ResourceRouter

router = ResourceRouter(
    ItemService,
    "/items",
    create=ItemCreate,
    update=ItemUpdate,
    operations=STANDARD | {Operation.REPLACE, Operation.RESTORE},
    filters={"name", "price_cents", "created_at"},
    sort={"created_at", "name", "price_cents"},
    search={"name", "description"},
)
