"""What travels on the channel: keys of facts that changed, and the echoes by which a listener hears itself.

Every process of an installation listens on one channel. A payload is either keys, separated by spaces, or one echo.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sqlalchemy import String, bindparam, func, literal, select

from tenantry.database import Statement

CHANNEL = "tenantry_facts"

NOTIFY = Statement(select(func.pg_notify(literal(CHANNEL, String), bindparam("payload", type_=String))))
"""Sends a payload when the transaction commits, and not at all when it does not."""

_LARGEST = 7_900
"""Bytes of a payload; PostgreSQL refuses 8,000."""

_KEY = re.compile(r"[a-z_]+(?::[a-z0-9-]{1,63}){1,3}")
_ECHO = "echo "


def payloads(keys: Iterable[str]) -> Iterator[str]:
    """Yield payloads that hold all of `keys`, each small enough to be sent.

    Notifications can be read by every role of the database, so a key holds ids and slugs and nothing else:
    `ValueError` for anything that does not look like ``kind:id``.

    >>> list(payloads(["slug:acme", "user:018f"]))
    ['slug:acme user:018f']
    """
    payload = ""
    for key in keys:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key[:80]!r} is no key of a fact: write kind:id, in lower case")
        if payload and len(payload) + 1 + len(key) > _LARGEST:
            yield payload
            payload = ""
        payload = f"{payload} {key}" if payload else key
    if payload:
        yield payload


def keys_of(payload: str) -> list[str]:
    """Return the keys that a payload names; none for an echo.

    >>> keys_of("slug:acme user:018f"), keys_of(echo("4f2a", 7))
    (['slug:acme', 'user:018f'], [])
    """
    return [] if payload.startswith(_ECHO) else payload.split()


def echo(token: str, number: int) -> str:
    """Return the payload of an echo; `token` is known to one listener alone."""
    return f"{_ECHO}{token} {number}"
