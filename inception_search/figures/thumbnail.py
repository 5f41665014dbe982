"""A module as a small, legible figure: kernels only, in large type."""

from __future__ import annotations

from dataclasses import dataclass, replace

from inception_search.figures.draw import network_part
from inception_search.figures.network.compose import Panel, sheet
from inception_search.figures.network.measure import BOX_MIN_WIDTH
from inception_search.figures.network.module import ModuleTree
from inception_search.figures.network.outline import sentence
from inception_search.figures.network.place import lay_out
from inception_search.figures.network.tree import Box, Column, Fork, Group, Mesh, Note, Part, Residual, Tap
from inception_search.figures.paint.svg import LARGE, svg
from inception_search.figures.type_metrics import clipped
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep

_WORDS = {"max pool": "max", "avg pool": "avg", "L2 pool": "L2", "Filter concat": "concat"}


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """An SVG document whose type is legible at half its ``width`` in px."""

    svg: str
    width: int


def thumbnail(step: AnyStep, network: Network, title: str = "") -> Thumbnail:
    """The module ``step`` of ``network`` with one short word in each box."""
    return _thumbnail(ModuleTree(network.blocks).step(step, "module"), title)


def network_thumbnail(network: Network, title: str = "") -> Thumbnail:
    """A whole network with one short word for each stage."""
    return _thumbnail(network_part(network), title)


def _thumbnail(part: Part, title: str) -> Thumbnail:
    drawing = lay_out(_short(part))
    if not drawing.height:  # a bare wire
        drawing = lay_out(Box(("identity",), "act", slim=True))
    drawing = sheet("", [Panel("", drawing)])
    return Thumbnail(svg(drawing, title=title, description=sentence(part), large=True), drawing.width)


def _short(part: Part) -> Part:
    """The same tree with one short line per box, and without notes and frames."""
    if isinstance(part, Box):
        return replace(part, lines=(_word(part.lines[0]),), slim=True, tip="")
    if isinstance(part, Column):
        return Column(tuple(_short(inner) for inner in part.parts if not isinstance(inner, Note | Tap)))
    if isinstance(part, Fork):
        join = None if part.join is None else _short(part.join)
        assert join is None or isinstance(join, Box)
        return Fork(tuple(_short(branch) for branch in part.branches), join)
    if isinstance(part, Residual):
        return Residual(_short(part.body))
    if isinstance(part, Mesh):
        return Mesh(tuple(map(_short, part.parts)), part.reads)
    return _short(part.body) if isinstance(part, Group) else Column()


def _word(line: str) -> str:
    """``3×3`` for a convolution, ``max`` for a pool of any size, else as much of the line as fits."""
    for long, short in _WORDS.items():
        if line.endswith(long):
            return short
    return clipped(line.removesuffix(" conv").removesuffix(" depthwise"), LARGE, BOX_MIN_WIDTH - 8)
