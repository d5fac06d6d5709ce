"""Logs and metrics: what an operator sees. Knows the kernel only; HTTP feeds it from the edge."""

from tenantry.observability.access_log import AccessLog, LineSink
from tenantry.observability.line_writer import LineWriter
from tenantry.observability.logs import LogFormat, add_context, configure_logging
from tenantry.observability.metrics import CONTENT_TYPE, Metrics
from tenantry.observability.redaction import MASK, escape_controls, is_secret_key, redact, redact_text
from tenantry.observability.settings import LogSettings

__all__ = [
    "CONTENT_TYPE",
    "MASK",
    "AccessLog",
    "LineSink",
    "LineWriter",
    "LogFormat",
    "LogSettings",
    "Metrics",
    "add_context",
    "configure_logging",
    "escape_controls",
    "is_secret_key",
    "redact",
    "redact_text",
]
