"""What counts as another time."""

from __future__ import annotations

import random

import pytest

from tenantry.proof.timing import Comparison, Sample, compare, mann_whitney


def sampling(seed: int, low: float, high: float) -> Sample:
    chance = random.Random(seed)

    async def sample() -> float:
        return chance.uniform(low, high)

    return sample


@pytest.mark.anyio
async def test_the_same_distribution_does_not_differ() -> None:
    found = await compare(sampling(1, 1.0, 2.0), sampling(2, 1.0, 2.0), pairs=60, chance=random.Random(3))
    assert (found.differs, found.pairs) == (False, 60)


@pytest.mark.anyio
async def test_a_slower_refusal_is_measured_again_and_differs() -> None:
    found = await compare(sampling(1, 2.0, 3.0), sampling(2, 1.0, 2.0), pairs=60, chance=random.Random(3))
    assert (found.differs, found.pairs) == (True, 240)


@pytest.mark.parametrize(("p", "ratio", "differs"), [(1e-9, 1.1, False), (0.01, 2.0, False), (1e-9, 0.5, True)])
def test_a_difference_must_be_certain_and_large(p: float, ratio: float, differs: bool) -> None:
    assert Comparison(60, p, ratio).differs is differs


def test_ties_are_no_difference() -> None:
    assert mann_whitney([1.0] * 30, [1.0] * 30) == 1.0
