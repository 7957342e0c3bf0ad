"""What the marker `pairwise` leaves of a test's parametrisations: each pair of values once, not each product.

For tests whose parameters are independent of one another, so that what breaks needs two of them at most: the
framework and how tokens travel, say, or the framework and the route.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations
from typing import Any

import pytest


def left_out(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Return the tests that others with the same pairs of values stand for.

    Which they are depends on their names alone: every worker, in any order, leaves out the same. Those marked
    `real` are for themselves, since they are not always run.
    """
    groups: dict[tuple[str, bool], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("pairwise") is not None:
            is_real = item.get_closest_marker("real") is not None
            groups[item.nodeid.partition("[")[0], is_real].append(item)
    return {item for group in groups.values() for item in _repeated(group)}


def _repeated(group: list[pytest.Item]) -> list[pytest.Item]:
    rest = {item: _pairs(item) for item in sorted(group, key=lambda item: item.nodeid)}
    missing = set[Any]().union(*rest.values())
    if not missing:  # of one parameter there are no pairs
        raise pytest.UsageError(f"{group[0].nodeid}: `pairwise` is for two parameters and more")
    while missing:
        best = max(rest, key=lambda item: len(rest[item] & missing))  # the first of several
        missing -= rest.pop(best)
    return list(rest)


def _pairs(item: Any) -> set[Any]:
    # By identity: the tests of one function have their values from one list, and not all can be compared.
    values = sorted((name, id(value)) for name, value in item.callspec.params.items())
    return set(combinations(values, 2))
