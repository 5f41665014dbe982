"""The module of a network that is most like another module."""

from __future__ import annotations

from inception_search.compare.align import Aligner
from inception_search.compare.read import Keys, Reader
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep


def nearest_module(step: AnyStep, owner: Network | None, network: Network) -> str:
    """The block or stage of ``network`` that is made of ``step`` with the fewest edits; ``owner`` has its blocks."""
    keys: Keys = {}
    wanted = Reader(owner, keys).series(step, "m")
    reader, aligner = Reader(network, keys), Aligner()
    parts = {**network.blocks, **network.stages}
    return min(parts, key=lambda name: aligner.cost(wanted, reader.series(parts[name], "m")))
