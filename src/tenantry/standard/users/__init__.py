"""Users as they see themselves, and as the platform administrators see them."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.users.router import me, users
from tenantry.standard.users.schemas import UserRead
from tenantry.standard.users.service import LeaveTenants, Users, insert_user

module = Module("users", routers=(me, users), folder=Path(__file__).parent)

__all__ = ["LeaveTenants", "UserRead", "Users", "insert_user", "module"]
