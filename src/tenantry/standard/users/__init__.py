"""Users as they see themselves, and as the platform administrators see them."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.users.router import own_router, users_router
from tenantry.standard.users.schemas import ProfileUpdate, UserRead, UserSchemas, UserUpdate
from tenantry.standard.users.service import LeaveTenants, Users, insert_user


def user_module(schemas: UserSchemas) -> Module:
    """Return the module with schemas of an application's own, for ``standard_modules(instead={"users": …})``.

    Their further fields are columns that the application gave users by `tenantry.database.extend`; a field of `profile`
    is one's own to change. Removing a user blanks them with everything that is personal. Mark a column
    ``info={"sensitive": True}`` and the trail masks it.

    >>> user_module(UserSchemas()).name
    'users'
    """
    return Module("users", routers=(own_router(schemas), users_router(schemas)), folder=Path(__file__).parent)


module = user_module(UserSchemas())

__all__ = [
    "LeaveTenants",
    "ProfileUpdate",
    "UserRead",
    "UserSchemas",
    "UserUpdate",
    "Users",
    "insert_user",
    "module",
    "user_module",
]
