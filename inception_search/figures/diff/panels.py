"""The pairs of modules that a comparison draws next to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from inception_search.compare.comparison import Comparison
from inception_search.compare.diff_entry import Entry
from inception_search.compare.element import Element
from inception_search.compare.side import Side
from inception_search.figures.annotations import Facts, shape_text
from inception_search.figures.diff.diff_marks import Marks
from inception_search.figures.diff.side_by_side import side_by_side
from inception_search.figures.network.measure import Room
from inception_search.figures.network.module import ModuleTree
from inception_search.figures.network.overview import NetworkTree, opens
from inception_search.figures.network.place import Placement
from inception_search.figures.network.tree import Box, Note, Part, column
from inception_search.spec.step import Chain, Use

COMPOSITES = ("concat", "block", "dag")


@dataclass
class Pair:
    """Matched modules, each a series of elements, and the entries inside them.

    ``counted`` are the entries whose costs the pair sums up, over all its occurrences.
    """

    a: Sequence[Element]
    b: Sequence[Element]
    entries: Sequence[Entry]
    counted: list[Entry] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)

    @property
    def content(self) -> tuple[tuple[int, ...], ...]:
        """A key that is equal for pairs that look the same."""
        return tuple(tuple(element.key for element in side) for side in (self.a, self.b))

    @property
    def stages(self) -> set[str]:
        """The stages of the second network that contain the pair (of the first network if the second has none)."""
        return {element.path.partition(".")[0] for element in (self.b or self.a)}

    def title(self) -> str:
        """``mixed_6c, mixed_6d → inception_b``."""
        sides = [list(dict.fromkeys(pair[k] for pair in self.names if pair[k])) for k in (0, 1)]
        old, new = (", ".join(side) for side in sides)
        if not old or not new:
            return f"{old or new}: {'added' if new else 'removed'}"
        return old if old == new else f"{old} → {new}"


def pairs_of(comparison: Comparison) -> list[Pair]:
    """Every pair of changed modules, and every module that was added or removed, once each."""
    if comparison.a.step is not None:
        entries = [entry for entry in comparison.entries if not _is_setting(entry)]
        pair = _pair(entries, entries)
        pair.names = [(comparison.a.name, comparison.b.name)]
        return [pair]
    found: dict[tuple[tuple[int, ...], ...], Pair] = {}
    for pair in _all(comparison):
        known = found.setdefault(pair.content, pair)
        if known is not pair:
            known.counted += pair.counted
            known.names += pair.names
    return list(found.values())


class Drawer:
    """Draws both sides of a comparison with marks."""

    def __init__(
        self,
        comparison: Comparison,
        facts: tuple[Facts | None, Facts | None],
        change: Callable[[Part], Part] | None = None,
        room: Room | None = None,
    ) -> None:
        self.comparison = comparison
        self.facts = facts
        self.change, self.room = change, room
        self.subjects = (comparison.a, comparison.b)
        self.marks = Marks(comparison, second=False), Marks(comparison, second=True)

    def within(self, change: Callable[[Part], Part], room: Room) -> Drawer:
        """A drawer that first changes every part (wraps its words) and then lays it out in ``room``."""
        return Drawer(self.comparison, self.facts, change, room)

    def overview(self) -> Placement:
        """Both networks with one box per stage."""
        left, right = self._network(0), self._network(1)
        names = (self.comparison.a.name, self.comparison.b.name)
        entries = [entry for entry in self.comparison.entries if entry.kind != "aux"]
        return self._beside(left, right, entries, names)

    def pair(self, pair: Pair) -> Placement:
        """Two modules."""
        left, right = self._series(0, pair.a, pair), self._series(1, pair.b, pair)
        return self._beside(left, right, pair.entries, pair.names[0])

    def _beside(self, left: Part, right: Part, entries: Sequence[Entry], names: tuple[str, str]) -> Placement:
        if self.change is not None:
            left, right = self.change(left), self.change(right)
        return side_by_side(left, right, entries, names, self.room)

    def _network(self, side: int) -> Part:
        network, facts = self.subjects[side].network, self.facts[side]
        assert network is not None
        assert facts is not None
        return self.marks[side].part(NetworkTree(network, facts, folded=True).part())

    def _series(self, side: int, elements: Sequence[Element], pair: Pair) -> Part:
        """Elements in series between their input and output."""
        if not elements:
            return Note("not there")
        subject, facts = self.subjects[side], self.facts[side]
        if elements[0].kind == "aux":
            network = subject.network
            assert network is not None
            assert facts is not None
            return self.marks[side].part(NetworkTree(network, facts, folded=False).side(elements[0].name))
        network = subject.network
        tree = ModuleTree(network.blocks, facts, pools=network.pool_defaults) if network else ModuleTree({}, facts)
        steps = [tree.step(element.step, element.path) for element in elements if element.step is not None]
        read, made = self._types(side, elements), self._types(1 - side, pair.b if side == 0 else pair.a)
        ends = [
            self._end(word, mine, other, side)
            for word, mine, other in zip(("Input", "Output"), read, made, strict=True)
        ]
        return column(ends[0], self.marks[side].part(column(*steps)), ends[1])

    def _types(self, side: int, elements: Sequence[Element]) -> tuple[str, str]:
        """The input and output shapes of a series; empty if unknown."""
        facts = self.facts[side]
        if facts is None or not elements:
            return "", ""
        read, made = facts.read_by(elements[0].path), facts.get(elements[-1].path)
        return shape_text(read) if read else "", made.shape if made else ""

    def _end(self, word: str, mine: str, other: str, side: int) -> Box:
        if not mine:
            return Box((word,), "input", slim=True)
        shape = f"{other} → {mine}" if side == 1 and other and other != mine else mine
        return Box((word, shape), "input", f"{word.lower()} {mine}", slim=True)


def _is_setting(entry: Entry) -> bool:
    return entry.kind in ("preprocess", "recipe", "conv_defaults", "pool_defaults", "same_padding", "input")


def _all(comparison: Comparison) -> Iterator[Pair]:
    """Every pair of modules that differ, in order."""
    for unit in _units(comparison.entries):
        if all(entry.status == "same" for entry in unit):
            continue
        if len(unit) == 1 and unit[0].kind == "repeat":
            yield from _of_repeat(unit[0])
        elif len(unit) > 1 or unit[0].kind in COMPOSITES:
            pair = _pair(unit, unit)
            if _hidden(comparison.a, pair.a) or _hidden(comparison.b, pair.b):
                yield pair
    for entry in comparison.entries:
        if entry.kind == "aux" and entry.status == "changed":
            pair = _pair([entry], [entry])
            pair.names = [(f"aux.{entry.a[0].name}", f"aux.{entry.b[0].name}")]
            yield pair


def _of_repeat(entry: Entry) -> Iterator[Pair]:
    """The body of a repeat, compared with the other repeat's body or with each of the unrolled modules."""
    if entry.status in ("added", "removed") or len(entry.a) == len(entry.b) == 1:
        yield _pair(entry.inside, [entry])
        return
    for inner in entry.inside:
        if inner.status != "same" and inner.kind in COMPOSITES:
            yield _pair([inner], [inner])


def _pair(entries: Sequence[Entry], counted: list[Entry]) -> Pair:
    a = [element for entry in entries for element in entry.a]
    b = [element for entry in entries for element in entry.b]
    return Pair(a, b, entries, list(counted), [(_name(a), _name(b))])


def _name(elements: Sequence[Element]) -> str:
    """What a series is called: its block or stage, or those from the first to the last."""
    names = list(dict.fromkeys(part.name or part.stage or part.path.removesuffix(".0") for part in elements))
    return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}" if names else ""


def _units(entries: Sequence[Entry]) -> list[list[Entry]]:
    """The entries of a trunk in groups that end where a stage ends on either side."""
    units: list[list[Entry]] = []
    last = ("", "")
    for entry in entries:
        first = (entry.a[0].stage if entry.a else "", entry.b[0].stage if entry.b else "")
        if first == ("", ""):
            continue
        continues = any(stage and stage == before for stage, before in zip(first, last, strict=True))
        if not continues:
            units.append([])
        units[-1].append(entry)
        here = (entry.a[-1].stage if entry.a else "", entry.b[-1].stage if entry.b else "")
        last = (here[0] or (last[0] if continues else ""), here[1] or (last[1] if continues else ""))
    return units


def _hidden(side: Side, elements: Sequence[Element]) -> bool:
    """Whether an overview folds some of these elements into a box."""
    network = side.network
    assert network is not None
    for element in elements:
        step = network.stages[element.stage]
        while isinstance(step, Use):
            step = network.blocks[step.name]
        if element.kind in COMPOSITES or (isinstance(step, Chain) and not opens(step)):
            return True
    return False
