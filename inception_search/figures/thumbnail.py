"""A module as a small picture that can still be read: kernels only, in large type."""

from __future__ import annotations

from dataclasses import dataclass, replace

from inception_search.figures.colours import DARK, DARK_PAGE, LIGHT, LIGHT_PAGE
from inception_search.figures.draw import network_part
from inception_search.figures.network.measure import BOX_MIN_WIDTH, PLUS
from inception_search.figures.network.module import ModuleTree
from inception_search.figures.network.place import PlacedBox, Placement, lay_out
from inception_search.figures.network.tree import Box, Column, Fork, Group, Mesh, Note, Part, Residual, Tap
from inception_search.figures.paint.svg import text
from inception_search.figures.paint.wires import heads, lines
from inception_search.figures.type_metrics import clipped
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep

TYPE = 21  # px, in a box that is as narrow as boxes get
_WORDS = {"max pool": "max", "avg pool": "avg", "L2 pool": "L2", "Filter concat": "concat"}


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """SVG elements that need :func:`thumbnail_rules` of the picture they stand in.

    ``width``, ``height`` and ``exit``, where the flow leaves it at its foot, are in px.
    """

    svg: str
    width: int
    height: int
    exit: int


def thumbnail(step: AnyStep, network: Network) -> Thumbnail:
    """The module ``step`` of ``network`` with one short word in each box."""
    return _thumbnail(ModuleTree(network.blocks).step(step, "module"))


def network_thumbnail(network: Network) -> Thumbnail:
    """A whole network with one short word for each stage."""
    return _thumbnail(network_part(network))


def _thumbnail(part: Part) -> Thumbnail:
    drawing = lay_out(_short(part))
    if not drawing.height:  # a bare wire
        drawing = lay_out(Box(("identity",), "act", slim=True))
    return Thumbnail(_elements(drawing), drawing.width, drawing.height, _exit(drawing))


def thumbnail_rules(name: str) -> str:
    """CSS for a dark screen: the colours of thumbnails inside the element with the id ``name``."""
    rules = [f"#{name} .{kind} {{fill:{paint.fill};stroke:{paint.stroke}}}" for kind, paint in DARK.items()]
    rules += [
        f"#{name} .ink {{fill:{DARK_PAGE.ink}}}",
        f"#{name} .wire {{stroke:{DARK_PAGE.wire}}}",
        f"#{name} .head {{fill:{DARK_PAGE.wire}}}",
    ]
    return "\n".join(rules)


def _short(part: Part) -> Part:
    """The same tree with boxes of one short line, and without notes and frames."""
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


def _exit(drawing: Placement) -> int:
    """The middle of what stands lowest."""
    ends = [(box.y + box.height, box.x + box.width // 2) for box in drawing.boxes]
    ends += [(plus.y + PLUS // 2, plus.x) for plus in drawing.pluses]
    return max(ends, default=(0, drawing.width // 2))[1]


def _word(line: str) -> str:
    """``3×3`` for a convolution, ``max`` for a pool of any size, else as much of the line as a box holds."""
    for long, short in _WORDS.items():
        if line.endswith(long):
            return short
    return clipped(line.removesuffix(" conv").removesuffix(" depthwise"), TYPE, BOX_MIN_WIDTH - 8)


def _elements(drawing: Placement) -> str:
    wire = LIGHT_PAGE.wire
    parts = [f'<g class="wire" fill="none" stroke="{wire}" stroke-width="2.5">']
    parts += [f'<path d="{line}"/>' for line in lines(drawing.wires)]
    parts.append(f'</g><path class="head" fill="{wire}" d="{heads(drawing.wires)}"/>')
    parts += map(_box, drawing.boxes)
    paint, arm = LIGHT["add"], PLUS // 2 - 5
    parts += [
        f'<g class="add" fill="{paint.fill}" stroke="{paint.stroke}" stroke-width="2">'
        f'<circle cx="{plus.x}" cy="{plus.y}" r="{PLUS // 2}"/>'
        f'<path d="M{plus.x - arm} {plus.y}h{2 * arm}M{plus.x} {plus.y - arm}v{2 * arm}"/></g>'
        for plus in drawing.pluses
    ]
    return "".join(parts)


def _box(placed: PlacedBox) -> str:
    paint, middle = LIGHT[placed.box.kind], placed.x + placed.width // 2
    return (
        f'<rect class="{placed.box.kind}" x="{placed.x}" y="{placed.y}" width="{placed.width}" '
        f'height="{placed.height}" rx="5" fill="{paint.fill}" stroke="{paint.stroke}" stroke-width="2"/>'
        f'<text class="ink" x="{middle}" y="{placed.y + placed.height // 2 + 8}" font-size="{TYPE}" '
        f'text-anchor="middle" fill="{LIGHT_PAGE.ink}">{text(placed.box.lines[0])}</text>'
    )
