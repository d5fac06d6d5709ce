"""Time as a witness: whether what exists elsewhere is refused in another time than what exists nowhere.

A rank test, because times have no normal distribution and a machine has moods: Mann-Whitney's U over interleaved
samples. A suspicion is measured again with more samples before it is a finding, and a difference that is certain but
too small to be told over a network, within `BAND`, is none.
"""

from __future__ import annotations

import math
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median

CERTAIN = 1e-4
"""Probability below which the difference is not taken for chance."""
BAND = (0.80, 1.25)
"""Ratios of the medians that are no difference."""
AGAIN = 4
"""How many times more samples the repetition takes."""
WARM = 5

Sample = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two ways of being refused, compared: `p` that chance made the difference, and the ratio of the medians."""

    pairs: int
    p: float
    ratio: float

    @property
    def differs(self) -> bool:
        """Whether the difference is certain, and large enough to be told."""
        return self.p < CERTAIN and not BAND[0] <= self.ratio <= BAND[1]


async def compare(foreign: Sample, nowhere: Sample, *, pairs: int, chance: random.Random) -> Comparison:
    """Measure both; where they differ, once more with more samples, whose verdict counts."""
    first = await _measured(foreign, nowhere, pairs, chance)
    return await _measured(foreign, nowhere, pairs * AGAIN, chance) if first.differs else first


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the two-sided probability that both samples come from one distribution, by the normal approximation.

    >>> mann_whitney([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    1.0
    >>> mann_whitney(range(50), range(100, 150)) < 1e-12
    True
    """
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks, ties = [0.0, 0.0], 0.0
    at = 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        for _, sample in ranked[at:end]:
            ranks[sample] += (at + 1 + end) / 2
        ties += (end - at) ** 3 - (end - at)
        at = end
    size, others = len(one), len(other)
    total = size + others
    difference = abs(ranks[0] - size * (size + 1) / 2 - size * others / 2)
    spread = math.sqrt(size * others / 12 * (total + 1 - ties / (total * (total - 1))))
    return 1.0 if spread == 0 else math.erfc(max(0.0, difference - 0.5) / spread / math.sqrt(2))


async def _measured(foreign: Sample, nowhere: Sample, pairs: int, chance: random.Random) -> Comparison:
    for _ in range(WARM):
        await foreign()
        await nowhere()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(pairs):
        order = [0, 1] if chance.random() < 0.5 else [1, 0]
        for which in order:
            times[which].append(await (foreign, nowhere)[which]())
    return Comparison(pairs, mann_whitney(*times), median(times[0]) / median(times[1]))
