"""The Mann-Whitney test, by its normal approximation: good for some dozens of values and more."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence


def p_of_no_difference(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the two-sided p: how likely ranks as unequal as these are where nothing differs."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    rank_sum, ties, before = 0.0, 0, 0
    for _, group in itertools.groupby(ranked, key=lambda one: one[0]):
        equal = list(group)
        rank_sum += sum(1 for _, side in equal if side == 0) * (before + (len(equal) + 1) / 2)
        ties += len(equal) ** 3 - len(equal)
        before += len(equal)
    m, n = len(first), len(second)
    variance = m * n / 12 * (m + n + 1 - ties / ((m + n) * (m + n - 1)))
    if variance == 0:
        return 1.0
    distance = abs(rank_sum - m * (m + 1) / 2 - m * n / 2)
    return math.erfc(max(0.0, distance - 0.5) / math.sqrt(2 * variance))
