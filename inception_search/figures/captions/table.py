"""Which paper's words a network is drawn with in the style ``paper``."""

from __future__ import annotations

from inception_search.figures.captions import googlenet, inception_v4, rethinking
from inception_search.figures.captions.words import Captions
from inception_search.spec.network import Network

# The names of networks; any other has the words of the last of the papers, which say most, and its document's order.
PAPERS: dict[str, Captions] = {
    "inception_v1": googlenet.CAPTIONS,
    "bn_inception": googlenet.CAPTIONS,
    "inception_v2": rethinking.CAPTIONS,
    "inception_v3": rethinking.CAPTIONS,
    "inception_v4": inception_v4.CAPTIONS,
    "inception_resnet_v1": inception_v4.CAPTIONS,
    "inception_resnet_v2": inception_v4.CAPTIONS,
}


def captions_of(network: Network | None) -> Captions:
    """The words (and order of branches) of the paper that ``network`` is from."""
    name = network.name.partition("@")[0] if network else ""
    return PAPERS.get(name, inception_v4.WORDS)
