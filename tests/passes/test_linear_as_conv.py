"""Linear layers on flattened maps, as convolutions."""

from __future__ import annotations

import pytest

from inception_search.passes.linear_as_conv import PASS
from tests.passes.checks import check, untouched


@pytest.mark.parametrize(("size", "features"), [((1, 1), 6), ((2, 3), 36)])
def test_a_classifier(size: tuple[int, int], features: int) -> None:
    height, width = size
    check(
        PASS,
        before=f"""
            %0 input = input(shape=(6, {height}, {width})) : 6x{height}x{width}
            %1 head.flatten = flatten(%0) : {features}
            %2 head.linear = linear(%1, width=5) : 5
            %3 head.norm = batch_norm(%2) : 5
            return %3
        """,
        after=f"""
            %0 input = input(shape=(6, {height}, {width})) : 6x{height}x{width}
            %1 head.linear = conv(%0, width=5, kernel={size}, bias=True) : 5x1x1
            %2 head.flatten = flatten(%1) : 5
            %3 head.norm = batch_norm(%2) : 5
            return %3
        """,
        state="head.linear.weight = kernel(head.linear.weight)",
    )


def test_linear_layers_on_vectors_that_others_read_or_that_are_not_maps() -> None:
    untouched(
        PASS,
        """
            %0 input = input(shape=(6, 2, 2)) : 6x2x2
            %1 flatten = flatten(%0) : 24
            %2 a = linear(%1, width=24) : 24
            %3 sum = add(%1, %2) : 24
            %4 flat = flatten(%3) : 24
            %5 b = linear(%4, width=3) : 3
            return %5
        """,
    )
