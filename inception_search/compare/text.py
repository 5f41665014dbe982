"""A comparison as text: a tree of lines with ``+``, ``-`` and ``~``, folded unchanged stretches, and the totals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from inception_search.compare.comparison import COARSER, Comparison, Delta
from inception_search.compare.diff_entry import Entry, Status
from inception_search.compare.side import Side
from inception_search.compare.words import SIGNS, entry_words, place

WIDEST = 90  # characters of the tree before the columns of numbers
HEADS = ("", "parameters", "MACs", "output")


class Line(NamedTuple):
    """A line of the tree with its change in parameters and MACs, and its output shape."""

    status: Status
    words: str
    params: str = ""
    macs: str = ""
    shape: str = ""


def text_of(comparison: Comparison) -> str:
    """The whole comparison as lines, without colours."""
    return "\n".join(line for _, line in printed(comparison)) + "\n"


def printed(comparison: Comparison) -> Iterator[tuple[Status, str]]:
    """The lines to print, each with the status that decides its colour."""
    a, b = comparison.a, comparison.b
    yield "removed", f"--- {plain(a.name)}"
    yield "added", f"+++ {plain(b.name)}"
    yield "same", ""
    if comparison.coarser:
        yield "same", COARSER
    lines = list(_lines(comparison, comparison.entries, 0, named=True)) if comparison else []
    yield from _table(lines)
    yield from (("same", line) for line in _ending(comparison))


def plain(words: str) -> str:
    """``words`` on one line, without terminal control characters."""
    return "".join(letter for letter in " ".join(words.split()) if letter.isprintable())


def _lines(comparison: Comparison, entries: Sequence[Entry], depth: int, *, named: bool = False) -> Iterator[Line]:
    """The lines of entries in series; ``named``: with paths, and an entry equal to an earlier one only refers to it."""
    folded: list[Entry] = []
    shown: dict[tuple[tuple[int, ...], ...], str] = {}
    for entry in entries:
        if entry.status == "same":
            folded.append(entry)
            continue
        yield from _fold(comparison, folded, depth)
        folded = []
        content = tuple(tuple(element.key for element in side) for side in (entry.a, entry.b))
        if named and entry.inside and content in shown:
            yield _line(entry.status, depth, f"{place(entry)}: as {shown[content]}", comparison.delta(entry))
            continue
        shown[content] = place(entry)
        yield from _entry(comparison, entry, depth, named)
    yield from _fold(comparison, folded, depth)


def _entry(comparison: Comparison, entry: Entry, depth: int, named: bool) -> Iterator[Line]:
    delta = comparison.delta(entry)
    where = f"{place(entry)}: " if named and place(entry) != entry_words(entry).partition(":")[0] else ""
    if entry.kind == "branch" and len(entry.inside) == 1 and not entry.inside[0].inside:
        where, entry = f"{entry_words(entry)}: ", entry.inside[0]
    yield _line(entry.status, depth, where + entry_words(entry), delta)
    copies = entry.kind == "repeat" and len(entry.inside) > 1 and len(entry.a) != len(entry.b)
    yield from _lines(comparison, entry.inside, depth + 1, named=copies)


def _fold(comparison: Comparison, entries: Sequence[Entry], depth: int) -> Iterator[Line]:
    """One line for an unchanged stretch; its costs may change with its input."""
    seen = [entry for entry in entries if entry.kind not in _SILENT]
    if not seen:
        return
    deltas = [delta for delta in map(comparison.delta, seen) if delta is not None]
    params, macs = sum(d.more_params for d in deltas), sum(d.more_macs for d in deltas)
    yield Line("same", _indented("same", depth, f"… {len(seen)} unchanged"), _more(params), _more(macs))


def _line(status: Status, depth: int, words: str, delta: Delta | None) -> Line:
    words = _indented(status, depth, words)
    if delta is None:
        return Line(status, words)
    old, new = delta.types
    shape = f"{old} → {new}" if old is not None and new is not None and old != new else ""
    return Line(status, words, _more(delta.more_params), _more(delta.more_macs), shape)


def _indented(status: Status, depth: int, words: str) -> str:
    return f"{SIGNS[status]} {'  ' * depth}{words}"


def _table(lines: Sequence[Line]) -> Iterator[tuple[Status, str]]:
    """The lines with their columns; a line wider than its column pushes the numbers to the right."""
    if not lines:
        return
    numbers = any(line.params or line.macs or line.shape for line in lines)
    if not numbers:
        yield from ((line.status, line.words.rstrip()) for line in lines)
        return
    wide = min(WIDEST, max(len(line.words) for line in lines))
    sizes = [max(len(head), *(len(line[i + 1]) for line in lines)) for i, head in enumerate(HEADS) if i in (1, 2)]
    for line in (Line("same", *HEADS), *lines):
        cells = [line.words.ljust(wide), line.params.rjust(sizes[0]), line.macs.rjust(sizes[1]), line.shape]
        yield line.status, "  ".join(cells).rstrip()


def _ending(comparison: Comparison) -> Iterator[str]:
    a, b = comparison.a, comparison.b
    if not comparison:
        yield "no difference" + (", but in names or in the way it is written" if _otherwise_written(a, b) else "")
    elif comparison.same_architecture:
        yield f"\nwritten differently, but the same architecture: {a.arch_id()}"
    else:
        counts = comparison.counts()
        yield "\n" + ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    for name, old, new in (("parameters", a.params, b.params), ("MACs", a.macs, b.macs)):
        if old is not None and new is not None:
            yield f"{name:<10} {total(old, new)}"


def _otherwise_written(a: Side, b: Side) -> bool:
    """Whether two networks without a difference are different documents."""
    if a.network is None or b.network is None or a.step is not None:
        return a.step != b.step
    return any(getattr(a.network, field) != getattr(b.network, field) for field in ("blocks", "stages", "aux"))


def total(old: int, new: int) -> str:
    """``23,834,568 → 42,679,816 (+18,845,248, +79.1 %)``."""
    if old == new:
        return f"{old:,}"
    percent = f", {signed(f'{abs(100 * (new - old) / old):.1f}', new - old)} %" if old else ""
    return f"{old:,} → {new:,} ({signed(f'{abs(new - old):,}', new - old)}{percent})"


def signed(digits: str, value: int) -> str:
    """``digits`` with the sign of ``value``."""
    return f"{'+' if value > 0 else '-' if value < 0 else ''}{digits}"


def _more(value: int) -> str:
    return signed(f"{abs(value):,}", value) if value else ""


_SILENT = ("preprocess", "recipe", "conv_defaults", "pool_defaults", "same_padding", "branch")
