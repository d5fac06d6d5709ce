"""Who did something, as audit lines and events name it: a kind and an id, nothing that can change later."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class ActorKind(StrEnum):
    """The sorts of actors."""

    USER = "user"
    SERVICE_ACCOUNT = "service_account"
    API_KEY = "api_key"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """One actor.

    >>> SYSTEM.kind.value, SYSTEM.id
    ('system', None)
    """

    kind: ActorKind
    id: UUID | None


SYSTEM = Actor(ActorKind.SYSTEM, None)
"""The application itself: seeds, migrations, housekeeping."""
