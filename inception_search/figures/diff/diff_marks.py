"""Marks of a comparison on a drawing tree: every box of one side is marked as added, removed, changed or the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from inception_search.compare.comparison import Comparison
from inception_search.compare.diff_entry import Entry, walk
from inception_search.compare.element import Element
from inception_search.compare.words import COMPOSITES
from inception_search.figures.annotations import shape_text
from inception_search.figures.diff.changed_words import ARROW, changed_lines, unchanged_factor
from inception_search.figures.labels import number
from inception_search.figures.network.tree import Box, Column, Fork, Group, Mark, Mesh, Note, Part, Residual, Tap
from inception_search.spec.network import PoolDefaults

_BADGES: tuple[tuple[Mark, str], ...] = (("added", "+"), ("removed", "−"), ("changed", "~"))
_BLOCK_PARTS = {"skip": "add", "project": "project", "scale": "scale", "act": "act", "stride": "skip"}
_NOTHING = ("none", 1.0)  # values of a block's fields that have no box


class Marks:
    """The marks of one side by path; ``second``: the side that also shows the old values."""

    def __init__(self, comparison: Comparison, *, second: bool) -> None:
        self.second = second
        self.comparison = comparison
        self.entries: dict[str, Entry] = {}
        self.own: dict[str, Mark] = {}
        self.counted: dict[str, Mark] = {}
        self.ends: dict[str, Entry] = {}
        for entry in walk(comparison.entries):
            for path, mark in self._of(entry):
                self.own[path] = mark
            self._note(entry)
        for entry in comparison.entries:
            if entry.a and entry.b:
                self.ends[self.side(entry)[-1].path] = entry

    def side(self, entry: Entry) -> Sequence[Element]:
        """The elements of this side."""
        return entry.b if self.second else entry.a

    def part(self, part: Part) -> Part:
        """``part`` with its marks."""
        if isinstance(part, Box):
            return self.box(part)
        if isinstance(part, Column):
            return Column(tuple(map(self.part, part.parts)))
        if isinstance(part, Fork):
            join = self.box(part.join) if part.join else None
            return replace(part, branches=tuple(map(self.part, part.branches)), join=join)
        if isinstance(part, Residual):
            return self._residual(part)
        if isinstance(part, Group):
            return self._group(part)
        if isinstance(part, Mesh):
            return replace(part, parts=tuple(map(self.part, part.parts)))
        return self._shape(part) if isinstance(part, Note) else Tap(self.part(part.side))

    def box(self, box: Box) -> Box:
        """A box with its mark; on the second side also with the old words."""
        if not box.path:
            return box
        entry = self.entries.get(box.path)
        if (entry is None or entry.kind in COMPOSITES) and self._inside(box.path):
            return self._folded(box, entry)
        entry = entry or self._around(box.path)
        mark = self.at(box.path)
        if mark != "changed" or entry is None:
            return replace(box, mark=mark)
        if unchanged_factor(box, entry):
            return replace(box, mark="same")
        if entry.kind == "input":
            return replace(box, mark=mark, lines=self._sized(box.lines, entry))
        if not self.second or (entry.kind in COMPOSITES and entry.kind != "concat"):
            return replace(box, mark=mark)
        return replace(box, mark=mark, lines=changed_lines(box, entry, self._pools()))

    def _pools(self) -> PoolDefaults:
        """The pool defaults of the first side's network."""
        network = self.comparison.a.network
        return network.pool_defaults if network else PoolDefaults()

    def at(self, path: str) -> Mark:
        """The mark of a path: its own, or that of the nearest enclosing part."""
        for place in _upwards(path):
            if place in self.own:
                return self.own[place]
        return "same"

    def _of(self, entry: Entry) -> Iterator[tuple[str, Mark]]:
        """The marks of an entry's own paths."""
        whole = self._whole(entry)
        if whole is None:
            return
        mark: Mark = entry.status if entry.status in ("added", "removed") else "changed" if entry.changes else "same"
        yield whole.path, mark
        if entry.kind != "block" or entry.status in ("added", "removed"):
            return
        yield whole.path, "same"
        for change in entry.changes:
            here, there = (change.new, change.old) if self.second else (change.old, change.new)
            if here not in _NOTHING:
                alone: Mark = "added" if self.second else "removed"
                yield f"{whole.path}.{_BLOCK_PARTS[change.field]}", alone if there in _NOTHING else "changed"

    def _note(self, entry: Entry) -> None:
        whole = self._whole(entry)
        if whole is None:
            return
        self.entries[whole.path] = entry
        if entry.kind not in ("branch", "repeat") and self.own[whole.path] != "same" and not entry.inside:
            self.counted[whole.path] = self.own[whole.path]
        elif entry.kind not in ("branch", "aux") and (entry.changes or entry.around):
            self.counted[whole.path] = entry.status if entry.around else "changed"

    def _whole(self, entry: Entry) -> Element | None:
        """The single element of this side in an entry; None for a run matched with something else."""
        side = self.side(entry)
        return side[0] if len(side) == 1 and side[0].kind == entry.kind else None

    def _inside(self, path: str) -> bool:
        return any(place.startswith(f"{path}.") for place in self.entries)

    def _around(self, path: str) -> Entry | None:
        return next((self.entries[place] for place in _upwards(path) if place in self.entries), None)

    def _folded(self, box: Box, entry: Entry | None) -> Box:
        """A box for a whole stage, with the numbers of parts added, removed and changed inside."""
        inside = [self.at(place) for place in self.entries if place.startswith(f"{box.path}.")]
        alone: Mark = "added" if self.second else "removed"
        if all(mark == alone for mark in inside):
            return replace(box, mark=alone)
        first = f"{box.path}.0." if entry and entry.kind == "repeat" else f"{box.path}."  # only the first copy counts
        counts = Counter(mark for place, mark in self.counted.items() if f"{place}.".startswith(first))
        if not counts and not _times(entry):
            return replace(box, mark="same")
        times = _times(entry) if self.second else ""
        lines = (box.lines[0].replace(times.split(ARROW)[-1], times, 1), *box.lines[1:]) if times else box.lines
        signs = "  ".join(f"{sign}{counts[mark]}" for mark, sign in _BADGES if counts[mark])
        return replace(box, mark="changed", lines=(*lines, signs) if signs else lines)

    def _sized(self, lines: tuple[str, ...], entry: Entry) -> tuple[str, ...]:
        """The lines of the input's box, with its old size."""
        delta = self.comparison.delta(entry)
        old = delta.types[0] if delta else None
        return lines if old is None or not self.second else (lines[0], shape_text(old) + ARROW + lines[1])

    def _residual(self, part: Residual) -> Part:
        mark = self.at(part.path)
        body, block = self.part(part.body), self._around(part.path)
        scale = next((change for change in block.changes if change.field == "scale"), None) if block else None
        if scale is None or not isinstance(body, Column) or not isinstance(body.parts[-1], Note):
            return Residual(body, part.path, mark)
        words = [f"×{number(float(value))}" for value in (scale.old, scale.new) if isinstance(value, float)]
        note = Note(ARROW.join(words) if self.second else words[0], mark="changed")
        return Residual(Column((*body.parts[:-1], note)), part.path, mark)

    def _group(self, part: Group) -> Part:
        entry = self.entries.get(part.path)
        mark = self.at(part.path) if entry and entry.kind == "repeat" else ""
        times = _times(entry) if self.second else ""
        label = part.label.replace(times.split(ARROW)[-1], times, 1) if times else part.label
        return Group(self.part(part.body), label, part.path, "" if mark == "same" else mark)

    def _shape(self, note: Note) -> Note:
        """A size beside a wire, with the old size if it changed."""
        if not note.path:
            return note
        ends = [entry for place, entry in self.ends.items() if f"{place}.".startswith(f"{note.path}.")]
        delta = self.comparison.delta(ends[-1]) if ends else None
        old, new = delta.types if delta else (None, None)
        if old is None or new is None or old == new or shape_text(new if self.second else old) != note.text:
            return note
        text = shape_text(old) + ARROW + note.text if self.second else note.text
        return replace(note, text=text, mark="changed")


def _times(entry: Entry | None) -> str:
    """``4 → 7 ×`` if the number of repetitions changed."""
    found = [change for change in entry.changes if change.field == "times"] if entry and entry.kind == "repeat" else []
    return f"{found[0].old}{ARROW}{found[0].new} ×" if found else ""


def _upwards(path: str) -> Iterator[str]:
    """``path`` and the paths of all enclosing parts, the innermost first."""
    while path:
        yield path
        path = path.rpartition(".")[0]
