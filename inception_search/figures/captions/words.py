"""What a drawing says of its boxes, and in which order its branches stand: the functions of one way of captioning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from inception_search.figures.labels import ACTIVATIONS, Single, conv_lines, labelled, pool_lines, shape
from inception_search.figures.network.tree import Box, Part
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
