"""The world of the tests of identity, whose routes these are."""

from tests.identity.conftest import (
    anyio_backend,
    database,
    facts,
    identity_urls,
    make_world,
    superuser_url,
    world,
)

__all__ = ["anyio_backend", "database", "facts", "identity_urls", "make_world", "superuser_url", "world"]
