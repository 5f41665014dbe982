"""Another kernel of a convolution or a pool, the size of the map kept."""

from __future__ import annotations

from functools import lru_cache

from inception_search.edits.kind import Kind
from inception_search.edits.tree import Site
from inception_search.edits.variant import dilations, keeps_size, variant
from inception_search.spec.base_model import Padding
from inception_search.spec.step import AnyStep, Conv, Depthwise, Pool

KERNELS = ((1, 1), (3, 3), (5, 5), (7, 7), (1, 3), (3, 1), (1, 7), (7, 1))
POOLS = ((2, 2), (3, 3), (5, 5))


def set_kernel(site: Site) -> tuple[AnyStep, ...]:
    """The step with every other kernel; the map's size may only change where no branch stands beside."""
    step = site.step
    assert isinstance(step, Conv | Depthwise | Pool)
    if site.beside and not keeps_size(step):
        return ()
    return _options(step)


@lru_cache(maxsize=4096)
def _options(step: Conv | Depthwise | Pool) -> tuple[AnyStep, ...]:
    kernels = POOLS if isinstance(step, Pool) else KERNELS
    found = (variant(step, kernel=kernel, padding=_padding(step, kernel)) for kernel in kernels)
    return tuple(option for option in found if option is not None)


def _padding(step: Conv | Depthwise | Pool, kernel: tuple[int, int]) -> Padding:
    """The padding that does with ``kernel`` what the step's own does: numbers follow the kernel."""
    if not isinstance(step.padding, tuple) or not keeps_size(step):
        return step.padding
    h, w = (d * (k - 1) // 2 for d, k in zip(dilations(step), kernel, strict=True))
    return (h, w)


SET_KERNEL = Kind("set_kernel", (Conv, Depthwise, Pool), set_kernel)
