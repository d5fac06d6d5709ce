"""`routes` and `openapi`: what the application offers, without a database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from tenantry.cli.context import Json, load_application, read

Style = Literal["plain", "envelope"]


def routes(as_json: Json = False) -> None:
    """List every route with its operation id.

    Example: tenantry routes
    """
    from tenantry.http import ResponseStyle

    rows = [
        {"method": method, "path": route.path, "operation": route.operation_id or route.name}
        for route in load_application().routes(ResponseStyle.PLAIN)
        for method in sorted(route.methods or ())
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    width = max(len(row["path"]) for row in rows)
    for row in rows:
        print(f"{row['method']:7} {row['path']:{width}} {row['operation']}")


def openapi(
    out: Annotated[Path | None, typer.Option(help="File to write; standard output without it.")] = None,
    style: Annotated[Style | None, typer.Option(help="Response style; the configured one without it.")] = None,
) -> None:
    """Write the OpenAPI document, as the settings make it.

    Example: tenantry openapi --out openapi.json
    """
    from tenantry.app import openapi_document
    from tenantry.http import ResponseStyle
    from tenantry.kernel import ConfigurationError

    application, settings = load_application(), read()
    chosen = ResponseStyle(style) if style else settings.http.response_style
    document = openapi_document(application, application.routes(chosen), chosen, sizes=settings.page_sizes)
    text = json.dumps(document, indent=2, sort_keys=True)
    if out is None:
        print(text)
        return
    try:
        out.write_text(text + "\n")
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror}.") from None
