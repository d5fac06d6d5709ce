"""*Integrations*: the events that others can listen to, which are the names of the audit lines, too."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.cli.readme.tables import code
from tenantry.module import Module
from tenantry.resources import Operation, ResourceRouter, ResourceService

_HAPPENED = {
    Operation.CREATE: "created",
    Operation.UPDATE: "updated",
    Operation.REPLACE: "updated",
    Operation.DELETE: "deleted",
    Operation.RESTORE: "restored",
    Operation.CLEAR: "cleared",
}


def integrations(module: Module) -> str:
    """Return the names of what the generated routes write to trail and outbox; an empty text where there are none."""
    names = [name for router in module.routers if isinstance(router, ResourceRouter) for name in _names(router)]
    return f"Audit lines and events: {code(dict.fromkeys(names))}." if names else ""


def _names(router: ResourceRouter) -> Iterator[str]:
    """Yield the names of the operations that write as every service does; of the others a person must tell."""
    service = object.__new__(router.service)  # `action` asks the class alone, and a service may name things otherwise
    for operation, happened in _HAPPENED.items():
        is_usual = getattr(router.service, operation.value) is getattr(ResourceService, operation.value)
        if operation in router.operations and is_usual:
            yield service.action(happened)
            if operation is Operation.DELETE and router.service.resource.purgeable:
                yield service.action("purged")
