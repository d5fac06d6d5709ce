"""Facts, announced in the transaction that makes them true."""

from tenantry.events.models import ControlOutboxEvent, OutboxEvent
from tenantry.events.outbox import publish

__all__ = ["ControlOutboxEvent", "OutboxEvent", "publish"]
