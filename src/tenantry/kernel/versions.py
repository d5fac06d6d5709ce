"""Versions of records: who changes one may say which version they saw, and is refused where it is another one now."""

from __future__ import annotations

from tenantry.kernel.errors import StaleVersion


def require_version(noun: str, current: int, expected: int | None) -> None:
    """Raise `StaleVersion` where a record is not at the version that the caller saw; None is any version.

    `noun` is what the record is called, for the detail.

    >>> require_version("item", 3, None), require_version("item", 3, 3)
    (None, None)
    >>> require_version("item", 3, 2)
    Traceback (most recent call last):
    tenantry.kernel.errors.StaleVersion: The item is at version 3; read it again.
    """
    if expected not in (None, current):
        raise stale_version(noun, current)


def stale_version(noun: str, current: int) -> StaleVersion:
    """Return the error that names the version at which a record is, for a statement that has compared it itself."""
    return StaleVersion(f"The {noun} is at version {current}; read it again.")
