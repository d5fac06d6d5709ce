"""Where a request comes from, for sessions, limits and the trail."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenantry.database import Database, UnitOfWork
from tenantry.kernel import SYSTEM, Actor, ActorKind


@dataclass(frozen=True, slots=True)
class Caller:
    """The outside of one request: the client's network address and program, and the request's id."""

    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None

    def work(self, database: Database, user_id: UUID | None = None) -> UnitOfWork:
        """Open a unit of work of the control plane: of a person, or of the application where nobody is known yet."""
        actor = SYSTEM if user_id is None else Actor(ActorKind.USER, user_id)
        return database.control_scope(actor=actor, request_id=self.request_id, user_id=user_id)
