"""The terms of the papers' figures, and which network uses which in the style ``paper``."""

from __future__ import annotations

from dataclasses import replace

from inception_search.figures.captions.words import (
    Captions,
    Lines,
    bare,
    channels_last,
    letter_x,
    lines,
    longest_first,
    pool_first,
)
from inception_search.figures.labels import ACTIVATIONS, conv_facts, pool_facts
from inception_search.spec.network import Network
from inception_search.spec.step import Act, AnyStep, Block, Concat, Conv, Pool

# Going deeper with convolutions (1409.4842), Fig. 2, and Batch normalization (1502.03167), which follows it.
# The figures print neither filters nor sizes; both are in their tables.

_GOOGLENET_POOLS = {"max": "max pooling", "avg": "average pooling", "l2": "L2 pooling"}


def _googlenet_conv(conv: Conv) -> Lines:
    return lines(f"{letter_x(conv.kernel)} convolutions", conv_facts(conv))


def _googlenet_pool(pool: Pool) -> Lines:
    return lines(f"{letter_x(pool.kernel)} {_GOOGLENET_POOLS[pool.mode]}", pool_facts(pool))


_GOOGLENET = bare(_googlenet_conv, _googlenet_pool, "Previous layer", "Filter concatenation")


# Rethinking the Inception architecture (1512.00567), Figs 4 to 7 and 10: only kernels between Base and Filter Concat.
# The figures print neither filters, sizes, padding nor the kind of a pool (only its colour differs). Where they write
# n for a side of 7, our figures show 7.


def _rethinking_conv(conv: Conv) -> Lines:
    return lines(letter_x(conv.kernel), _printed(conv_facts(conv)))


def _rethinking_pool(pool: Pool) -> Lines:
    return lines("Pool", _printed(pool_facts(pool)))


def _printed(facts: list[str]) -> list[str]:
    return [fact for fact in facts if fact not in ("V", "ceil") and not fact.startswith("pad ")]


_RETHINKING = replace(bare(_rethinking_conv, _rethinking_pool, "Base", "Filter Concat"), order=longest_first)


# Inception-v4, Inception-ResNet (1602.07261), Figs 3 to 19: kernel, filters and stride in one line; stems with sizes.
# A residual block that ends in an activation follows one that does too, so its input is called "Relu activation".
# Modules of other networks use the same terms, but with the name of their actual input.

_V4_POOLS = {"max": "MaxPool", "avg": "Avg Pooling", "l2": "L2 Pooling"}


def _v4_conv(conv: Conv) -> Lines:
    return (f"{letter_x(conv.kernel)} Conv ({' '.join([str(conv.width), *map(_word, conv_facts(conv))])})",)


def _v4_pool(pool: Pool) -> Lines:
    facts = pool_facts(pool)
    usual = pool.mode == "avg" and pool.kernel == (3, 3) and not facts
    kernel = "" if usual else f"{letter_x(pool.kernel)} "
    return (f"{kernel}{_V4_POOLS[pool.mode]}" + (f" ({' '.join(facts)})" if facts else ""),)


def _word(fact: str) -> str:
    return "Linear" if fact == "linear" else fact


def _v4_act(name: str) -> str:
    return "no activation" if name == "none" else f"{ACTIVATIONS[name].replace('ReLU', 'Relu')} activation"


def _projection(channels: str, linear: bool) -> Lines:
    words = ([channels] if channels else []) + (["Linear"] if linear else [])
    return (f"1x1 Conv ({' '.join(words)})" if words else "1x1 Conv",)


def _v4_start(step: AnyStep, _: AnyStep | None) -> str:
    """The input's name as in the figures, where each module follows one of its own kind."""
    if isinstance(step, Block) and step.skip != "none":
        return "Previous layer" if step.act == "none" else _v4_act(step.act)
    return "Filter concat"


def _v4_read(_: AnyStep, before: AnyStep | None) -> str:
    """The name of the input of a module that is in no paper."""
    if isinstance(before, Act):
        return _v4_act(before.name) if before.name != "none" else "Previous layer"
    if isinstance(before, Block) and before.act != "none":
        return _v4_act(before.act)
    return "Filter concat" if isinstance(before, Concat) else "Previous layer"


_OF_NO_PAPER = Captions(
    _v4_conv, _v4_pool, _v4_act, _projection, _v4_read, input=lambda size: (f"Input ({size})",), shape=channels_last
)
_V4 = replace(_OF_NO_PAPER, start=_v4_start, order=pool_first)

# By network name. Other networks use the terms of the latest paper, the most detailed ones, and keep their own order.
PAPERS: dict[str, Captions] = {
    "inception_v1": _GOOGLENET,
    "bn_inception": _GOOGLENET,
    "inception_v2": _RETHINKING,
    "inception_v3": _RETHINKING,
    "inception_v4": _V4,
    "inception_resnet_v1": _V4,
    "inception_resnet_v2": _V4,
}


def captions_of(network: Network | None) -> Captions:
    """The terms (and the order of branches) of the paper that ``network`` is from."""
    name = network.name.partition("@")[0] if network else ""
    return PAPERS.get(name, _OF_NO_PAPER)
