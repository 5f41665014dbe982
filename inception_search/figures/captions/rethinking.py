"""Rethinking the Inception architecture (1512.00567), Figs 4 to 7 and 10: bare kernels between Base and Filter Concat.

The paper prints no filters; here they stand in small under each kernel.
"""

from __future__ import annotations

from inception_search.figures.captions.words import Captions, Lines, letter_x, lines
from inception_search.figures.labels import conv_facts, pool_facts
from inception_search.spec.step import Conv, Pool


def _conv(conv: Conv) -> Lines:
    return lines(letter_x(conv.kernel), [str(conv.width), *conv_facts(conv)])


def _pool(pool: Pool) -> Lines:
    return lines("Pool", [f"{pool.mode} {letter_x(pool.kernel)}", *pool_facts(pool)])


CAPTIONS = Captions(_conv, _pool, start=lambda _: "Base", concat="Filter Concat")
