"""Inception-v4, Inception-ResNet (1602.07261), Figs 3 to 19: kernel, filters and stride in one line; stems with sizes.

Where a residual block ends in an activation the one before it did, too: "Relu activation" stands under it. Modules of
networks of no paper have the same words, but what stands under them is what they read.
"""

from __future__ import annotations

from dataclasses import replace

from inception_search.figures.captions.order import pool_first
from inception_search.figures.captions.words import Captions, Lines, channels_last, letter_x
from inception_search.figures.labels import ACTIVATIONS, conv_facts, pool_facts
from inception_search.spec.step import Act, AnyStep, Block, Concat, Conv, Pool

POOLS = {"max": "MaxPool", "avg": "Avg Pooling", "l2": "L2 Pooling"}


def _conv(conv: Conv) -> Lines:
    return (f"{letter_x(conv.kernel)} Conv ({' '.join([str(conv.width), *map(_word, conv_facts(conv))])})",)


def _pool(pool: Pool) -> Lines:
    facts = pool_facts(pool)
    usual = pool.mode == "avg" and pool.kernel == (3, 3) and not facts
    kernel = "" if usual else f"{letter_x(pool.kernel)} "
    return (f"{kernel}{POOLS[pool.mode]}" + (f" ({' '.join(facts)})" if facts else ""),)


def _word(fact: str) -> str:
    return "Linear" if fact == "linear" else fact


def _act(name: str) -> str:
    return "no activation" if name == "none" else f"{ACTIVATIONS[name].replace('ReLU', 'Relu')} activation"


def _projection(channels: str, linear: bool) -> Lines:
    words = ([channels] if channels else []) + (["Linear"] if linear else [])
    return (f"1x1 Conv ({' '.join(words)})" if words else "1x1 Conv",)


def _start(step: AnyStep, _: AnyStep | None) -> str:
    """As in the figures, whose modules follow their own kind."""
    if isinstance(step, Block) and step.skip != "none":
        return "Previous layer" if step.act == "none" else _act(step.act)
    return "Filter concat"


def _read(_: AnyStep, before: AnyStep | None) -> str:
    """What a module of no paper reads."""
    if isinstance(before, Act):
        return _act(before.name) if before.name != "none" else "Previous layer"
    if isinstance(before, Block) and before.act != "none":
        return _act(before.act)
    return "Filter concat" if isinstance(before, Concat) else "Previous layer"


WORDS = Captions(_conv, _pool, _act, _projection, _read, input=lambda size: (f"Input ({size})",), shape=channels_last)
CAPTIONS = replace(WORDS, start=_start, order=pool_first)
