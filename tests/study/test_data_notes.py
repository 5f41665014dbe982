"""What a study says of its data: skewed classes and files passed over, in the terminal, the study and the report."""

import json
from pathlib import Path

import pytest
import yaml

from inception_search.errors import ConfigError
from inception_search.report.study_report import write_study_report
from inception_search.store import query
from inception_search.store.record import QUALITIES
from inception_search.study.final.finalize import finalize
from inception_search.study.search import search
from tests.data.datasets_on_disk import write_pictures
from tests.study.conftest import Watch
from tests.study.spaces import TINY


def test_a_study_says_how_it_read_its_data(tmp_path: Path) -> None:
    pictures = write_pictures(tmp_path / "parts", {"bad": 5, "ok": 60})
    (pictures / "ok" / "list.csv").write_text("")
    watch = Watch()
    options = {"epochs": 1, "image_size": 8, "baselines": False, "workers": 1, "trials": 1, "batch_size": 8}
    run = tmp_path / "run"
    study = search(TINY, data="image_folder", data_root=pictures, run=run, observer=watch, **options)
    passed = "image_folder: files ignored because of their ending: 1 (.csv: 1)"
    skewed = (
        "the classes are skewed: ok has 42 training images and bad 3; "
        "a network that always predicts ok has an accuracy of 93 %"
    )
    assert watch.notes[0] == passed
    assert watch.notes[1].startswith(skewed)
    assert study.notes == tuple(watch.notes[:2])
    assert yaml.safe_load((run / "study.yaml").read_text())["facts"]["notes"] == watch.notes[:2]
    write_study_report(study.run)
    report = (run / "report.html").read_text()
    assert f"I{passed[1:]}. T{skewed[1:]}" in report


FINAL = {"top": 1, "seeds": 1, "baselines": 1, "workers": 2}


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of two classes, one of them rare."""
    return write_pictures(tmp_path_factory.mktemp("parts"), {"bad": 12, "ok": 80}, size=(8, 8))


@pytest.mark.parametrize("objective", ["balanced_accuracy", "macro_f1"])
def test_a_study_is_ranked_pruned_and_finalized_by_its_objective(parts: Path, tmp_path: Path, objective: str) -> None:
    options = {"epochs": 2, "image_size": 8, "workers": 2, "trials": 4, "batch_size": 8, "pruner": "asha", "eta": 2}
    study = search(
        TINY,
        data="image_folder",
        data_root=parts,
        run=tmp_path / "run",
        objectives=objective,
        class_weights="balanced",
        **options,
    )
    complete = [record for record in study.records if record.state == "complete"]
    for record in complete:
        last = record.curve[-1].model_dump()
        assert record.objectives == {objective: last[f"validation_{objective}"]}
        assert record.score == record.objectives[objective] != record.value
        assert record.fidelity["class_weights"] == "balanced"
    assert study.best.value == max(record.objectives[objective] for record in complete)
    assert query.leaderboard(complete)[0].number == study.best.number
    words = QUALITIES[objective]
    write_study_report(study.run)
    report = (study.path / "report.html").read_text()
    assert f"by validation {words}" in report
    assert "class weights balanced" in report
    assert yaml.safe_load((study.path / "study.yaml").read_text())["class_weights"] == "balanced"
    finals = finalize(study.path, **FINAL)
    assert all(record.fidelity["class_weights"] == "balanced" for row in finals.rows for record in row.records)
    tested = {row.entrant.name: getattr(row.records[0], f"test_{objective}") for row in finals.rows}
    assert {row.entrant.name: row.test for row in finals.rows} == tested
    verdict = finals.verdict
    assert verdict.difference == pytest.approx(tested[verdict.ours] - tested[verdict.theirs])
    assert f"best canonical network by validation {words}, by test {words}: " in finals.sentences[0]
    assert any(sentence.startswith("accuracy on the test images: ") for sentence in finals.sentences)
    assert finals.data()["quality"] == objective

    kept = [json.loads(line) for line in (study.path / "finals.jsonl").read_text().splitlines()]
    old = [{name: value for name, value in line.items() if name not in ("test_truth", "test_answers")} for line in kept]
    (study.path / "finals.jsonl").write_text("".join(json.dumps(line) + "\n" for line in old))
    finals = finalize(study.path, **FINAL)  # of an earlier version: the answers to the images are not known
    assert finals.table.quality == "accuracy"
    assert f"best canonical network by validation {words}, by test accuracy: " in finals.sentences[0]
    assert any(sentence.startswith(f"the study chose by {words}") for sentence in finals.sentences)


def test_a_weight_for_no_class_is_refused_before_anything_is_written(parts: Path, tmp_path: Path) -> None:
    given = {"data": "image_folder", "data_root": parts, "run": tmp_path / "run", "image_size": 8}
    with pytest.raises(ConfigError, match="class_weights: no such class, got 'oj'; expected names of classes: bad, ok"):
        search(TINY, class_weights={"oj": 2}, **given)
    with pytest.raises(
        ConfigError, match="class_weights: not a usable value, got 'heavy'; expected balanced, none, or"
    ):
        search(TINY, class_weights="heavy", **given)
    assert not (tmp_path / "run").exists()
