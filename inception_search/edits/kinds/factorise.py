"""Edits of factorisations: the field ``factor``, plain convolutions in series, and their merge."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, get_args

from inception_search.edits.kinds.kind import Kind
from inception_search.edits.kinds.replace_fields import variant, variants
from inception_search.edits.sites import Site
from inception_search.spec.base_model import Factor
from inception_search.spec.factorisation import opened, stride_of
from inception_search.spec.step import AnyStep, Chain, Conv, chain

FACTORS: tuple[Factor, ...] = get_args(Factor)
SERIAL: tuple[Factor, ...] = ("row_col", "col_row", "stacked")
LONGEST = 4  # most convolutions merged into one


def set_factor(site: Site) -> tuple[AnyStep, ...]:
    """The convolution with every other factorisation."""
    assert isinstance(site.step, Conv)
    return _factors(site.step)


@lru_cache(maxsize=4096)
def _factors(conv: Conv) -> tuple[Conv, ...]:
    others = [factor for factor in FACTORS if factor != conv.factor]
    return variants(conv, ({"factor": factor, "mid": conv.mid if factor in SERIAL else None} for factor in others))


def factorise(site: Site) -> tuple[AnyStep, ...]:
    """The convolution as plain convolutions in series: 5x5 as two of 3x3, or 1x5 and 5x1."""
    assert isinstance(site.step, Conv)
    return _written_out(site.step)


@lru_cache(maxsize=4096)
def _written_out(conv: Conv) -> tuple[AnyStep, ...]:
    if conv.factor != "none":
        return (opened(conv),)
    return tuple(map(opened, variants(conv, ({"factor": factor} for factor in SERIAL))))


def merge(site: Site) -> Iterator[AnyStep]:
    """The chain with the factors of one convolution merged into that convolution, factorised or not."""
    assert isinstance(site.step, Chain)
    steps = site.step.steps
    for start in range(len(steps)):
        for end in range(start + 2, min(start + LONGEST, len(steps)) + 1):
            window = steps[start:end]
            if all(isinstance(part, Conv) and part.factor == "none" for part in window):
                for whole in _merged(window):  # type: ignore[arg-type]
                    yield chain(*steps[:start], whole, *steps[end:])


def _merged(window: tuple[Conv, ...]) -> Iterator[Conv]:
    first, last = window[0], window[-1]
    strides = [stride_of(part.stride) for part in window]
    stride: Any = (max(s for s, _ in strides), max(s for _, s in strides))
    stride = stride[0] if stride[0] == stride[1] else stride
    side = 2 * len(window) + 1
    for factor in SERIAL:
        kernel = (side, side) if factor == "stacked" else (max(first.kernel), max(last.kernel))
        if factor == "row_col":
            kernel = kernel[::-1]
        mid = None if first.width == last.width else first.width
        whole = variant(last, kernel=kernel, factor=factor, mid=mid, stride=stride)
        # A guess counts only if its factors are exactly these convolutions.
        if whole is not None and opened(whole) == Chain(steps=window):
            yield whole
            if plain := variant(whole, factor="none", mid=None):
                yield plain


SET_FACTOR = Kind("set_factor", (Conv,), set_factor)
FACTORISE = Kind("factorise", (Conv,), factorise)
MERGE = Kind("merge", (Chain,), merge)
