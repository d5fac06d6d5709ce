"""Who may see the statistics."""

from tenantry.access import Permissions, Role

STATS = Permissions("stats", {"read": "See the tenant's statistics."}, {Role.OWNER: {"read"}})
