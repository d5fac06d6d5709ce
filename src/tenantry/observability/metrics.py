"""Metrics in a registry of their own: one `Metrics` value, made by the runtime, no module globals.

Several processes on one machine: set ``PROMETHEUS_MULTIPROC_DIR`` (prometheus-client's own switch) and each of them
answers for all; gauges with a callback know only their own process and are left out there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""The media type of `Metrics.render()`."""

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Series(NamedTuple):
    total: Counter
    seconds: Histogram


class Metrics:
    """The metrics of one process; `registry` takes further ones.

    >>> metrics = Metrics()
    >>> metrics.observe_request("GET", "/items", 200, 0.004)
    >>> b'tenantry_http_requests_total{method="GET",route="/items",status="200"} 1.0' in metrics.render()
    True
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("tenantry_http_requests", "Requests answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            "tenantry_http_request_seconds",
            "Time from the first byte of a request to the last of its answer.",
            labels,
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "tenantry_http_requests_in_flight",
            "Requests being answered now.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        # `labels()` builds a tuple of strings under a lock at each call (1.5 µs); the set of keys is small and closed.
        self._series: dict[tuple[str, str, int], _Series] = {}

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request. `route` is the template, never a path: a label value is kept for ever."""
        series = self._series.get((method, route, status))
        if series is None:
            series = self._series_of(method, route, status)
        series.total.inc()
        series.seconds.observe(seconds)

    def register_gauge(self, name: str, documentation: str, read: Callable[[], float]) -> None:
        """Add a gauge whose value is read when metrics are asked for; raises `ValueError` for a name in use."""
        Gauge(name, documentation, registry=self.registry).set_function(read)

    def register_pool(self, pool: str, *, size: Callable[[], float], idle: Callable[[], float]) -> None:
        """Add the gauges of a connection pool: `tenantry_pool_<pool>_connections` and `…_connections_idle`."""
        name = f"tenantry_pool_{pool}_connections"
        self.register_gauge(name, f"Open connections of the pool {pool}.", size)
        self.register_gauge(f"{name}_idle", f"Connections of the pool {pool} that nobody uses.", idle)

    def render(self) -> bytes:
        """Return everything in the text format of Prometheus (`CONTENT_TYPE`)."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        merged = CollectorRegistry()
        MultiProcessCollector(merged)  # type: ignore[no-untyped-call]
        return generate_latest(merged)

    def _series_of(self, method: str, route: str, status: int) -> _Series:
        # A client may send any word as its method: unknown ones share a label and are not kept as keys.
        known = method if method in _METHODS else "other"
        labels = (known, route, str(status))
        series = _Series(self._requests.labels(*labels), self._seconds.labels(*labels))
        if known == method:
            self._series[method, route, status] = series
        return series
