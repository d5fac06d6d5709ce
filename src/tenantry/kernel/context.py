"""Who and what the current request is about, for log lines only: ids, never objects, never a base for decisions.

Rules and statements get what they need as arguments; a value read from here would be ambient state.
"""

from __future__ import annotations

from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
tenant_id: ContextVar[str | None] = ContextVar("tenant_id", default=None)
actor_id: ContextVar[str | None] = ContextVar("actor_id", default=None)
