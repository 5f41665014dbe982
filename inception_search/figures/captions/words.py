"""Captions: the functions that set a figure's terms and the order of its branches.

Forks with two branches (in stems, and the 1x3 and 3x1 at the end of a branch) keep the document's order, which is also
that of the papers' figures.
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
    """The terms for convolutions, pools, activations, inputs and joins.

    ``start`` gets the module and the step before it, if that is known and unique. ``projection`` gets the channels
    (empty if unknown) and whether it is linear. ``input`` makes the lines of a network's input from its size, and
    ``shape`` formats a size (C, H, W). ``order`` returns the numbers of branches from left to right. ``sizes``: a
    module's input and output are shown with their shapes; ``notes``: sizes are shown beside the wires. Some papers do
    neither.
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
        """The box of a single step; a convolution must be unfactorised."""
        box = labelled(step, path)
        if isinstance(step, Conv):
            return Box(self.conv(step), box.kind, path=path)
        if isinstance(step, Pool):
            return Box(self.pool(step), box.kind, path=path)
        return Box((self.act(step.name),), "act", path=path, slim=True) if isinstance(step, Act) else box


PLAIN = Captions(sizes=True)


def bare(conv: Callable[[Conv], Lines], pool: Callable[[Pool], Lines], start: str, concat: str) -> Captions:
    """The terms of figures without sizes; ``start`` names the input of every module."""
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
    """``1x7``: height x width, as in the papers."""
    return f"{kernel[0]}x{kernel[1]}"


def channels_last(channels: int, height: int, width: int) -> str:
    """``35x35x384``: height x width x channels, as in the papers."""
    return f"{height}x{width}x{channels}"


def lines(first: str, facts: list[str]) -> Lines:
    """``first``, followed by a line with the facts, if there are any."""
    return (first, ", ".join(facts)) if facts else (first,)


def pool_first(branches: Sequence[Part]) -> Sequence[int]:
    """1602.07261, Figs 4 to 8 and 10 to 18: pooling at the left, then branches from the shortest to the longest."""
    return _sorted(branches, lambda part: (not _pools(part), _depth(part)))


def longest_first(branches: Sequence[Part]) -> Sequence[int]:
    """1512.00567, Figs 4 to 7 and 10: branches from the longest to shorter ones, then pooling, then the single 1x1."""
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
    """The number of boxes on the longest path."""
    if isinstance(part, Column):
        return sum(map(_depth, part.parts))
    if isinstance(part, Fork):
        return max(map(_depth, part.branches)) + (part.join is not None)
    if isinstance(part, Residual | Group):
        return _depth(part.body)
    return len(boxes(part))
