"""What is no network, no seed, no mix and no space is told, with what to write."""

from __future__ import annotations

import pytest

import inception_search as ins
from inception_search.edits.crossover import crossover
from inception_search.edits.mutate import mutate
from inception_search.errors import ConfigError, EditError, SpecError
from tests.edits.edit_samples import net


def test_wrong_types_are_told() -> None:
    network = net("3x3 8")
    for mix in (None, "set_width", ["set_width"], 3):
        with pytest.raises(EditError, match="mix: a mix is names of edits with weights"):
            mutate(network, 0, mix=mix)  # type: ignore[arg-type]
    with pytest.raises(EditError, match="the name of an edit is text, got 3"):
        mutate(network, 0, mix={3: 1})  # type: ignore[dict-item]
    for seed in ("0", None, 1.5, True):
        with pytest.raises(ConfigError, match="seed cannot be used"):
            mutate(network, seed)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="space is not a search space"):
        mutate(network, 0, space=5)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match=r"edits_of takes a network, got 5; write edits_of\(load"):
        ins.edits_of(5)  # type: ignore[arg-type]
    for names in (5, [3], [[]]):
        with pytest.raises(EditError, match="edit"):
            ins.edits_of(network, names)  # type: ignore[arg-type]
    edit = mutate(network, 0).edit
    with pytest.raises(SpecError, match="an edit takes a network"):
        edit.apply("inception_v4")  # type: ignore[arg-type]
    for data in (None, {**edit.to_dict(), "at": "1"}):
        with pytest.raises(EditError):
            ins.Edit.from_dict(data)  # type: ignore[arg-type]


def test_what_is_no_network_no_seed_and_no_space_is_told() -> None:
    a, b = net("{concat: [1x1 8, 3x3 8]}"), net("{concat: [1x1 8, 5x5 8]}")
    for parents in (("x", a), (a, None)):
        with pytest.raises(SpecError, match=r"crossover takes a network.*write crossover\(load\(\.\.\.\)"):
            crossover(*parents, 0)  # type: ignore[arg-type]
    for seed in ("0", None, 1.5, True):
        with pytest.raises(ConfigError, match="seed cannot be used"):
            crossover(a, b, seed)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"write space=load_space\('inception'\)"):
        crossover(a, b, 0, space="inception")  # type: ignore[arg-type]
