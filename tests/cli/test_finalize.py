"""``inception-search finalize``: the table, the verdict, JSON, Markdown, and what is refused."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from pathlib import Path

import pytest
import torch

import inception_search as ins
from inception_search.study.search import search
from tests.bounds import PATIENCE
from tests.cli.conftest import Command
from tests.study.programs import kill_group, start, wait_for
from tests.study.spaces import TINY

SMALL = ["--train-images", "64", "--image-size", "8", "--seeds", "2", "--workers", "2"]
COMMAND = [sys.executable, "-c", "from inception_search.cli.main import run; run()"]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of five trials, two of them baselines; finalized by the first test."""
    options = {"epochs": 1, "train_images": 64, "image_size": 8, "workers": 2, "trials": 5}
    return search(TINY, run=tmp_path_factory.mktemp("study") / "run", **options).path


@pytest.fixture
def run(study: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(study, tmp_path / "run"))


def test_a_table_and_a_verdict(command: Command, run: Path) -> None:
    said = command("finalize", run, *SMALL, "--top", 2)
    assert said.code == 0
    progress = said.err.splitlines()
    assert [line.split()[0] for line in progress] == [f"{number}/8" for number in range(1, 9)]
    assert all("validation" in line and "test" not in line for line in progress)
    rows = [line for line in said.out.splitlines() if line.lstrip()[:1].isdigit()]
    assert len(rows) == 4
    assert sum("(canonical)" in row for row in rows) == 2
    assert all("%" in row and "±" in row for row in rows)
    assert "the best network found in the search, compared with" in said.out
    assert "best canonical network by validation accuracy, by test accuracy: " in said.out
    assert "test and validation are accuracy" in said.out
    assert "95 % interval" in said.out
    assert "Holm" in said.out
    assert "\x1b" not in said.out + said.err
    *_, table, data, records, best, how = said.out.splitlines()
    assert [table, data, records] == [str(run / name) for name in ("finals.md", "finals.json", "finals.jsonl")]
    assert "rank in the search" in said.out
    file = Path(best.rpartition(", ")[2])
    assert best.startswith("best by validation: trial ")
    assert f"ins.load_model('{run}:final')" in how
    assert f"inception-search convert {run}:final -o model.safetensors" in how
    same = ins.load_model(f"{run}:final").state_dict()
    assert all(torch.equal(tensor, same[name]) for name, tensor in ins.load_model(file).state_dict().items())
    table = (run / "finals.md").read_text()
    assert table.startswith("| rank in the search | network |")
    assert len([line for line in table.splitlines() if line.startswith("| ")]) == 6
    assert "95 % interval" in table

    again = command("finalize", run, *SMALL, "--top", 2)
    assert (again.code, again.out, again.err) == (0, said.out, "")

    found = json.loads(command("finalize", run, *SMALL, "--top", 2, "--json").out)
    assert found == json.loads((run / "finals.json").read_text())
    assert (found["schema"], found["version"], found["times_read"]) == ("inception-search/finals", 1, 1)
    low, high = found["verdict"]["interval"]
    assert low <= found["verdict"]["difference"] <= high
    assert found["best_baseline"] in [row["network"] for row in found["rows"] if not row["found"]]
    for row in found["rows"]:
        assert row["test_accuracy"] == pytest.approx(sum(each["test"] for each in row["trainings"]) / 2)
        assert (row["versus_best_baseline"] is not None) == row["found"]
    other = command("finalize", run, *SMALL, "--top", 1)
    assert "under 2 different settings" in other.out


def test_a_study_without_baselines_is_finalized_without_a_comparison(command: Command, tmp_path: Path) -> None:
    options = {"epochs": 1, "train_images": 64, "image_size": 8, "workers": 1, "trials": 1, "baselines": False}
    run = search(TINY, run=tmp_path / "run", **options).path
    said = command("finalize", run, *SMALL, "--seeds", 1)
    assert (said.code, said.err.count("\n")) == (0, 1)
    assert len([line for line in said.out.splitlines() if line.startswith("No comparison: ")]) == 1
    asked = command("finalize", run, *SMALL, "--seeds", 1, "--baselines", 2)
    assert asked.code != 0
    assert "no canonical baseline is complete" in asked.err
    assert "omit --baselines" in asked.err


def test_one_seed_is_no_verdict(command: Command, run: Path) -> None:
    said = command("finalize", run, *SMALL, "--seeds", 1, "--top", 1, "--baselines", 1)
    assert said.code == 0
    assert "proves nothing" in said.out
    assert "no interval" in said.out
    assert "better" not in said.out


@pytest.mark.slow
def test_ctrl_c_is_130_and_the_same_command_goes_on(command: Command, run: Path) -> None:
    options = [*SMALL, "--top", "1", "--epochs", "40"]
    program = start([*COMMAND, "finalize", str(run), *options], run.parent)
    try:
        wait_for(lambda: list((run / "finals" / "checkpoints").glob("*.state")), 120)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=PATIENCE)
    finally:
        kill_group(program)
    assert (program.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "stopped; the same command continues"
    assert "Traceback" not in err
    assert not list(run.rglob("test.safetensors"))


BAD = [
    (["--top", "0"], 2, "top"),
    (["--width", "0"], 2, "width"),
    (["--device", "tpu"], 2, "device"),
    (["--max-macs", "1"], 1, "no network of at most 1 multiply-adds"),
    (["--image-size", "99999"], 2, "--image-size"),
]


@pytest.mark.parametrize(("options", "code", "words"), BAD)
def test_bad_options(command: Command, run: Path, options: list[str], code: int, words: str) -> None:
    said = command("finalize", run, *options)
    assert (said.code, said.out) == (code, "")
    assert words in said.err
    assert "Traceback" not in said.err


def test_no_run_and_no_arguments(command: Command, tmp_path: Path) -> None:
    said = command("finalize", tmp_path / "nothing")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert "Usage" in command("finalize").out + command("finalize").err
