"""``diff``: compares two networks or modules, in words and as a figure with marked changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from inception_search.arguments import checked
from inception_search.canonical.catalogue import names as canonical_names
from inception_search.compare.comparison import COARSER, SETTINGS, Comparison, alignment_of, nearest_module
from inception_search.compare.side import Side, side_of
from inception_search.compare.text import signed, text_of
from inception_search.compare.words import entry_words
from inception_search.errors import ConfigError
from inception_search.figures.annotations import Facts, facts_of_network, facts_of_step
from inception_search.figures.diff.panels import Drawer, Pair, pairs_of
from inception_search.figures.figure import Figure, figure
from inception_search.figures.labels import count
from inception_search.figures.network.compose import Panel, sheet
from inception_search.figures.network.measure import SMALL, Room, box_height, box_width
from inception_search.figures.network.place import PlacedBox, Placement, Text
from inception_search.figures.network.tree import Box, Mark, Part
from inception_search.figures.paint.svg import clean
from inception_search.figures.printing.palettes import PaletteName
from inception_search.figures.printing.size import fitted, print_of
from inception_search.figures.type_metrics import room_for
from inception_search.spec.network import Network
from inception_search.spec.step import KINDS, AnyStep

LEGEND: tuple[tuple[Mark, str], ...] = (
    ("added", "added"),
    ("removed", "removed"),
    ("changed", "changed"),
    ("same", "unchanged"),
)
Line: TypeAlias = tuple[Mark, str]
GAP = 16  # px, between rows in a panel
LINE = 18  # px, height of a line of settings


@dataclass(frozen=True)
class Diff(Comparison):
    """The edits that turn ``a`` into ``b``; True if anything differs. Notebooks show the figure, terminals the text."""

    input_shape: tuple[int, int, int] | None = None

    @property
    def text(self) -> str:
        """The differences line by line, with ``+``, ``-`` and ``~``, and the totals."""
        return text_of(self)

    @checked
    def draw(
        self,
        *,
        title: str | None = None,
        width: str | float | None = None,
        font_size: float | None = None,
        palette: PaletteName | None = None,
    ) -> Figure:
        """Both sides next to each other, with added, removed and changed boxes marked, and each changed module.

        ``title=""`` omits the title. ``width`` (``"7in"``), ``font_size`` and ``palette`` are those of
        :func:`inception_search.draw`: a figure that is too wide gets fewer columns and narrower boxes.
        """
        how = print_of(width, font_size, palette)
        name = clean(f"{self.a.name} → {self.b.name}" if self.a.name != self.b.name else self.a.name)
        shown = name if title is None else clean(title)
        drawer, whole = drawer_of(self), self.a.step is None
        pairs = pairs_of(self) if whole else []

        def laid_out(change: Callable[[Part], Part], room: Room) -> Placement:
            narrow = drawer.within(change, room)
            panels = [Panel(_summary(self), _first(self, narrow)), *(panel(self, narrow, pair) for pair in pairs)]
            return sheet(shown, panels, how.room)

        drawing = fitted(how, laid_out, turned=False)
        about = f"{name}: {_summary(self)}" + (f"; {COARSER}" if self.coarser else "")
        less = "one module" if whole else ""
        return figure(shown or name, drawing, about=about, words=self.text, how=how, less=less)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.draw().svg, "text/plain": self.text}


def diff_of(
    a: Network | AnyStep,
    b: Network | AnyStep,
    *,
    names: tuple[str | None, str | None] = (None, None),
    networks: tuple[Network | None, Network | None] = (None, None),
    input_shape: tuple[int, int, int] | None = None,
) -> Diff:
    """The difference of two networks, or of two steps with their networks or the shape of their input.

    Raises :class:`ConfigError` for a step and a network, and :class:`ShapeError` where shapes do not fit.
    """
    if isinstance(a, Network) != isinstance(b, Network):
        raise _module_and_network((a, b), names, networks)
    sides = [
        side_of(item, name, network, input_shape) for item, name, network in zip((a, b), names, networks, strict=True)
    ]
    entries, coarser = alignment_of(sides[0], sides[1])
    return Diff(sides[0], sides[1], entries, coarser, input_shape)


def _module_and_network(
    items: tuple[Network | AnyStep, Network | AnyStep],
    names: tuple[str | None, str | None],
    networks: tuple[Network | None, Network | None],
) -> ConfigError:
    """The error for comparing a module with a whole network; it suggests the most similar module of the network."""
    whole = 0 if isinstance(items[0], Network) else 1
    network, step = items[whole], items[1 - whole]
    if not isinstance(network, Network) or isinstance(step, Network) or not isinstance(step, tuple(KINDS.values())):
        return ConfigError("only networks and steps can be compared", found=type(step).__name__)
    module, name = names[1 - whole] or "the other", names[whole] or network.name
    near = nearest_module(step, networks[1 - whole], network)
    shipped = name.partition("@")[0] in canonical_names()
    suggestion = f"{name}.{near}" if shipped else f"{near!r} (--module)"
    hint = f"name one of its modules, such as {suggestion}, or omit the module"
    return ConfigError(f"{name} is a whole network and {module} a module", hint=hint)


def drawer_of(diff: Diff) -> Drawer:
    """The drawer for both sides of a difference."""
    return Drawer(diff, (_facts(diff.a, diff.input_shape), _facts(diff.b, diff.input_shape)))


def panel(diff: Diff, drawer: Drawer, pair: Pair) -> Panel:
    """Two modules next to each other, headed by the change in their costs."""
    deltas = [delta for delta in map(diff.delta, pair.counted) if delta is not None]
    costs = tuple((sum(d.params[k] for d in deltas), sum(d.macs[k] for d in deltas)) for k in (0, 1))
    heading = clean(pair.title()) + (f": {cost_change(*costs)}" if deltas else "")
    return Panel(heading, drawer.pair(pair))


def cost_change(old: tuple[int, int], new: tuple[int, int]) -> str:
    """``+1.20 M parameters (+5 %), −300 M MACs (−2 %)``."""
    words = [_more(before, after, unit) for before, after, unit in zip(old, new, ("parameters", "MACs"), strict=True)]
    return ", ".join(words)


def settings_of(diff: Diff, kinds: tuple[str, ...] = SETTINGS) -> list[Line]:
    """Changes of settings of the whole network, which are in no box."""
    return [
        (entry.status, entry_words(entry)) for entry in diff.entries if entry.status != "same" and entry.kind in kinds
    ]


def legend(marks: Collection[Mark] = tuple(dict(LEGEND))) -> Placement:
    """The marks and their meaning."""
    out = Placement(0, 0)
    for mark, word in (each for each in LEGEND if each[0] in marks):
        box = Box((word,), "norm", slim=True, mark=mark)
        out.boxes.append(PlacedBox(box, out.width, 0, box_width(box), box_height(1)))
        out.width += box_width(box) + GAP
    out.width, out.height = out.width - GAP, box_height(1)
    return out


def noted(lines: Sequence[Line]) -> Placement:
    """Lines about changes that are in no box, each with its mark."""
    marked = [(mark, clean(line)) for mark, line in lines]
    out = Placement(max((room_for(line, SMALL, bold=True) for _, line in marked), default=0), LINE * len(lines))
    out.texts = [Text(line, 0, LINE * i + LINE // 2, mark) for i, (mark, line) in enumerate(marked)]
    return out


def stacked(*drawings: Placement) -> Placement:
    """Drawings stacked vertically, centred."""
    shown = [drawing for drawing in drawings if drawing.width]
    out = Placement(max(drawing.width for drawing in shown), 0)
    for drawing in shown:
        out.include(drawing, (out.width - drawing.width) // 2, out.height)
        out.height += drawing.height + GAP
    out.height -= GAP
    return out


def _first(diff: Diff, drawer: Drawer) -> Placement:
    """The legend, the settings, and both networks as a whole."""
    whole = drawer.overview() if diff.a.step is None else drawer.pair(pairs_of(diff)[0])
    coarser: list[Line] = [("same", COARSER)] if diff.coarser else []
    return stacked(legend(), noted([*coarser, *settings_of(diff)]), whole)


def _summary(diff: Diff) -> str:
    a, b = diff.a, diff.b
    if not diff:
        return "no difference"
    if a.params is None or b.params is None or a.macs is None or b.macs is None:
        return "written differently, the same architecture" if diff.same_architecture else ""
    return cost_change((a.params, a.macs), (b.params, b.macs))


def _more(old: int, new: int, unit: str) -> str:
    """``+1.20 M parameters (+5 %)``; ``23.8 M parameters`` without a change."""
    if old == new:
        return f"{count(new)} {unit}"
    percent = 100 * (new - old) / old if old else 0.0
    digits = f"{abs(percent):.0f}" if abs(percent) >= 9.95 else f"{abs(percent):.1f}"
    share = f" ({signed(digits, new - old)} %)" if old else ""
    return f"{signed(count(abs(new - old)), new - old)} {unit}{share}".replace("-", "−")


def _facts(side: Side, input_shape: tuple[int, int, int] | None) -> Facts | None:
    if side.step is None:
        assert side.network is not None
        return facts_of_network(side.network)
    if input_shape is not None:
        return facts_of_step(side.step, input_shape, side.network)
    return facts_of_network(side.network) if side.network is not None and side.rows else None
