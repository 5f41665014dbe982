"""Edits of one layer's fields: its kernel (padding follows it), its number of filters, its pooling."""

from __future__ import annotations

from functools import lru_cache
from math import lcm

from inception_search.edits.kinds.kind import Kind
from inception_search.edits.kinds.replace_fields import dilations, keeps_size, variants
from inception_search.edits.sites import Site
from inception_search.spec.base_model import Padding
from inception_search.spec.step import AdaptivePool, AnyStep, Conv, Depthwise, Pool

KERNELS = ((1, 1), (3, 3), (5, 5), (7, 7), (1, 3), (3, 1), (1, 7), (7, 1))
POOLS = ((2, 2), (3, 3), (5, 5))
FACTORS = (0.5, 0.75, 1.25, 1.5, 2.0)
MULTIPLE = 4  # widths are multiples of this, except small ones
MULTIPLIERS = (1, 2, 4, 8)
MODES = {Pool: ("max", "avg", "l2"), AdaptivePool: ("max", "avg")}


def set_kernel(site: Site) -> tuple[AnyStep, ...]:
    """The step with every other kernel; inside a branch, the size of the feature map must not change."""
    step = site.step
    assert isinstance(step, Conv | Depthwise | Pool)
    if site.beside and not keeps_size(step):
        return ()
    return _options(step)


@lru_cache(maxsize=4096)
def _options(step: Conv | Depthwise | Pool) -> tuple[AnyStep, ...]:
    kernels = POOLS if isinstance(step, Pool) else KERNELS
    return variants(step, ({"kernel": kernel, "padding": _padding(step, kernel)} for kernel in kernels))


def _padding(step: Conv | Depthwise | Pool, kernel: tuple[int, int]) -> Padding:
    """The padding for ``kernel`` with the same effect as the step's own; numbers follow the kernel."""
    if not isinstance(step.padding, tuple) or not keeps_size(step):
        return step.padding
    h, w = (d * (k - 1) // 2 for d, k in zip(dilations(step), kernel, strict=True))
    return (h, w)


SET_KERNEL = Kind("set_kernel", (Conv, Depthwise, Pool), set_kernel)


def set_width(site: Site) -> tuple[AnyStep, ...]:
    """The step with every other width."""
    step = site.step
    assert isinstance(step, Conv | Depthwise)
    return _widths(step)


@lru_cache(maxsize=4096)
def _widths(step: Conv | Depthwise) -> tuple[AnyStep, ...]:
    if isinstance(step, Depthwise):
        return variants(step, ({"multiplier": multiplier} for multiplier in MULTIPLIERS))
    unit = step.groups * (2 if step.factor == "split" else 1)
    return variants(step, ({"width": width} for width in _widths_near(step.width, unit)))


def set_mid(site: Site) -> tuple[AnyStep, ...]:
    """A factorised convolution with every other width between its factors."""
    step = site.step
    assert isinstance(step, Conv)
    return _mids(step) if step.factor not in ("none", "split") else ()


@lru_cache(maxsize=4096)
def _mids(step: Conv) -> tuple[AnyStep, ...]:
    now = step.mid or step.width
    widths = {*_widths_near(now, step.groups), step.width} - {now}
    return variants(step, ({"mid": width} for width in sorted(widths)))


def _widths_near(width: int, unit: int = 1) -> tuple[int, ...]:
    """The widths near ``width``, all multiples of ``unit``."""
    unit = lcm(MULTIPLE, unit) if width > 2 * MULTIPLE else unit
    near = {max(unit, round(width * factor / unit) * unit) for factor in FACTORS}
    return tuple(sorted(near - {width}))


SET_WIDTH = Kind("set_width", (Conv, Depthwise), set_width)
SET_MID = Kind("set_mid", (Conv,), set_mid)


def set_pool(site: Site) -> tuple[AnyStep, ...]:
    """The pool with every other mode."""
    step = site.step
    assert isinstance(step, Pool | AdaptivePool)
    return variants(step, ({"mode": mode} for mode in MODES[type(step)]))


SET_POOL = Kind("set_pool", (Pool, AdaptivePool), set_pool)
