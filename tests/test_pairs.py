"""`pairwise` leaves each pair of values, and few more tests than that takes."""

from __future__ import annotations

import random
from itertools import combinations, product
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.pairs import left_out

SIZES = {"framework": 5, "mode": 2, "path": 4, "is_async": 2}


class Found:
    """Stands for a test that was found."""

    def __init__(self, name: str, values: tuple[int, ...], markers: tuple[str, ...]) -> None:
        self.nodeid = f"{name}[{'-'.join(map(str, values))}]"
        self.callspec = SimpleNamespace(params=dict(zip(SIZES, values, strict=False)))
        self._markers = markers

    def get_closest_marker(self, name: str) -> str | None:
        return name if name in self._markers else None


def found(name: str, *markers: str) -> list[Any]:
    """Return a test with every combination of values."""
    return [Found(name, values, markers) for values in product(*map(range, SIZES.values()))]


def pairs_of(items: list[Any]) -> set[Any]:
    return {pair for item in items for pair in combinations(item.callspec.params.items(), 2)}


def test_every_pair_is_kept_and_few_tests() -> None:
    items = found("test_a", "pairwise")
    without = left_out(items)
    kept = [item for item in items if item not in without]
    assert pairs_of(kept) == pairs_of(items)
    assert (len(items), len(kept)) == (80, 20)  # each framework with each path


def test_those_without_the_marker_are_all_kept() -> None:
    assert left_out(found("test_a")) == set()


def test_what_is_run_by_itself_counts_by_itself() -> None:
    """A pair is not left to a test of another function, nor to one that is left out of the usual run."""
    items = [*found("test_a", "pairwise"), *found("test_b", "pairwise", "real")]
    kept = [item for item in items if item not in left_out(items)]
    assert len(kept) == 40
    assert pairs_of(kept[:20]) == pairs_of(kept[20:]) == pairs_of(items)


def test_one_parameter_has_no_pairs() -> None:
    """All its tests would be left out, and nobody would notice."""
    items: list[Any] = [Found("test_a", (value,), ("pairwise",)) for value in range(3)]
    with pytest.raises(pytest.UsageError) as raised:
        left_out(items)
    assert str(raised.value) == "test_a[0]: `pairwise` is for two parameters and more"


def test_the_choice_does_not_depend_on_the_order() -> None:
    items = found("test_a", "pairwise")
    chosen = {item.nodeid for item in left_out(items)}
    random.Random(3).shuffle(items)
    assert {item.nodeid for item in left_out(items)} == chosen
