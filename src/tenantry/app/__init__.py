"""Assembly: settings composed, parts built, the application made, served."""

from tenantry.app.application import Application
from tenantry.app.assembly import Assembly, assembled, assembly_of
from tenantry.app.connecting import require_connections
from tenantry.app.development import migrated, seeded, stored_placements
from tenantry.app.factory import create_app
from tenantry.app.openapi import openapi_document
from tenantry.app.parts import Parts
from tenantry.app.server import PortTaken, listen, serve
from tenantry.app.servers import database_urls, has_development_state, with_development_secret
from tenantry.app.settings import Settings, refuse_unsafe

__all__ = [
    "Application",
    "Assembly",
    "Parts",
    "PortTaken",
    "Settings",
    "assembled",
    "assembly_of",
    "create_app",
    "database_urls",
    "has_development_state",
    "listen",
    "migrated",
    "openapi_document",
    "refuse_unsafe",
    "require_connections",
    "seeded",
    "serve",
    "stored_placements",
    "with_development_secret",
]
