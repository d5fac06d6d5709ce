"""Application logs: structlog, with the standard library's loggers routed through the same processors and stream.

Every line carries the ids of `tenantry.kernel.context` and has passed `redaction`. The access log does not come this
way (`access_log.py`): an event through structlog costs 20-50 µs.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import Processor

from tenantry.kernel import context
from tenantry.observability.redaction import redact_event

LogFormat = Literal["json", "console"]
"""`json`: one object a line, for machines; `console`: for people."""

_SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.asgi")


def configure_logging(level: str = "info", format: LogFormat = "json", stream: TextIO | None = None) -> None:  # noqa: A002 - the word that the setting uses
    """Send structlog and the standard library's logging to `stream` (standard error), from `level` upwards.

    Called once by each process; a second call replaces the first. Raises `ValueError` for an unknown level.
    """
    output = sys.stderr if stream is None else stream
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"unknown log level {level!r}")
    shared = _shared_processors()
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _drop_color_message,
                redact_event,
                _renderer(format, output),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    _adopt_server_loggers()
    logging.getLogger("alembic").setLevel(logging.WARNING)  # its INFO lines describe its own machinery
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # a second call must reach the loggers that exist already
    )


def add_context(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the ids of the current request to one structlog event; values given by the caller stand."""
    for name, variable in (
        ("request_id", context.request_id),
        ("tenant_id", context.tenant_id),
        ("actor_id", context.actor_id),
    ):
        value = variable.get()
        if value is not None:
            event.setdefault(name, value)
    return event


def _shared_processors() -> list[Processor]:
    return [
        add_context,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]


def _drop_color_message(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.pop("color_message", None)  # uvicorn sends its messages twice
    return event


def _renderer(format: LogFormat, output: TextIO) -> Processor:  # noqa: A002 - as above
    if format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(
        colors=output.isatty(),
        timestamp_key="time",
        exception_formatter=structlog.dev.plain_traceback,  # the traceback arrives as text, already redacted
    )


def _adopt_server_loggers() -> None:
    """Make uvicorn's loggers write through the root handler, and silence its access log: `AccessLog` replaces it."""
    for name in _SERVER_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    access = logging.getLogger("uvicorn.access")
    access.handlers = []
    access.propagate = False
