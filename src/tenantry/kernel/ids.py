"""Identifiers: UUID version 7, made in Python, so that they sort by time and need no round trip.

They are not secrets: their order and time of creation can be read from them.
"""

from __future__ import annotations

import sys
from typing import NewType
from uuid import UUID

if sys.version_info >= (3, 14):  # pragma: no cover - depends on the interpreter
    from uuid import uuid7
else:
    from uuid_utils.compat import uuid7

TenantId = NewType("TenantId", UUID)
UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)


def new_id() -> UUID:
    """Return a new UUID v7 (RFC 9562 §5.7).

    >>> new_id().version
    7
    """
    return uuid7()
