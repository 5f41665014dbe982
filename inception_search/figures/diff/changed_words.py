"""The words in a changed box: ``3×3 → 5×5 conv``, ``64 → 96, stride 2 → 1``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inception_search.compare.diff_entry import Entry
from inception_search.compare.element import Element
from inception_search.compare.words import changed, shown
from inception_search.figures.labels import Single, labelled, size, with_defaults
from inception_search.figures.network.tree import Box
from inception_search.spec.factorisation import factors
from inception_search.spec.network import PoolDefaults
from inception_search.spec.step import AnyStep, Conv

ARROW = " → "
LONGEST = 30  # characters per line before a line break
# Values that a box does not show, in words.
_UNSAID = {"stride": "1", "dilation": "1", "groups": "1", "padding": "same", "follow": "as elsewhere"}
_PADDING = re.compile(r"V|pad .*|ceil")  # behaviour at the edge of the feature map
_WORD = re.compile(r"[a-z]+ ")


def changed_lines(box: Box, entry: Entry, pools: PoolDefaults) -> tuple[str, ...]:
    """The lines of ``box``, on the second side, with their old values; ``pools``: the first side's defaults."""
    if entry.kind == "concat":
        return (*box.lines, *(f"branches {shown(change.new)}" for change in entry.changes))
    old = _before(box, entry, pools)
    lines = merged(old, box.lines) if old else _replaced(box.lines, entry)
    if any(ARROW in line or line.startswith("was ") for line in lines) or not entry.changes:
        return lines
    return (*lines, changed(entry.changes))


def unchanged_factor(box: Box, entry: Entry) -> bool:
    """Whether ``box`` is an unchanged factor of a convolution that changed elsewhere."""
    sides = [side[0] for side in (entry.a, entry.b) if len(side) == 1 and isinstance(side[0].step, Conv)]
    if entry.kind != "conv" or len(sides) != 2 or _factor_of(sides[0]) != _factor_of(sides[1]):
        return False
    name = box.path.rpartition(".")[2]
    old, new = (dict(factors(side.step)).get(name) for side in sides if isinstance(side.step, Conv))
    return old is not None and old == new


def merged(old: Sequence[str], new: Sequence[str]) -> tuple[str, ...]:
    """The new lines of a box merged with the old ones: differing values appear as ``old → new``."""
    first = _between(old[0], new[0])
    before, after = (_facts(lines[1:]) for lines in (old, new))
    facts = []
    for key in (*after, *(key for key in before if key not in after)):
        was, now = before.get(key), after.get(key)
        facts.append(now if was == now and now else _turned(key, was, now))
    return (first, *_lines(facts))


def _before(box: Box, entry: Entry, pools: PoolDefaults) -> tuple[str, ...]:
    """The lines of the first side's box, if exactly one box corresponds to ``box``."""
    if len(entry.a) != 1 or entry.a[0].step is None or not entry.b:
        return ()
    step = _factor(entry.a[0].step, box.path.removeprefix(entry.b[0].path).removeprefix("."))
    return labelled(with_defaults(step, pools)).lines if isinstance(step, Single) else ()


def _factor(step: AnyStep, name: str) -> AnyStep | None:
    """The factor of this name in a factorised convolution; a plain step is its own factor."""
    if not isinstance(step, Conv):
        return step
    found = dict(factors(step)) or {"": step}
    return found.get(name)


def _replaced(lines: tuple[str, ...], entry: Entry) -> tuple[str, ...]:
    """``lines`` with the changed values replaced; for layers of a head, and for another factorisation."""
    old = entry.a[0].step if len(entry.a) == 1 else None
    if isinstance(old, Conv):
        return (*lines, " ".join(("was", size(old.kernel), str(old.width), *[old.factor] * (old.factor != "none"))))
    for change in entry.changes:
        new = re.compile(rf"(?<![\w.]){re.escape(shown(change.new))}(?![\w.])")
        with_old = shown(change.old) + ARROW + shown(change.new)
        lines = tuple(_substituted(new, with_old, line) for line in lines)
    return lines


def _substituted(value: re.Pattern[str], words: str, line: str) -> str:
    found = value.search(line)
    return line[: found.start()] + words + line[found.end() :] if found else line


def _factor_of(element: Element) -> str | None:
    """The factorisation of a convolution."""
    step = element.step
    return step.factor if isinstance(step, Conv) else None


def _between(old: str, new: str) -> str:
    """``3×3 → 5×5 conv``: two lines merged word by word if they have the same number of words."""
    before, after = old.split(), new.split()
    if len(before) != len(after):
        return old + ARROW + new
    pairs = zip(before, after, strict=True)
    return " ".join(now if was == now else was + ARROW + now for was, now in pairs)


def _facts(lines: Sequence[str]) -> dict[str, str]:
    """The facts of a box by topic."""
    words = [word for line in lines for word in line.split(", ") if word]
    facts: dict[str, str] = {}
    for word in words:
        key = _about(word)
        facts[key] = f"{facts[key]}, {word}" if key in facts else word
    return facts


def _about(fact: str) -> str:
    if _PADDING.fullmatch(fact):
        return "padding"
    if fact.lstrip("×").isdigit():
        return "width"
    known = _WORD.match(fact)
    if known and known[0].strip() in ("stride", "dilation", "groups", "p"):
        return known[0].strip()
    return "channels" if fact.endswith(" channels") else "follow"


def _turned(key: str, was: str | None, now: str | None) -> str:
    """``stride 2 → 1``: a change with its common word only once."""
    word = key if key in ("stride", "dilation", "groups") else ""
    old, new = ((text or _UNSAID.get(key, "none")).removeprefix(word).strip() for text in (was, now))
    return f"{word} {old}{ARROW}{new}".strip()


def _lines(facts: Sequence[str]) -> list[str]:
    """The facts on as few lines as possible."""
    lines: list[str] = []
    for fact in facts:
        if lines and len(lines[-1]) + len(fact) + 2 <= LONGEST:
            lines[-1] = f"{lines[-1]}, {fact}"
        else:
            lines.append(fact)
    return lines
