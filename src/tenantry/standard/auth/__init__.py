"""How people sign up, sign in, stay signed in and get a new password."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.auth.router import router
from tenantry.standard.auth.service import Auth

module = Module("auth", routers=(router,), folder=Path(__file__).parent)

__all__ = ["Auth", "module"]
