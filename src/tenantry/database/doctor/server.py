"""Rule: the server is new enough. Older minor versions have known holes in row security (CVE-2023-2455 and later)."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.database.doctor.finding import DatabaseFinding, error

FLOORS = {15: 14, 16: 10, 17: 6, 18: 0}
"""The oldest minor version of each major version that is accepted."""


def server_findings(major: int, minor: int) -> Iterator[DatabaseFinding]:
    """Judge the version of the server.

    >>> list(server_findings(17, 6)), len(list(server_findings(15, 13)))
    ([], 1)
    """
    if major > max(FLOORS):
        return  # newer than this release knows: newer versions keep what older ones promised
    floor = FLOORS.get(major)
    if floor is None:
        yield error("server", f"PostgreSQL {major}", "it is not supported", f"Use PostgreSQL {min(FLOORS)} or newer.")
    elif minor < floor:
        reason = "this minor version has known holes in row security"
        yield error("server", f"PostgreSQL {major}.{minor}", reason, f"Update to {major}.{floor} or newer.")
