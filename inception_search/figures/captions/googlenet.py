"""Going deeper with convolutions (1409.4842), Fig. 2, and Batch normalization (1502.03167), which follows it.

The figures print neither filters nor sizes; both are in their tables.
"""

from __future__ import annotations

from inception_search.figures.captions.words import Lines, bare, letter_x, lines
from inception_search.figures.labels import conv_facts, pool_facts
from inception_search.spec.step import Conv, Pool

POOLS = {"max": "max pooling", "avg": "average pooling", "l2": "L2 pooling"}


def _conv(conv: Conv) -> Lines:
    return lines(f"{letter_x(conv.kernel)} convolutions", conv_facts(conv))


def _pool(pool: Pool) -> Lines:
    return lines(f"{letter_x(pool.kernel)} {POOLS[pool.mode]}", pool_facts(pool))


CAPTIONS = bare(_conv, _pool, "Previous layer", "Filter concatenation")
