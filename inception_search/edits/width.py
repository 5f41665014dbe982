"""Another width of a convolution, of what is between its factors, of a depthwise convolution's filters."""

from __future__ import annotations

from functools import lru_cache
from math import lcm

from inception_search.edits.kind import Kind
from inception_search.edits.tree import Site
from inception_search.edits.variant import variant
from inception_search.spec.step import AnyStep, Conv, Depthwise

FACTORS = (0.5, 0.75, 1.25, 1.5, 2.0)
MULTIPLE = 4  # of which widths are, but for small ones
MULTIPLIERS = (1, 2, 4, 8)


def set_width(site: Site) -> tuple[AnyStep, ...]:
    """The step with every other width."""
    step = site.step
    assert isinstance(step, Conv | Depthwise)
    return _widths(step)


@lru_cache(maxsize=4096)
def _widths(step: Conv | Depthwise) -> tuple[AnyStep, ...]:
    if isinstance(step, Depthwise):
        found = [variant(step, multiplier=multiplier) for multiplier in MULTIPLIERS]
    else:
        unit = step.groups * (2 if step.factor == "split" else 1)
        found = [variant(step, width=width) for width in others(step.width, unit)]  # type: ignore[misc]
    return tuple(option for option in found if option is not None)


def set_mid(site: Site) -> tuple[AnyStep, ...]:
    """A factorised convolution with every other width between its factors."""
    step = site.step
    assert isinstance(step, Conv)
    return _mids(step) if step.factor not in ("none", "split") else ()


@lru_cache(maxsize=4096)
def _mids(step: Conv) -> tuple[AnyStep, ...]:
    now = step.mid or step.width
    widths = {*others(now, step.groups), step.width} - {now}
    found = [variant(step, mid=width) for width in sorted(widths)]
    return tuple(option for option in found if option is not None)


def others(width: int, unit: int = 1) -> tuple[int, ...]:
    """The widths near ``width``, all multiples of ``unit``."""
    unit = lcm(MULTIPLE, unit) if width > 2 * MULTIPLE else unit
    near = {max(unit, round(width * factor / unit) * unit) for factor in FACTORS}
    return tuple(sorted(near - {width}))


SET_WIDTH = Kind("set_width", (Conv, Depthwise), set_width)
SET_MID = Kind("set_mid", (Conv,), set_mid)
