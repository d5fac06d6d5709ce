"""Facts of the control plane in memory: announced when they change, trusted only while the listener hears itself."""

from tenantry.cache.channel import CHANNEL
from tenantry.cache.facts import MISSING, FactCache
from tenantry.cache.listener import InvalidationListener, ListenerHealth

__all__ = ["CHANNEL", "MISSING", "FactCache", "InvalidationListener", "ListenerHealth"]
