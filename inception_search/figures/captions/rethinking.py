"""Rethinking the Inception architecture (1512.00567), Figs 4 to 7 and 10: bare kernels between Base and Filter Concat.

The figures print neither filters, sizes, padding nor the kind of a pool (its colour tells max from average). Where they
write n for a side of 7, the number stands.
"""

from __future__ import annotations

from dataclasses import replace

from inception_search.figures.captions.order import longest_first
from inception_search.figures.captions.words import Lines, bare, letter_x, lines
from inception_search.figures.labels import conv_facts, pool_facts
from inception_search.spec.step import Conv, Pool


def _conv(conv: Conv) -> Lines:
    return lines(letter_x(conv.kernel), _printed(conv_facts(conv)))


def _pool(pool: Pool) -> Lines:
    return lines("Pool", _printed(pool_facts(pool)))


def _printed(facts: list[str]) -> list[str]:
    return [fact for fact in facts if fact not in ("V", "ceil") and not fact.startswith("pad ")]


CAPTIONS = replace(bare(_conv, _pool, "Base", "Filter Concat"), order=longest_first)
