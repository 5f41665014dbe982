"""Run folders that version 0.1 wrote: a finished study with final trainings, and one that was killed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

import inception_search as ins
from inception_search.cli.main import app
from inception_search.store.jsonl import sealed

WRITTEN = Path(__file__).parent / "runs_of_0_1"


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WRITTEN / "finished", tmp_path / "finished"))


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WRITTEN / "killed", tmp_path / "killed"))


def test_the_finished_study_is_read(finished: Path) -> None:
    study = ins.Study.open(finished)
    assert study.best.number == 0
    assert [trial.number for trial in study.front] == [0, 9]
    assert ins.arch_id(ins.load(f"{finished}:0")) == ins.arch_id(ins.load(finished))
    assert study.hypervolume == pytest.approx(479990.4)
    states = [record.state for record in study.records]
    assert {state: states.count(state) for state in set(states)} == {"complete": 5, "pruned": 5, "infeasible": 6}


def test_its_trained_winner_is_loaded(finished: Path) -> None:
    model = ins.load_model(f"{finished}:12")
    assert model.classes == tuple("0123456789")


@pytest.mark.parametrize("verb", [["report"], ["report", "--json"], ["show"], ["draw"]])
def test_verbs_read_it(finished: Path, tmp_path: Path, verb: list[str]) -> None:
    output = ["-o", str(tmp_path / "best.svg")] if verb == ["draw"] else []
    result = CliRunner().invoke(app, [verb[0], str(finished), *verb[1:], *output])
    assert result.exit_code == 0, result.output


def test_its_final_trainings_are_not_repeated(finished: Path) -> None:
    before = (finished / "finals.jsonl").read_bytes()
    result = ins.finalize(finished, top=1, baselines=1, seeds=2, epochs=2, train_images=200, progress=False)
    assert (finished / "finals.jsonl").read_bytes() == before
    assert len(result.rows) == 2


def test_a_resumed_study_trains_nothing_again(finished: Path) -> None:
    before = (finished / "trials.jsonl").read_bytes()
    ins.resume(finished, progress=False)
    assert (finished / "trials.jsonl").read_bytes() == before


def test_points_that_say_how_their_networks_were_written_are_read(finished: Path) -> None:
    clean, file = ins.Study.open(finished).records, finished / "trials.jsonl"
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for record in records:
        record.pop("check")
        record["holes"] |= {"@name": "inception_v3", "@blocks": "m=2", "@stages": "stem=2 a=3*m", "@document": "{}"}
    file.write_text("".join(f"{sealed(json.dumps(record))}\n" for record in records), encoding="utf-8")
    before = file.read_bytes()
    assert ins.Study.open(finished).records == clean
    ins.resume(finished, progress=False)
    assert file.read_bytes() == before


def test_the_killed_study_goes_on_where_it_was(killed: Path) -> None:
    before = (killed / "trials.jsonl").read_text(encoding="utf-8").splitlines()
    study = ins.resume(killed, trials=6, progress=False)
    after = (killed / "trials.jsonl").read_text(encoding="utf-8").splitlines()
    assert after[:4] == before, "a record stays as it was written"
    assert sorted(record.number for record in study.records) == [0, 1, 2, 3, 4, 5]
    assert {record.state for record in study.records} == {"complete"}


def test_its_final_weights_without_a_document_are_read_by_name(finished: Path, tmp_path: Path) -> None:
    """The fixture keeps no final weights, which are large: others stand in for those of one of the two seeds."""
    best = ins.load(f"{finished}:final")
    assert ins.arch_id(best) == ins.arch_id(f"{finished}:final:0")
    folder = finished / "finals/checkpoints"
    folder.mkdir()
    state = ins.compile(f"{finished}:final:12", aux=False, seed=1).state_dict()
    save_file(state, folder / "ad9f5e5b5fc5-12-1003.safetensors")
    model = ins.load_model(f"{finished}:final:12")
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())
    assert model.classes == tuple("0123456789")
    searched = ins.load_model(f"{finished}:12").network.preprocess
    assert searched is not None
    assert model.network.preprocess == searched
