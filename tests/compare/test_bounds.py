"""The work of a comparison is bounded: what is too large is compared in a coarser way, which says so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_search.canonical.catalogue import load, names
from inception_search.compare import align
from inception_search.compare.coarse import common
from inception_search.compare.comparison import COARSER, Comparison, alignment_of
from inception_search.compare.diff_entry import walk
from inception_search.compare.side import side_of
from inception_search.compare.text import text_of
from inception_search.figures.diff.diff import diff_of
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Conv, chain, concat

KNOWN = json.loads(Path(__file__).with_name("canonical_pairs.json").read_text(encoding="utf-8"))


def network(stage: AnyStep) -> Network:
    return Network.model_validate({"name": "n", "stages": {"s": stage}, "input": {"height": 9, "width": 9}})


def wide(widths: Sequence[int]) -> Network:
    branches = (chain(Conv(kernel=(1, 1), width=1 + width // 2), Conv(kernel=(3, 3), width=width)) for width in widths)
    return network(concat(*branches))


def deep(widths: Sequence[int]) -> Network:
    return network(chain(*[Conv(kernel=(3, 3), width=width) for width in widths]))


def digest(found: Comparison) -> str:
    told = json.dumps(found.to_dict()["entries"]) + text_of(found)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


# Those that do not stand beside one another in the list of networks are slow.
CANONICAL = [
    pytest.param(*pair, marks=() if pair in pairwise(names()) else pytest.mark.slow)
    for pair in combinations(names(), 2)
]


@pytest.mark.parametrize(("a", "b"), CANONICAL)
def test_canonical_networks_are_compared_as_ever(a: str, b: str) -> None:
    """The digests were made before the work was bounded; make the file anew only for a change that is meant."""
    sides = side_of(load(a)), side_of(load(b))
    found = Comparison(*sides, *alignment_of(*sides))
    assert not found.coarser
    assert digest(found) == KNOWN[f"{a} {b}"]


def test_every_pair_has_its_digest() -> None:
    assert set(KNOWN) == {f"{a} {b}" for a, b in combinations(names(), 2)}


# Of each how many layers or branches are far too many, and the two networks with so many.
LARGE: dict[str, tuple[int, Callable[[int], tuple[Network, Network]]]] = {
    "branches and a canonical network": (2000, lambda n: (wide([1 + i % 90 for i in range(n)]), load("inception_v1"))),
    "branches each": (2000, lambda n: (wide([1 + i % 90 for i in range(n)]), wide([1 + i % 70 for i in range(n)]))),
    "no branch like another": (1000, lambda n: (wide(range(1, n + 1)), wide(range(n + 1, 2 * n + 1)))),
    "layers each": (5000, lambda n: (deep([1 + i % 7 for i in range(n)]), deep([1 + i % 5 for i in range(n)]))),
}
SIZES = [
    pytest.param(what, part, marks=pytest.mark.slow if part == 1 and what != "no branch like another" else ())
    for what in LARGE
    for part in (1, 5)
]


@pytest.mark.parametrize(("what", "part"), SIZES)
def test_what_is_too_large_is_compared_in_a_coarser_way(what: str, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """``part``: of the size, and of each side of the tables that may be looked at."""
    for limit in ("CELLS", "WITHIN", "BUDGET"):
        monkeypatch.setattr(align, limit, getattr(align, limit) // part**2)
    size, made = LARGE[what]
    a, b = made(size // part)
    found = diff_of(a, b)
    assert found
    assert found.coarser
    assert found.to_dict()["coarser"] is True
    assert found.text.splitlines()[3] == COARSER
    for side, whole, missing in (("a", a, "added"), ("b", b, "removed")):
        entries = [entry for entry in walk(found.entries) if entry.status != missing and not entry.around]
        paths = [part.path for entry in entries for part in getattr(entry, side) if part.kind == "conv"]
        assert len(paths) == len(set(paths))
        if whole.name == "n":
            assert len(paths) == sum(step.kind == "conv" for step in _leaves(whole))


def _leaves(whole: Network) -> list[AnyStep]:
    stack, leaves = list(whole.stages.values()), []
    while stack:
        step = stack.pop()
        inside = [*getattr(step, "branches", ()), *getattr(step, "steps", ())]
        stack += inside
        leaves += [] if inside else [step]
    return leaves


def test_a_coarser_drawing_says_so() -> None:
    many = [1 + i % 90 for i in range(300)]
    figure = diff_of(wide(many), wide([*many[:-1], 700])).draw()
    assert figure.svg.count(COARSER) >= 2  # in the picture, and in its description


def test_few_changes_of_many_branches_or_layers_are_found() -> None:
    widths = [1 + i * 7 % 500 for i in range(600)]
    for made in (wide, deep):
        changed = diff_of(made(widths), made([*widths[:300], 777, *widths[301:]]))
        assert changed.counts()["changed"] <= 2
        assert changed.counts()["added"] == changed.counts()["removed"] == 0
    longer = diff_of(deep(widths), deep([*widths[:100], 600, *widths[100:400], 601, *widths[400:]]))
    assert longer.counts() == {"added": 2, "removed": 0, "changed": 0}


@pytest.mark.parametrize("made", [wide, deep])
def test_reversed_a_coarser_comparison_is_mirrored(made: Callable[[Sequence[int]], Network]) -> None:
    a, b = made([1 + i % 50 for i in range(400)]), made([1 + i % 40 for i in range(500)])
    there, back = diff_of(a, b), diff_of(b, a)
    assert there.coarser
    assert back.coarser
    counts = there.counts()
    assert back.counts() == {**counts, "added": counts["removed"], "removed": counts["added"]}


@given(st.lists(st.integers(0, 3), max_size=12), st.lists(st.integers(0, 3), max_size=12))
def test_as_many_equals_as_can_be_are_found(xs: list[int], ys: list[int]) -> None:
    found = common(xs, ys)
    assert all(xs[i] == ys[j] for i, j in found)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(found))
    longest = [[0] * (len(ys) + 1) for _ in range(len(xs) + 1)]
    for i, x in enumerate(xs):
        for j, y in enumerate(ys):
            longest[i + 1][j + 1] = longest[i][j] + 1 if x == y else max(longest[i][j + 1], longest[i + 1][j])
    assert len(found) == longest[-1][-1]
