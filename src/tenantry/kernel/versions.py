"""Versions of records: who changes one may say which version they saw, and is refused where it is another one now."""

from __future__ import annotations

from tenantry.kernel.errors import StaleVersion

ExpectedVersion = int | frozenset[int] | None
"""The version that a write may meet, or several, one of which it has to be; None is any, and an empty set is none."""


def versions_of(expected: ExpectedVersion) -> frozenset[int] | None:
    """Return the versions that a write may meet; None is any.

    >>> versions_of(3) == frozenset({3}), versions_of(None)
    (True, None)
    """
    return frozenset((expected,)) if isinstance(expected, int) else expected


def require_version(noun: str, current: int | None, expected: ExpectedVersion) -> None:
    """Raise `StaleVersion` where a record is not at a version that the caller saw.

    `noun` is what the record is called, for the detail; `current` is None for what counts no changes.

    >>> require_version("item", 3, None), require_version("item", 3, 3), require_version("item", 3, frozenset({2, 3}))
    (None, None, None)
    >>> require_version("item", 3, 2)
    Traceback (most recent call last):
    tenantry.kernel.errors.StaleVersion: The item is at version 3; read it again.
    """
    versions = versions_of(expected)
    if versions is not None and current not in versions:
        raise stale_version(noun, current)


def stale_version(noun: str, current: int | None) -> StaleVersion:
    """Return the error that names the version at which a record is, for a statement that has compared it itself."""
    if current is None:
        return StaleVersion(f"The {noun} has no version: leave If-Match out.")
    return StaleVersion(f"The {noun} is at version {current}; read it again.")
