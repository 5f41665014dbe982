"""Entries in words: what stands at a place, and what of it changed."""

from __future__ import annotations

from collections.abc import Sequence

from inception_search.compare.diff_entry import Entry
from inception_search.compare.edit_costs import Change
from inception_search.compare.element import Element, Value

SIGNS = {"same": " ", "changed": "~", "removed": "-", "added": "+"}
LONGEST = 44  # letters of words that are said twice, before and after
_FIELDS = {"order": "order of the branches", "then": "followed by", "after": "after stage"}
COMPOSITES = ("concat", "block", "repeat", "branch", "aux")


def said(entry: Entry) -> str:
    """What an entry says: the words of the step, and before them, where they changed, those that it had."""
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
    told = (change for change in changes if not _follows(change, changes))
    return ", ".join(
        f"{_FIELDS.get(change.field, change.field)} {shown(change.old)} → {shown(change.new)}" for change in told
    )


def shown(value: Value) -> str:
    """A value as people write it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return (" " if all(isinstance(part, int) for part in value) else ", ").join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def place(entry: Entry) -> str:
    """Where an entry is: the path, or both where they are not alike."""
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
    """Whether the words tell all that changed: they are the document's short form, which says every field."""
    return not any("{" in part.words for part in (*entry.a, *entry.b)) and all(
        change.field not in ("count_pad", "ceil") for change in entry.changes
    )


def _follows(change: Change, changes: Sequence[Change]) -> bool:
    """Whether a change is only that of another: the width between factors that there were none of."""
    return change.field == "mid" and any(other.field == "factor" and other.new == "none" for other in changes)


def _joined(side: Sequence[Element]) -> str:
    words = [part.words for part in side]
    if len(set(words)) == 1 and len(words) > 1:
        return f"{len(words)} times {words[0]}"
    return ", ".join(words)


def _times(change: Change) -> str:
    return f"{change.old} → {change.new}"


def _name(entry: Entry) -> str:
    """The block that a repeat repeats, where it has a name."""
    whole = next(part for part in (*entry.b, *entry.a) if part.kind == "repeat")
    return whole.words.partition(" x ")[2]
