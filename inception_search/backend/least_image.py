"""Whether images are large enough for the first stages of a network."""

from __future__ import annotations

from collections.abc import Collection

from inception_search.lowering import lower
from inception_search.spec.network import Network
from inception_search.spec.transform import remake, set_head, set_input


def check_size(network: Network, stages: Collection[str], height: int, width: int) -> None:
    """Raise ShapeError, with the least size, where images are too small for ``stages`` and those before them."""
    names = list(network.stages)
    last = max((names.index(stage) for stage in stages), default=-1)
    kept = {name: network.stages[name] for name in names[: last + 1]}
    if kept:
        maps = remake(set_head(network, 0, "none"), aux={}, stages=kept)
        lower(set_input(maps, height=height, width=width))
