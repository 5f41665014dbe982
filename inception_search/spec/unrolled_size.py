"""The size of a network after unrolling repeats and block uses, checked before anything is unrolled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, get_args

from inception_search.errors import did_you_mean
from inception_search.spec.base_model import Activation, SpecModel
from inception_search.spec.limits import MAX_STEP_DEPTH, MAX_UNROLLED_STEPS
from inception_search.spec.source_map import KeyPath, RuleError
from inception_search.spec.step import KINDS, AnyStep, Block, Chain, Concat, Dag, Repeat, Use, children

Sections: TypeAlias = Sequence[tuple[KeyPath, AnyStep]]
Blocks: TypeAlias = Mapping[str, AnyStep]
Size: TypeAlias = tuple[int, int]  # primitive steps, levels of nested steps


def check_step_size(step: AnyStep) -> None:
    """Raise :class:`RuleError` if ``step`` is too large or too deep when unrolled; a used block counts as one step."""
    _within_limit(_written_out(step, (), None, {})[0])


def check_size(sections: Sections, blocks: Blocks) -> None:
    """Check that every use names a block, no block contains itself, and the unrolled stages are not too large.

    ``sections`` are the outermost steps of a network with their places. Raises :class:`RuleError`.
    """
    if _surely_fits(sections, blocks):  # nearly always; the slower walk below finds the mistake and its place
        return
    known: dict[str, Size] = {}
    total = 0
    for place, step in sections:
        count, _ = _written_out(step, place, blocks, known)
        _within_limit(count, *place)
        total += count if place[0] == "stages" else 0
    _within_limit(total)


def _surely_fits(sections: Sections, blocks: Blocks) -> bool:
    """Whether a quick walk finds nothing wrong; a search runs it for every candidate."""
    known: dict[str, Size] = {}
    try:
        sizes = [_quick_size(step, blocks, known) for _, step in sections]
    except (KeyError, RecursionError):  # an unknown block, or one that contains itself
        return False
    total = sum(count for count, _ in sizes)
    return total <= MAX_UNROLLED_STEPS and max(levels for _, levels in sizes) <= MAX_STEP_DEPTH


def _quick_size(step: AnyStep, blocks: Blocks, known: dict[str, Size]) -> Size:
    """The unrolled steps and levels of ``step``; KeyError for an unknown block, RecursionError for a circle."""
    rule = SIZES.get(type(step))
    return rule(step, blocks, known) if rule else (1, 1)


def _quick_sum(parts: tuple[AnyStep, ...], blocks: Blocks, known: dict[str, Size]) -> Size:
    count, levels = 0, 1
    for part in parts:
        rule = SIZES.get(type(part))
        if rule is None:
            count += 1
        else:
            more, deep = rule(part, blocks, known)
            count, levels = count + more, max(levels, deep)
    return count, levels + 1


def _quick_repeat(step: Repeat, blocks: Blocks, known: dict[str, Size]) -> Size:
    count, levels = _quick_size(step.body, blocks, known)
    return count * step.times, levels + 1


def _quick_use(step: Use, blocks: Blocks, known: dict[str, Size]) -> Size:
    if step.name not in known:
        known[step.name] = _quick_size(blocks[step.name], blocks, known)
    count, levels = known[step.name]
    return count, levels + 1


# Other kinds count as one step.
SIZES: dict[type[SpecModel], Callable[[Any, Blocks, dict[str, Size]], Size]] = {
    Chain: lambda step, blocks, known: _quick_sum(step.steps, blocks, known),
    Concat: lambda step, blocks, known: _quick_sum(step.branches, blocks, known),
    Block: lambda step, blocks, known: _quick_sum((step.body,), blocks, known),
    Repeat: _quick_repeat,
    Dag: lambda step, blocks, known: _quick_sum(tuple(part for _, part in children(step)), blocks, known),
    Use: _quick_use,
}


def _within_limit(count: int, *place: str | int) -> None:
    if count > MAX_UNROLLED_STEPS:
        raise RuleError(f"{count} steps when written out, more than the limit of {MAX_UNROLLED_STEPS}", *place)


def _written_out(
    step: AnyStep,
    place: KeyPath,
    blocks: Blocks | None,
    known: dict[str, Size],
    inside: tuple[str, ...] = (),
    depth: int = 1,
) -> Size:
    """The number of primitive steps and of levels in ``step`` after unrolling repeats and uses."""
    count, levels = 1, 0
    if depth > MAX_STEP_DEPTH:
        raise _too_deep(place)
    if isinstance(step, Use) and blocks is not None:
        if step.name not in known:
            block = _block(step.name, place, blocks, inside)
            names = (*inside, step.name)
            known[step.name] = _written_out(block, ("blocks", step.name), blocks, known, names, depth + 1)
        count, levels = known[step.name]
    elif parts := children(step):
        sizes = [_written_out(part, (*place, *at), blocks, known, inside, depth + 1) for at, part in parts]
        times = step.times if isinstance(step, Repeat) else 1
        count, levels = times * sum(size for size, _ in sizes), max(deep for _, deep in sizes)
    if depth + levels > MAX_STEP_DEPTH:
        raise _too_deep(place)
    return count, levels + 1


def _too_deep(place: KeyPath) -> RuleError:
    return RuleError(f"steps are nested more than {MAX_STEP_DEPTH} deep once blocks are written out", *place)


def _block(name: str, place: KeyPath, blocks: Blocks, inside: tuple[str, ...]) -> AnyStep:
    """The block ``name``, used at ``place`` inside the blocks ``inside``."""
    if name in inside:
        raise RuleError(f"block {name!r} contains itself: {' -> '.join((*inside, name))}", *place)
    if name not in blocks:
        words = (*blocks, *KINDS, *(word for word in get_args(Activation) if word != "none"))
        hint = did_you_mean(name, words) or f"blocks: {', '.join(blocks) or 'none'}"
        raise RuleError(f"unknown block {name!r}; {hint}", *place)
    return blocks[name]
