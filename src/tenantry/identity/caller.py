"""Where a request comes from, for sessions, limits and the trail."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The outside of one request: the client's network address and program, and the request's id."""

    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
