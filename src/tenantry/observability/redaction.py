"""Takes secrets and control characters out of what is logged.

Two nets, because each has holes: values under keys that *name* a secret, and strings that *look like* one. Nothing here
makes it right to log a password; it limits the damage of the line that does. Every pattern is linear in its input.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

MASK = "***"
"""What stands where a secret was."""

MAX_TEXT = 16_384
"""Characters of one value that are kept; a traceback of the usual depth fits."""

_MAX_DEPTH = 6
_SECRET_KEY = re.compile(
    r"passw|passphrase|secret|token|authorization|cookie|credential|api_?-?key|private_?-?key|signing_?-?key|\bdsn\b"
    r"|session_id",
    re.IGNORECASE,
)
_SECRET_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*"), MASK),
    # An API key (`tenantry.access.keys.secrets`): what lists show of it stays, so that the line can be followed up.
    (re.compile(r"(tnt_[0-9A-Za-z]{16})[0-9A-Za-z_]+"), rf"\1{MASK}"),
    # The password may hold "@" itself: everything up to the last one before the path belongs to the credentials.
    (re.compile(r"\b([a-z][a-z0-9+.-]{1,30}://)[^\s/?#\"'<>]*@", re.IGNORECASE), rf"\1{MASK}@"),
    (
        re.compile(
            r"(?i)\b([\w-]*(?:passw(?:or)?d|secret|token|api_?key))(\"?'?\s*[=:]\s*)(?!\*\*\*)(\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)"
        ),
        rf"\1\2{MASK}",
    ),
    # Pydantic prints the refused value, PostgreSQL the conflicting one.
    (re.compile(r"input_value=.*?, input_type="), f"input_value={MASK}, input_type="),
    (re.compile(r"(Key \([^)]*\)=)\(.*?\)(?= (?:already|is|conflicts))"), rf"\1({MASK})"),
)
# C0 and C1 controls, the separators that some viewers treat as line ends, and the marks that reorder a displayed line.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def is_secret_key(name: str) -> bool:
    """Say whether a value under this key must never be shown.

    >>> is_secret_key("refresh_token"), is_secret_key("X-API-Key"), is_secret_key("name")
    (True, True, False)
    """
    return _SECRET_KEY.search(name) is not None


def redact_text(text: str) -> str:
    """Mask the parts of `text` that look like a credential, and cut it at `MAX_TEXT` characters.

    >>> redact_text("connect postgresql://app:hunter2@db/x")
    'connect postgresql://***@db/x'
    """
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT] + "…"
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return text


def escape_controls(text: str) -> str:
    r"""Spell out control characters, so that a value can neither start a new log line nor steer a terminal.

    >>> escape_controls("ok\r\nlevel=error")
    'ok\\r\\nlevel=error'
    """
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)


def redact(value: Any, depth: int = 0) -> Any:
    """Return `value` with secrets masked and controls escaped, at any level of mappings and sequences.

    Objects other than text, numbers and containers become their redacted `str()`: what a serializer would print of
    them cannot be checked otherwise.

    >>> redact({"user": "ada", "password": "hunter2", "tags": ["a"]})
    {'user': 'ada', 'password': '***', 'tags': ['a']}
    """
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return escape_controls(redact_text(value))
    if depth >= _MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {
            escape_controls(str(key)): MASK if is_secret_key(str(key)) else redact(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(item, depth + 1) for item in value]
    return escape_controls(redact_text(str(value)))


def redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Redact one structlog event. The traceback keeps its lines, indented, so that none can pass for a log line."""
    for key, value in event.items():
        if key == "exception" and isinstance(value, str):
            lines = redact_text(_without_middle(value)).split("\n")
            event[key] = "\n".join("    " + escape_controls(line) for line in lines)
        elif not key.startswith("_"):
            event[key] = MASK if is_secret_key(key) and value is not None else redact(value)
    return event


def _without_middle(trace: str) -> str:
    """Cut a traceback so that its end, where the reason stands, is kept."""
    return trace if len(trace) <= MAX_TEXT else trace[:1000] + "\n…\n" + trace[-(MAX_TEXT - 1100) :]
