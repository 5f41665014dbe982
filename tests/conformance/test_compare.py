"""The comparisons cannot be passed by accident."""

from __future__ import annotations

import math

import pytest
import torch

from tests.conformance.compare import largest_difference, probe_loss, relative_difference


def test_relative_difference_is_against_the_largest_expected_value() -> None:
    assert relative_difference(torch.tensor([1.0, -3.0]), torch.tensor([1.0, -4.0])) == 0.25
    assert relative_difference(torch.zeros(2), torch.zeros(2)) == 0.0


@pytest.mark.parametrize("found", [[math.nan, 1.0], [math.inf, 1.0]])
def test_what_is_not_finite_is_infinitely_different(found: list[float]) -> None:
    assert relative_difference(torch.tensor(found), torch.ones(2)) == math.inf
    assert relative_difference(torch.ones(2), torch.tensor(found)) == math.inf


def test_something_is_infinitely_different_from_nothing() -> None:
    assert relative_difference(torch.ones(2), torch.zeros(2)) == math.inf


def test_shapes_and_names_must_agree() -> None:
    with pytest.raises(ValueError, match=r"shapes differ: found \(2,\), expected \(1, 2\)"):
        relative_difference(torch.ones(2), torch.ones(1, 2))
    with pytest.raises(ValueError, match=r"names differ: \['b'\]"):
        largest_difference({"a": torch.ones(1)}, {"a": torch.ones(1), "b": torch.ones(1)})


def test_largest_difference_names_the_worst_tensor() -> None:
    expected = {"large": torch.tensor([100.0]), "small": torch.tensor([0.01])}
    found = {"large": torch.tensor([101.0]), "small": torch.tensor([0.02])}
    assert largest_difference(found, expected) == (pytest.approx(1.0), "small")


def test_probe_loss_tells_outputs_apart() -> None:
    one, other = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])
    assert probe_loss([one, other]) != probe_loss([other, one])
    assert probe_loss([one]) != probe_loss([one.flip(1)])
