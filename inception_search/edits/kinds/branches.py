"""Edits of branches (add, drop, duplicate, swap) and of single convolutions of a chain (add, drop)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

from inception_search.edits.kinds.kind import Kind
from inception_search.edits.kinds.layer_fields import MULTIPLE
from inception_search.edits.kinds.replace_fields import last_width, reduces
from inception_search.edits.sites import Site
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Chain, Concat, Conv, Depthwise, Identity, Pool, chain, concat

DEFAULT_WIDTH = 32  # width of a new branch if the others have no convolution
KERNELS = ((1, 1), (3, 3))  # kernels of added convolutions


def add_branch(site: Site) -> Iterator[AnyStep]:
    """The concat with one more branch at its end, as in the classic modules, with a width of another branch."""
    branches = _branches(site)
    widths = sorted(width for branch in branches if (width := last_width(branch)))
    width = widths[len(widths) // 2] if widths else DEFAULT_WIDTH
    reducing = any(reduces(branch, site.network) for branch in branches)
    new = _reducing(branches, width, site.network) if reducing else _keeping(width)
    return (concat(*branches, branch) for branch in new)


def drop_branch(site: Site) -> Iterator[AnyStep]:
    """The concat without one of its branches, for each branch."""
    branches = _branches(site)
    return (concat(*branches[:i], *branches[i + 1 :]) for i in range(len(branches)))


def duplicate_branch(site: Site) -> Iterator[AnyStep]:
    """The concat with one of its branches duplicated, for each branch."""
    branches = _branches(site)
    return (concat(*branches[: i + 1], *branches[i:]) for i in range(len(branches)))


def reorder_branches(site: Site) -> Iterator[AnyStep]:
    """The concat with two branches swapped, for each pair."""
    for i, j in combinations(range(len(_branches(site))), 2):
        branches = list(_branches(site))
        branches[i], branches[j] = branches[j], branches[i]
        yield concat(*branches)


def _branches(site: Site) -> tuple[AnyStep, ...]:
    assert isinstance(site.step, Concat)
    return site.step.branches


def _keeping(width: int) -> list[AnyStep]:
    """Branches that keep the size of the feature map."""
    last, reduce = _conv(1, width), _conv(1, max(MULTIPLE, width // 2 // MULTIPLE * MULTIPLE))
    look = _conv(3, width)
    return [
        last,
        chain(reduce, look),
        chain(reduce, look, look),
        chain(reduce, Conv(kernel=(7, 7), width=width, factor="row_col")),
        chain(Pool(mode="avg"), last),
        chain(Pool(mode="max"), last),
    ]


def _reducing(branches: tuple[AnyStep, ...], width: int, network: Network) -> list[AnyStep]:
    """Branches that reduce the feature map by the same steps as the other branches, alone or after a 1x1."""
    spines: list[AnyStep] = []
    for branch in branches:
        steps = branch.steps if isinstance(branch, Chain) else (branch,)
        spine = [step for step in steps if reduces(step, network)]
        plain = all(isinstance(step, Conv | Depthwise | Pool) for step in spine)
        if spine and plain and (whole := chain(*spine)) not in spines:
            spines.append(whole)
    return [new for spine in spines for new in (spine, chain(_conv(1, width), spine))]


def _conv(side: int, width: int) -> Conv:
    return Conv(kernel=(side, side), width=width)


ADD_BRANCH = Kind("add_branch", (Concat,), add_branch)
DROP_BRANCH = Kind("drop_branch", (Concat,), drop_branch)
DUPLICATE_BRANCH = Kind("duplicate_branch", (Concat,), duplicate_branch)
REORDER_BRANCHES = Kind("reorder_branches", (Concat,), reorder_branches)


def add_conv(site: Site) -> tuple[AnyStep, ...]:
    """The convolution with another of the same width after it or before it."""
    assert isinstance(site.step, Conv)
    return _longer(site.step)


@lru_cache(maxsize=4096)
def _longer(conv: Conv) -> tuple[AnyStep, ...]:
    more = [Conv(kernel=kernel, width=conv.width) for kernel in KERNELS]
    return (*(chain(conv, new) for new in more), *(chain(new, conv) for new in more))


def drop_conv(site: Site) -> tuple[AnyStep, ...]:
    """Drop a convolution of a chain; inside a branch, only one that keeps the size of the feature map."""
    if not isinstance(site.parent, Chain) or (site.beside and reduces(site.step, site.network)):
        return ()
    return (Identity(),)


ADD_CONV = Kind("add_conv", (Conv,), add_conv)
DROP_CONV = Kind("drop_conv", (Conv,), drop_conv)
