"""One scratch database for all proofs of a worker; each proof makes two tenants of its own in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from planner.app import application
from tenantry.database import PlacementKind
from tenantry.proof import Plan, Report, Scratch, prove_on, scratch_database

Prove = Callable[..., Awaitable[Report]]


@pytest.fixture(scope="session")
async def scratch() -> AsyncIterator[Scratch]:
    async with scratch_database(application) as made:
        yield made


@pytest.fixture(scope="session")
def proving(scratch: Scratch) -> Prove:
    """Prove the part of Planner whose routes have `only` in their titles."""

    async def prove(
        only: str | None = None, *, samples: int = 0, placement: PlacementKind = PlacementKind.POOL
    ) -> Report:
        plan = Plan(only=only, samples=samples, placement=placement)
        return await prove_on(scratch, application, plan, lambda _: None)

    return prove
