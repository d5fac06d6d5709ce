"""Serving: one process, one event loop, one listening socket, and an orderly end."""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn

from tenantry.app.application import Application
from tenantry.app.assembly import Assembly, assembled
from tenantry.app.factory import create_app
from tenantry.app.settings import Settings
from tenantry.database import DatabaseUrls
from tenantry.kernel import ConfigurationError

Started = Callable[[Assembly], Awaitable[None]]
"""Called once the parts are assembled and before the first request: seeds the demo, prints the addresses."""

_BACKLOG = 2048
"""Connections that wait in the kernel while the process starts or is busy."""
_LINGER = 0.5
"""Seconds that a connection without a request stays open after SIGTERM: its next request may be on the way."""


_WAYS_OUT = {
    errno.EADDRINUSE: "End the program that listens there, or choose another port: --port 0 takes a free one.",
    errno.EACCES: "Choose a port above 1023: --port 8000",
}


class PortTaken(ConfigurationError):
    """The address to listen on cannot be used."""


async def serve(
    application: Application,
    settings: Settings,
    urls: DatabaseUrls,
    *,
    listening: socket.socket,
    started: Started | None = None,
) -> None:
    """Serve on `listening` (see `listen`) until SIGTERM or SIGINT, then finish what is running and return.

    Running requests get `shutdown_grace` seconds. Raises what `assembled` raises.
    """
    async with assembled(application, settings, urls) as assembly:
        if started is not None:
            await started(assembly)
        server = _Server(_config(create_app(assembly), settings))
        # What exists now lives as long as the process: the collector need not look at it again with every full round.
        gc.freeze()
        await server.serve(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises `PortTaken`, naming the address and the way out.

    It listens at once: bound alone it would not keep a second process from binding the same port, and clients that
    come during the start wait instead of being refused.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        way_out = _WAYS_OUT.get(error.errno or 0, "Name an address of this machine: --host 127.0.0.1")
        raise PortTaken(f"{host}:{port} cannot be used ({error.strerror or error}). {way_out}") from None
    return listening


class _Server(uvicorn.Server):
    """uvicorn with an end that loses no request and lets its caller take down the rest."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on the first signal. uvicorn raises it again afterwards, which would kill the process in its cleanup."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuse new connections, answer what comes on the open ones with ``Connection: close``, then end.

        uvicorn closes every idle connection at once. A client that sends its next request at that moment sees a reset
        and cannot know whether the request was worked on (measured: 1 to 3 of 8 busy clients at every SIGTERM).
        """
        for server in self.servers:
            server.close()
        for listening in sockets or ():
            listening.close()
        self.server_state.default_headers.append((b"connection", b"close"))
        deadline = time.monotonic() + _LINGER
        while self.server_state.connections and not self.force_exit and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # uvicorn announces no closed connection
        await super().shutdown(sockets)


def _config(app: object, settings: Settings) -> uvicorn.Config:
    trusted = [str(network) for network in settings.http.trusted_proxies]
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        loop="auto",
        http="auto",
        lifespan="off",
        access_log=False,
        log_config=None,
        backlog=_BACKLOG,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted or None,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=round(settings.shutdown_grace),
    )
