"""What the routes of the framework's modules ask for."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, Request


def standard_service(name: str) -> Any:
    """Return the dependency on a service of the application, by its name in `StandardServices`.

    >>> from typing import Annotated
    >>> from tenantry.standard.auth.service import Auth
    >>> AuthService = Annotated[Auth, standard_service("auth")]
    """

    def service(request: Request) -> Any:
        return getattr(request.app.state.assembly.services, name)

    return Depends(service)
