"""Edits in the language of the documents: ``mixed_5b branch 2: 5x5 64 -> 3x3 64, 3x3 64 (factorise)``."""

from __future__ import annotations

from typing import Any

from inception_search.spec.base_model import SpecModel
from inception_search.spec.documents.to_yaml import short
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Repeat

COUNTED = {"branches": "branch", "nodes": "node", "inputs": "input"}


def change(before: Any, after: Any) -> str:
    """The change from ``before`` to ``after``, without unchanged parts."""
    if before is None or after is None:
        return _stage_or_value(before, after)
    if isinstance(before, Block | Repeat) and type(before) is type(after) and before.body == after.body:
        return ", ".join(f"{name} {words(old)} -> {words(new)}" for name, old, new in _fields(before, after))
    for block, inside, sign in ((after, before, "+"), (before, after, "-")):
        if isinstance(block, Block) and block.body == inside:
            return f"{sign} block {_inline({k: v for k, v in block.to_dict().items() if k not in ('kind', 'body')})}"
    if isinstance(before, Chain) or isinstance(after, Chain):
        return _trimmed(_steps(before), _steps(after))
    if isinstance(before, Concat) and isinstance(after, Concat):
        return _trimmed(before.branches, after.branches, "branch ")
    if isinstance(before, dict) and "stages" in before:
        return "another"
    return f"{words(before)} -> {words(after)}"


def _stage_or_value(before: Any, after: Any) -> str:
    """The text for a stage that is added or removed, or for a field without a value on one side."""
    if isinstance(before, SpecModel) or isinstance(after, SpecModel):
        return f"- stage {words(before)}" if after is None else f"+ stage {words(after)}"
    return f"{words(before)} -> {words(after)}"


def _fields(before: SpecModel, after: SpecModel) -> list[tuple[str, Any, Any]]:
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in type(before).model_fields)
    return [(name, old, new) for name, old, new in pairs if old != new]


def _trimmed(was: tuple[AnyStep, ...], now: tuple[AnyStep, ...], what: str = "") -> str:
    """The change from ``was`` to ``now`` without equal steps at both ends."""
    start = _alike(was, now)
    end = _alike(was[start:][::-1], now[start:][::-1])
    old = ", ".join(map(words, was[start : len(was) - end]))
    new = ", ".join(map(words, now[start : len(now) - end]))
    return f"{old} -> {new}" if old and new else f"+ {what}{new}" if new else f"- {what}{old}"


def place_in_words(place: str) -> str:
    """A place in words: ``mixed_5b branch 2 step 1`` for ``stages.mixed_5b.branches.1.0``."""
    section, *parts = place.split(".")
    labels = [] if section == "stages" else [section.removesuffix("s")] if section == "blocks" else [section]
    counted = None
    for part in parts:
        if part in COUNTED:
            counted = COUNTED[part]
        elif part.isdecimal():
            labels.append(f"{counted or 'step'} {int(part) + 1}")
            counted = None
        elif part not in ("body", "step"):
            labels.append(part)
    return " ".join(labels)


def words(value: Any) -> str:
    """A step or a value of a field on one line."""
    return _inline(short(value) if isinstance(value, SpecModel) else value)  # type: ignore[arg-type]


def _inline(data: Any) -> str:
    if isinstance(data, list | tuple):
        return f"[{', '.join(map(_inline, data))}]"
    if isinstance(data, dict):
        return "{" + ", ".join(f"{name}: {_inline(item)}" for name, item in data.items()) + "}"
    if data is None or isinstance(data, bool):
        return {None: "none", True: "true", False: "false"}[data]
    return str(data)


def _steps(step: AnyStep) -> tuple[AnyStep, ...]:
    return step.steps if isinstance(step, Chain) else (step,)


def _alike(one: tuple[AnyStep, ...], other: tuple[AnyStep, ...]) -> int:
    """The number of equal items at the beginning."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
