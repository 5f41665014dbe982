"""A study that goes on after its study.yaml was changed says so, when results would not compare."""

import re

import pytest


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"learning_rate": 0.02}, "learning_rate 0.02 (was 0.01)"),
        ({"epochs": 4, "width": 0.5}, "epochs 4 (was 3), width 0.5 (was 1.0)"),
    ],
)
def test_another_recipe_is_told_with_both_values(fake_study, change, words):
    study = fake_study(trials=2, learning_rate=0.01, width=1.0)
    assert study.go()
    assert study.go(**{"trials": 3, **change})
    told = [note for note in study.notes.notes if "study.yaml" in note]
    assert len(told) == 1
    assert words in told[0]
    assert re.search(r"the 2 trained so far; restore the old value, or use a new run folder", told[0])


@pytest.mark.parametrize("change", [{}, {"trials": 4}, {"max_macs": 1e9}])
def test_what_leaves_the_recipe_alone_is_not(fake_study, change):
    study = fake_study(trials=2, learning_rate=0.01, width=1.0)
    assert study.go()
    assert study.go(**{"trials": 3, **change})
    assert not [note for note in study.notes.notes if "study.yaml" in note]
