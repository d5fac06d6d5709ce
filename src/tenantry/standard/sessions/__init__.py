"""The sessions of whoever is signed in: which there are, and the end of one. Their life is `tenantry.identity`'s."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.sessions.router import router

module = Module("sessions", routers=(router,), folder=Path(__file__).parent)

__all__ = ["module"]
