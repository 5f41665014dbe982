"""Words for the steps of a document: names of classes and arguments, and short descriptions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from inception_search.backend.parts import camel_case
from inception_search.exports.source_layout import INDENT, WIDTH
from inception_search.spec import step as spec
from inception_search.spec.factorisation import PARALLEL, factor_widths

_MANY = {1: "", 2: "double_", 3: "triple_"}


def branch_labels(branches: Sequence[spec.AnyStep]) -> list[str]:
    """A label for each branch, by its kind: ``1x1``, ``3x3``, ``double_3x3``, ``pool``."""
    labels: list[str] = []
    for branch in branches:
        label = _label(branch)
        same = sum(1 for other in labels if re.fullmatch(rf"{label}(_\d+)?", other))
        labels.append(f"{label}_{same + 1}" if same else label)
    return labels


def roles_in_branch(branch: spec.AnyStep, label: str, path: str) -> dict[str, str]:
    """Names for the widths of a branch: ``reduce_3x3`` and ``width_3x3``, by the path of the convolution."""
    steps = branch.steps if isinstance(branch, spec.Chain) else (branch,)
    paths = [f"{path}.{index}" if isinstance(branch, spec.Chain) else path for index in range(len(steps))]
    convs = [(step, place) for step, place in zip(steps, paths, strict=True) if isinstance(step, spec.Conv)]
    roles = {}
    for index, (step, place) in enumerate(convs):
        first = index == 0 and step.kernel == (1, 1)
        roles[place] = f"{'width' if index == len(convs) - 1 else 'reduce' if first else 'mid'}_{label}"
    return roles


def in_words(step: spec.AnyStep, block: str = "") -> str:
    """A step without its widths: ``Branches 1x1 | 1x1, 3x3 | avg 3x3, 1x1, concatenated``.

    ``block`` is what the step is the body of, such as ``Residual block``. If the text is too long for the first line of
    a docstring, the branches are a paragraph of their own.
    """
    words = _words(step)
    if isinstance(step, spec.Concat):
        branches = words[1:-1]
        words = f"branches {branches}, concatenated"
        if len(f'{INDENT}"""{block} of {words}."""') > WIDTH:
            words = f"{len(step.branches)} branches, concatenated.\n\nBranches: {branches}"
    return f"{block} of {words}" if block else words[:1].upper() + words[1:]


def class_name(hints: Iterable[str], taken: set[str]) -> str:
    """A name for a class that is known as ``hints``, not in ``taken``: their common words, or the first hint."""
    hints = list(dict.fromkeys(hints))
    words = [re.findall(r"[a-z]+|\d+", hint) for hint in hints]
    common: list[str] = []
    for column in zip(*words, strict=False):
        if len(set(column)) > 1:
            break
        common.append(column[0])
    names = [_class_name("_".join(common))] if common and len(hints) > 1 else []
    names += [_class_name(hint) for hint in hints]
    return next((name for name in names if name not in taken), None) or numbered(f"{names[0]}Block", taken)


def numbered(name: str, taken: set[str]) -> str:
    """``name``, or ``nameV2`` and so on if it is in ``taken``."""
    names = (name, *(f"{name}V{count}" for count in range(2, len(taken) + 3)))
    return next(each for each in names if each not in taken)


def _class_name(hint: str) -> str:
    """``mixed_5b`` as ``Mixed5b``; a single letter says too little, so that ``a1`` is ``BlockA1``."""
    name = camel_case(hint)
    return f"Block{name}" if re.fullmatch(r"[A-Z]\d*", name) else name


def unique(names: Sequence[str]) -> list[str]:
    """``names`` with a number after repeated ones."""
    found: list[str] = []
    for name in names:
        count, made = 1, name
        while made in found:
            count += 1
            made = f"{name}_{count}"
        found.append(made)
    return found


def singular(name: str) -> str:
    """The name of one copy: ``cells_16`` is made of ``cell_16``."""
    first, *rest = name.split("_")
    return "_".join(
        [first[:-1] if len(first) > 2 and first.endswith("s") and not first.endswith("ss") else first, *rest]
    )


def _label(step: spec.AnyStep) -> str:
    steps: tuple[Any, ...] = step.steps if isinstance(step, spec.Chain) else (step,)
    if any(isinstance(part, spec.Pool | spec.AdaptivePool) for part in steps):
        return "pool"
    kernels = [part.kernel for part in steps if isinstance(part, spec.Conv | spec.Depthwise)]
    if not kernels:
        return "branch"
    largest = max(kernels, key=lambda kernel: kernel[0] * kernel[1])
    many = _MANY.get(kernels.count(largest), "deep_")
    return f"{many}{largest[0]}x{largest[1]}"


def _words(step: Any) -> str:
    if isinstance(step, spec.Chain):
        return ", ".join(_words(part) for part in step.steps)
    if isinstance(step, spec.Concat):
        return f"({' | '.join(_words(branch) for branch in step.branches)})"
    if isinstance(step, spec.Conv) and step.factor != "none":
        factors = [_words(part) for _, part, _ in factor_widths(step)]
        return f"({' | '.join(factors)})" if step.factor in PARALLEL else ", ".join(factors)
    if isinstance(step, spec.Conv):
        return f"{step.kernel[0]}x{step.kernel[1]}"
    if isinstance(step, spec.Depthwise):
        return f"{step.kernel[0]}x{step.kernel[1]} depthwise"
    if isinstance(step, spec.Pool):
        return f"{step.mode} {step.kernel[0]}x{step.kernel[1]}"
    if isinstance(step, spec.Act | spec.Use):
        return step.name
    if isinstance(step, spec.Repeat):
        return f"{step.times} x {_words(step.body)}"
    return str(step.kind)
