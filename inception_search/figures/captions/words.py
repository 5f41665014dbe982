"""What a drawing says of its boxes: the functions that one way of captioning consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from inception_search.figures.labels import ACTIVATIONS, Single, conv_lines, labelled, pool_lines
from inception_search.figures.parts import Box
from inception_search.spec.step import Act, AnyStep, Conv, Pool

Lines: TypeAlias = tuple[str, ...]


def _projection(channels: str, linear: bool) -> Lines:
    words = [channels or "to the input's width", *(["linear"] if linear else [])]
    return ("1×1 conv", ", ".join(words))


@dataclass(frozen=True, slots=True)
class Captions:
    """The words for convolutions, pools and activations, for what a module reads, and for its joins.

    ``projection`` gets the channels (empty where they are not known) and whether it is linear. ``sizes``: what a
    module reads and makes is shown with its shape; the papers do not.
    """

    conv: Callable[[Conv], Lines] = conv_lines
    pool: Callable[[Pool], Lines] = pool_lines
    act: Callable[[str], str] = ACTIVATIONS.__getitem__
    projection: Callable[[str, bool], Lines] = _projection
    start: Callable[[AnyStep], str] = lambda _: "Input"
    concat: str = "Filter concat"
    sizes: bool = False

    def box(self, step: Single, path: str) -> Box:
        """The box of a single step; a conv must not be factored any more."""
        box = labelled(step, path)
        if isinstance(step, Conv):
            return Box(self.conv(step), box.kind, path=path)
        if isinstance(step, Pool):
            return Box(self.pool(step), box.kind, path=path)
        return Box((self.act(step.name),), "act", path=path, slim=True) if isinstance(step, Act) else box


PLAIN = Captions(sizes=True)


def letter_x(kernel: tuple[int, int]) -> str:
    """``1x7``: height x width, as the papers type it."""
    return f"{kernel[0]}x{kernel[1]}"


def lines(first: str, facts: list[str]) -> Lines:
    """``first``, and under it the facts, where there are any."""
    return (first, ", ".join(facts)) if facts else (first,)
