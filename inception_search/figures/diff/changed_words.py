"""The words in a box whose step changed: ``3×3 → 5×5 conv``, ``64 → 96, stride 2 → 1``."""

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
LONGEST = 30  # letters of a line before the rest goes on the next one
# What a box says nothing of, in the words it would have.
_UNSAID = {"stride": "1", "dilation": "1", "groups": "1", "padding": "same", "follow": "as elsewhere"}
_PADDING = re.compile(r"V|pad .*|ceil")  # what a window does at the edge of the map
_WORD = re.compile(r"[a-z]+ ")


def changed_lines(box: Box, entry: Entry, pools: PoolDefaults) -> tuple[str, ...]:
    """The lines of ``box``, on the second side, with what they were before; ``pools``: the first side's defaults."""
    if entry.kind == "concat":
        return (*box.lines, *(f"branches {shown(change.new)}" for change in entry.changes))
    old = _before(box, entry, pools)
    lines = merged(old, box.lines) if old else _replaced(box.lines, entry)
    if any(ARROW in line or line.startswith("was ") for line in lines) or not entry.changes:
        return lines
    return (*lines, changed(entry.changes))


def unchanged_factor(box: Box, entry: Entry) -> bool:
    """Whether ``box`` is a factor of a convolution that changed, and the same factor of the other side is alike."""
    sides = [side[0] for side in (entry.a, entry.b) if len(side) == 1 and isinstance(side[0].step, Conv)]
    if entry.kind != "conv" or len(sides) != 2 or _factor_of(sides[0]) != _factor_of(sides[1]):
        return False
    name = box.path.rpartition(".")[2]
    old, new = (dict(factors(side.step)).get(name) for side in sides if isinstance(side.step, Conv))
    return old is not None and old == new


def merged(old: Sequence[str], new: Sequence[str]) -> tuple[str, ...]:
    """The lines of a box with those it had: what is not alike stands twice, with an arrow between."""
    first = _between(old[0], new[0])
    before, after = (_facts(lines[1:]) for lines in (old, new))
    facts = []
    for key in (*after, *(key for key in before if key not in after)):
        was, now = before.get(key), after.get(key)
        facts.append(now if was == now and now else _turned(key, was, now))
    return (first, *_lines(facts))


def _before(box: Box, entry: Entry, pools: PoolDefaults) -> tuple[str, ...]:
    """What the box of the first side says, where there is just one that ``box`` stands for."""
    if len(entry.a) != 1 or entry.a[0].step is None or not entry.b:
        return ()
    step = _factor(entry.a[0].step, box.path.removeprefix(entry.b[0].path).removeprefix("."))
    return labelled(with_defaults(step, pools)).lines if isinstance(step, Single) else ()


def _factor(step: AnyStep, name: str) -> AnyStep | None:
    """The factor of that name of a factorised convolution; a plain step is its own."""
    if not isinstance(step, Conv):
        return step
    found = dict(factors(step)) or {"": step}
    return found.get(name)


def _replaced(lines: tuple[str, ...], entry: Entry) -> tuple[str, ...]:
    """``lines`` with the values that changed in them; for a layer of a head, and another factor."""
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
    """The factor of a factorised convolution."""
    step = element.step
    return step.factor if isinstance(step, Conv) else None


def _between(old: str, new: str) -> str:
    """``3×3 → 5×5 conv``: two lines of as many words, the words that differ twice."""
    before, after = old.split(), new.split()
    if len(before) != len(after):
        return old + ARROW + new
    pairs = zip(before, after, strict=True)
    return " ".join(now if was == now else was + ARROW + now for was, now in pairs)


def _facts(lines: Sequence[str]) -> dict[str, str]:
    """The facts of a box by what they are about."""
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
    """``stride 2 → 1``: the word that both have only once."""
    word = key if key in ("stride", "dilation", "groups") else ""
    old, new = ((text or _UNSAID.get(key, "none")).removeprefix(word).strip() for text in (was, now))
    return f"{word} {old}{ARROW}{new}".strip()


def _lines(facts: Sequence[str]) -> list[str]:
    """The facts on as few lines as hold them."""
    lines: list[str] = []
    for fact in facts:
        if lines and len(lines[-1]) + len(fact) + 2 <= LONGEST:
            lines[-1] = f"{lines[-1]}, {fact}"
        else:
            lines.append(fact)
    return lines
