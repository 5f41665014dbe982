"""Entries in words: the steps, and their changes."""

from __future__ import annotations

from collections.abc import Sequence

from inception_search.compare.diff_entry import Entry
from inception_search.compare.edit_costs import Change
from inception_search.compare.element import Element, Value

SIGNS = {"same": " ", "changed": "~", "removed": "-", "added": "+"}
LONGEST = 44  # characters up to which the old and the new words are both shown
_FIELDS = {"order": "order of the branches", "then": "followed by", "after": "after stage"}
COMPOSITES = ("concat", "block", "repeat", "branch", "aux")


def entry_words(entry: Entry) -> str:
    """The words of an entry's step, preceded by the old words where they changed."""
    if entry.around:
        return _around(entry)
    side = entry.b or entry.a
    words = _joined(side)
    if entry.kind == "concat" and len(entry.a) == len(entry.b) == 1 and entry.a[0].words != words:
        words = f"{len(entry.a[0].inside)} → {words}"
    if not entry.changes:
        return words
    if entry.kind == "repeat":
        return f"{_times(entry.changes[0])} x {_name(entry)}".rstrip()
    old = _joined(entry.a)
    if entry.kind not in COMPOSITES and old != words and len(old) + len(words) <= LONGEST and _short(entry):
        return f"{old} → {words}"
    return f"{words}: {changed(entry.changes)}"


def changed(changes: Sequence[Change]) -> str:
    """``width 64 → 96, stride 2 → 1``."""
    listed = (change for change in changes if not _follows(change, changes))
    return ", ".join(
        f"{_FIELDS.get(change.field, change.field)} {shown(change.old)} → {shown(change.new)}" for change in listed
    )


def shown(value: Value) -> str:
    """A value in its display form."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return (" " if all(isinstance(part, int) for part in value) else ", ").join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def place(entry: Entry) -> str:
    """The path of an entry, or both paths where they differ."""
    old, new = paths(entry.a), paths(entry.b)
    return old or new if old == new or not old or not new else f"{old} → {new}"


def paths(side: Sequence[Element]) -> str:
    """The path of one element, or from the first to the last of several."""
    if len(side) < 2:
        return side[0].path if side else ""
    return f"{side[0].path} … {side[-1].path}"


def _around(entry: Entry) -> str:
    """``residual, scale 0.1 around 4 branches``."""
    sides = (entry.b, entry.a) if entry.status == "added" else (entry.a, entry.b)
    words = sides[0][0].words
    return words if entry.kind == "branch" else f"{words} around {_cut(_joined(sides[1]))}"


def _cut(words: str) -> str:
    return words if len(words) <= LONGEST else words[: LONGEST - 1].rstrip() + "…"


def _short(entry: Entry) -> bool:
    """Whether the words show every change: they are the document's short form, which includes every field."""
    return not any("{" in part.words for part in (*entry.a, *entry.b)) and all(
        change.field not in ("count_pad", "ceil") for change in entry.changes
    )


def _follows(change: Change, changes: Sequence[Change]) -> bool:
    """Whether a change only follows from another one: the width between factors that no longer exist."""
    return change.field == "mid" and any(other.field == "factor" and other.new == "none" for other in changes)


def _joined(side: Sequence[Element]) -> str:
    words = [part.words for part in side]
    if len(set(words)) == 1 and len(words) > 1:
        return f"{len(words)} times {words[0]}"
    return ", ".join(words)


def _times(change: Change) -> str:
    return f"{change.old} → {change.new}"


def _name(entry: Entry) -> str:
    """The block that a repeat repeats, if it has a name."""
    whole = next(part for part in (*entry.b, *entry.a) if part.kind == "repeat")
    return whole.words.partition(" x ")[2]
