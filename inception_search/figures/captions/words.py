"""What a drawing says of its boxes, and in which order its branches stand: the functions of one way of captioning.

Forks of two branches (those of stems, and the 1x3 and 3x1 that end a branch) keep the order of the document, which is
the figures' there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from inception_search.figures.labels import ACTIVATIONS, Single, conv_lines, labelled, pool_lines, shape
from inception_search.figures.network.tree import Box, Column, Fork, Group, Part, Residual, boxes
from inception_search.spec.step import Act, AnyStep, Conv, Pool

Lines: TypeAlias = tuple[str, ...]


def _projection(channels: str, linear: bool) -> Lines:
    words = [channels or "to the input's width", *(["linear"] if linear else [])]
    return ("1×1 conv", ", ".join(words))


@dataclass(frozen=True, slots=True)
class Captions:
    """The words for convolutions, pools and activations, for what a module reads, and for its joins.

    ``start`` gets the module and the step that it reads, where that is known and everywhere the same.
    ``projection`` gets the channels (empty where they are not known) and whether it is linear. ``input`` are the lines
    of a network's input, given its size, and ``shape`` writes a size (C, H, W). ``order`` are the numbers of branches
    from left to right. ``sizes``: what a module reads and makes is shown with its shape, ``notes``: sizes stand beside
    the wires; not every paper does either.
    """

    conv: Callable[[Conv], Lines] = conv_lines
    pool: Callable[[Pool], Lines] = pool_lines
    act: Callable[[str], str] = ACTIVATIONS.__getitem__
    projection: Callable[[str, bool], Lines] = _projection
    start: Callable[[AnyStep, AnyStep | None], str] = lambda *_: "Input"
    concat: str = "Filter concat"
    input: Callable[[str], Lines] = lambda size: ("Input", size)
    shape: Callable[[int, int, int], str] = shape
    order: Callable[[Sequence[Part]], Sequence[int]] = lambda branches: range(len(branches))
    sizes: bool = False
    notes: bool = True

    def box(self, step: Single, path: str) -> Box:
        """The box of a single step; a conv must not be factored any more."""
        box = labelled(step, path)
        if isinstance(step, Conv):
            return Box(self.conv(step), box.kind, path=path)
        if isinstance(step, Pool):
            return Box(self.pool(step), box.kind, path=path)
        return Box((self.act(step.name),), "act", path=path, slim=True) if isinstance(step, Act) else box


PLAIN = Captions(sizes=True)


def bare(conv: Callable[[Conv], Lines], pool: Callable[[Pool], Lines], start: str, concat: str) -> Captions:
    """The words of figures that print neither sizes nor the image's: ``start`` is what every module reads."""
    return Captions(
        conv,
        pool,
        start=lambda *_: start,
        concat=concat,
        input=lambda _: ("Input",),
        shape=channels_last,
        notes=False,
    )


def letter_x(kernel: tuple[int, int]) -> str:
    """``1x7``: height x width, as the papers type it."""
    return f"{kernel[0]}x{kernel[1]}"


def channels_last(channels: int, height: int, width: int) -> str:
    """``35x35x384``: height x width x channels, as the papers write a size."""
    return f"{height}x{width}x{channels}"


def lines(first: str, facts: list[str]) -> Lines:
    """``first``, and under it the facts, where there are any."""
    return (first, ", ".join(facts)) if facts else (first,)


def pool_first(branches: Sequence[Part]) -> Sequence[int]:
    """1602.07261, Figs 4 to 8 and 10 to 18: pooling at the left, then the shortest branch, the longest at the right."""
    return _sorted(branches, lambda part: (not _pools(part), _depth(part)))


def longest_first(branches: Sequence[Part]) -> Sequence[int]:
    """1512.00567, Figs 4 to 7 and 10: the longest branch at the left, then shorter ones, pooling, the lone 1x1."""
    return _sorted(branches, lambda part: (_is_lone_1x1(part), _pools(part), -_depth(part)))


def _sorted(branches: Sequence[Part], key: Callable[[Part], tuple[int, ...]]) -> Sequence[int]:
    numbers = range(len(branches))
    return sorted(numbers, key=lambda number: key(branches[number])) if len(branches) > 2 else numbers


def _pools(part: Part) -> bool:
    """Whether a branch begins with a pool."""
    inside = boxes(part)
    return bool(inside) and inside[0].kind in ("max", "avg")


def _is_lone_1x1(part: Part) -> bool:
    return isinstance(part, Box) and part.kind == "pointwise"


def _depth(part: Part) -> int:
    """How many boxes stand above each other at most."""
    if isinstance(part, Column):
        return sum(map(_depth, part.parts))
    if isinstance(part, Fork):
        return max(map(_depth, part.branches)) + (part.join is not None)
    if isinstance(part, Residual | Group):
        return _depth(part.body)
    return len(boxes(part))
