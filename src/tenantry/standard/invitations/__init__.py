"""Invitations: a role that is offered by mail."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.invitations.router import router

module = Module("invitations", routers=(router,), folder=Path(__file__).parent)

__all__ = ["module"]
