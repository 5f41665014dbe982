"""What the benchmarks of speed compute from times."""

from __future__ import annotations

import pytest
import torch

from benchmarks.rounds import interleaved, percentile, ratio
from tests.aten_ops import aten_ops


def test_every_variant_takes_its_turn_in_every_round() -> None:
    calls: list[str] = []
    times = interleaved({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3, warm=False)
    assert [set(calls[at : at + 2]) for at in (0, 2, 4)] == [{"a", "b"}] * 3
    assert {name: len(values) for name, values in times.items()} == {"a": 3, "b": 3}


@pytest.mark.parametrize(
    ("slower", "faster", "expected"),
    [
        ([2.0, 2.0, 2.0], [1.0, 1.0, 1.0], (2.0, 2.0, 2.0)),
        ([3.0, 4.0, 50.0], [1.0, 2.0, 25.0], (2.0, 2.0, 3.0)),  # a round that was slow for both
    ],
)
def test_ratio_of_medians(slower: list[float], faster: list[float], expected: tuple[float, float, float]) -> None:
    assert tuple(ratio(slower, faster).values()) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 2.5), (0.75, 3.25), (1.0, 4.0)])
def test_percentile(share: float, expected: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == expected


def test_views_and_allocations_are_no_kernels() -> None:
    x = torch.ones(2, 3)
    ops = aten_ops(lambda: torch.empty_like(x).copy_(x).t().reshape(6)[1:].add(1).relu_())
    assert dict(ops) == {"copy_": 1, "clone": 1, "add": 1, "relu_": 1}
