"""From the declaration of a module to the generated parts of its readme."""

from __future__ import annotations

from tenantry.app import Application
from tenantry.cli.readme.data_model import data_model
from tenantry.cli.readme.endpoints import endpoints
from tenantry.cli.readme.integrations import integrations
from tenantry.cli.readme.schemas import schemas
from tenantry.cli.readme.security import security
from tenantry.cli.readme.served import served
from tenantry.module import Module


def generated(application: Application, module: Module) -> dict[str, str]:
    """Return section → text, for the sections that the declaration of a module says something about."""
    routes = served(application, module)
    parts = {
        "Data Model": data_model(module),
        "Schemas & Validation": schemas(module.folder, routes) if module.folder else "",
        "API Endpoints": endpoints(routes),
        "Integrations": integrations(module),
        "Security & Compliance": security(module),
    }
    return {section: text for section, text in parts.items() if text}
