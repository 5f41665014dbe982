"""What is no network, no seed, no mix and no space is refused, with what to write."""

from __future__ import annotations

import pytest

import inception_search as ins
from inception_search.errors import ArgumentError, InceptionSearchError
from tests.edits.edit_samples import net


def test_wrong_types_are_told() -> None:
    network = net("3x3 8")
    for mix in (None, "set_width", ["set_width"], 3, {3: 1}):
        with pytest.raises(ArgumentError, match=r"mix: .*expected a mapping of text to a number"):
            ins.mutate(network, 0, mix=mix)  # type: ignore[arg-type]
    for seed in ("0", None, 1.5, True):
        with pytest.raises(ArgumentError, match=r"seed: .* of mutate\(\).*a whole number or a random.Random"):
            ins.mutate(network, seed)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"space: .*expected a search space"):
        ins.mutate(network, 0, space=5)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"network: .*got 5 \(int\); expected a network.*write edits_of\(load"):
        ins.edits_of(5)  # type: ignore[arg-type]
    for names in (5, [3], [[]]):
        with pytest.raises(InceptionSearchError, match="edit"):
            ins.edits_of(network, names)  # type: ignore[arg-type]
    edit = ins.mutate(network, 0).edit
    with pytest.raises(ArgumentError, match=r"Edit.apply\(\).*write network=load\('inception_v4'\)"):
        edit.apply("inception_v4")  # type: ignore[arg-type]
    for data in (None, {**edit.to_dict(), "at": "1"}):
        with pytest.raises(InceptionSearchError):
            ins.Edit.from_dict(data)  # type: ignore[arg-type]


def test_what_is_no_network_no_seed_and_no_space_is_told() -> None:
    a, b = net("{concat: [1x1 8, 3x3 8]}"), net("{concat: [1x1 8, 5x5 8]}")
    for parents in (("x", a), (a, None)):
        with pytest.raises(InceptionSearchError, match=r"unknown network|of crossover\(\)"):
            ins.crossover(*parents, 0)  # type: ignore[arg-type]
    for seed in ("0", None, 1.5, True):
        with pytest.raises(ArgumentError, match=r"seed: .* of crossover\(\)"):
            ins.crossover(a, b, seed)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"write space=load_space\('inception'\)"):
        ins.crossover(a, b, 0, space="inception")  # type: ignore[arg-type]
