"""What the argument of ``draw``, ``diff`` and ``view`` may name."""

from __future__ import annotations

from pathlib import Path

import pytest

import inception_search as ins
from inception_search.errors import InceptionSearchError
from inception_search.items import item
from tests.example import copy_example


@pytest.mark.parametrize(
    ("words", "name", "module"),
    [
        ("inception_v4", "inception_v4", None),
        ("inception_v3@timm", "inception_v3@timm", None),
        ("inception_v4.inception_a", "inception_v4.inception_a", "inception_a"),
        ("inception_v1..inception_v4:3", "inception_v1..inception_v4:3", None),
    ],
)
def test_names(words: str, name: str, module: str | None) -> None:
    found = item(words)
    assert (found.name, found.module) == (name, module)
    assert found.stem.replace("_", "").replace(".", "").replace("@", "").isalnum()


def test_points_are_those_of_path() -> None:
    moves = ins.edit_path("inception_v1", "inception_v4")
    assert item("inception_v1..inception_v4:3").network == moves[3].network


def test_trials_are_those_of_the_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_example(tmp_path / "runs/a", records=5)
    monkeypatch.chdir(tmp_path)
    for record in ins.Study.open("runs/a").records:
        assert item(f"runs/a:{record.number}").network.to_dict() == record.network
    for words in ("runs/a", "runs/a:1", "runs/a.module", "runs/a:1.module"):
        assert item(words).name == words
    with pytest.raises(InceptionSearchError, match=r"runs/a: no such trial, got 77; expected 0 to 4"):
        item("runs/a:77")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("inception_v4.inception_x", "unknown module of inception_v4, got 'inception_x'"),
        ("inception_v1..inception_v4:99", "inception_v1..inception_v4: no such point on the path, got 99; expected 0"),
        ("runs/none:3", "runs/none: there is no such run folder"),
        ("inception_v9", "did you mean"),
        ("x" * 5000, "unknown network"),
        ("inception_v1.." + "x" * 300, "unknown network"),
        ("runs/" + "x" * 300 + ":3", "the file name is too long"),
    ],
)
def test_what_nothing_answers_to(words: str, said: str) -> None:
    with pytest.raises(InceptionSearchError) as caught:
        item(words)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
