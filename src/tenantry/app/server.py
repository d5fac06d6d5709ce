"""Serving: one process, one event loop, one listening socket, and an orderly end."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable

import uvicorn

from tenantry.app.application import Application
from tenantry.app.assembly import Assembly, assembled
from tenantry.app.factory import create_app
from tenantry.app.settings import Settings
from tenantry.database import DatabaseUrls
from tenantry.kernel import ConfigurationError

Started = Callable[[Assembly], Awaitable[None]]
"""Called once the parts are assembled and before the first request: seeds the demo, prints the addresses."""


class PortTaken(ConfigurationError):
    """The address to listen on cannot be used."""


async def serve(
    application: Application,
    settings: Settings,
    urls: DatabaseUrls,
    *,
    host: str,
    port: int,
    started: Started | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; running requests get `shutdown_grace` seconds to finish.

    Raises `PortTaken`, and what `assembled` raises.
    """
    listening = listen(host, port)
    try:
        async with assembled(application, settings, urls) as assembly:
            if started is not None:
                await started(assembly)
            server = uvicorn.Server(_config(create_app(assembly), settings))
            await server.serve(sockets=[listening])
    finally:
        listening.close()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises `PortTaken`, naming the address and the way out."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise PortTaken(
            f"{host}:{port} cannot be used ({error.strerror or error}). End the program that listens there, "
            f"or choose another port: --port {port + 1}"
        ) from None
    listening.set_inheritable(True)
    return listening


def _config(app: object, settings: Settings) -> uvicorn.Config:
    trusted = [str(network) for network in settings.http.trusted_proxies]
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        loop="auto",
        http="auto",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted or None,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=round(settings.shutdown_grace),
    )
