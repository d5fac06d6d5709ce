"""Who may read the trail."""

from tenantry.access import Permissions, Role

ACTIVITY = Permissions("activity", {"read": "Read who did what in the tenant."}, {Role.MANAGER: {"read"}})
