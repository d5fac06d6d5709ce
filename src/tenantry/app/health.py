"""What operators ask: is the process alive, can it serve, how is it doing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from tenantry.app.assembly import assembly_of
from tenantry.http import public
from tenantry.observability import CONTENT_TYPE

router = APIRouter(include_in_schema=False, dependencies=[Depends(public)])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive; nothing else is asked."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """The process can serve: 200, or 503 with the reasons."""
    assembly = assembly_of(request)
    problems = await assembly.readiness.problems()
    body: dict[str, Any] = {
        "status": "unavailable" if problems else "ok",
        "problems": problems,
        "facts_cached": assembly.listener.health.hears,
    }
    return JSONResponse(body, status_code=503 if problems else 200)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """The metrics of this process, for Prometheus."""
    return Response(assembly_of(request).runtime.metrics.render(), media_type=CONTENT_TYPE)
