"""A convolution more, or one less, in series."""

from __future__ import annotations

from functools import lru_cache

from inception_search.edits.kind import Kind
from inception_search.edits.tree import Site
from inception_search.edits.variant import reduces
from inception_search.spec.step import AnyStep, Chain, Conv, Identity, chain

KERNELS = ((1, 1), (3, 3))  # of what is added


def add_conv(site: Site) -> tuple[AnyStep, ...]:
    """The convolution with another of its width after it or before it."""
    assert isinstance(site.step, Conv)
    return _longer(site.step)


@lru_cache(maxsize=4096)
def _longer(conv: Conv) -> tuple[AnyStep, ...]:
    more = [Conv(kernel=kernel, width=conv.width) for kernel in KERNELS]
    return (*(chain(conv, new) for new in more), *(chain(new, conv) for new in more))


def drop_conv(site: Site) -> tuple[AnyStep, ...]:
    """Nothing, in place of a convolution of a chain; where branches stand beside, of one that keeps the map's size."""
    if not isinstance(site.parent, Chain) or (site.beside and reduces(site.step, site.network)):
        return ()
    return (Identity(),)


ADD_CONV = Kind("add_conv", (Conv,), add_conv)
DROP_CONV = Kind("drop_conv", (Conv,), drop_conv)
