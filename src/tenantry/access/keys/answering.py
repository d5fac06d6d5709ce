"""From a request to the services of keys; shared by the routes."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from tenantry.access.keys.service import KeyService


def key_service(request: Request) -> KeyService:
    """Return the service of the application."""
    return cast("KeyService", request.app.state.access.keys)


Service = Annotated[KeyService, Depends(key_service)]
