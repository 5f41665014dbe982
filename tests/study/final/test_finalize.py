"""The final trainings: selected by validation, tested once, recorded whatever happens to them."""

import json
import multiprocessing
import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

import inception_search as ins
from inception_search.data import catalogue
from inception_search.data.catalogue import load_data
from inception_search.data.frozen import thaw
from inception_search.errors import ConfigError, DataError, DocumentError, RunFolderError, RunInUseError
from inception_search.spec.documents.parse import network_from_data
from inception_search.store import query
from inception_search.store.run_folder import RunFolder
from inception_search.study.final import finalize as verb
from inception_search.study.final import loop
from inception_search.study.final.finalize import finalize
from inception_search.study.final.record import read_finals
from inception_search.study.search import resume, search
from tests.study.final.finals_watch import Watch
from tests.study.programs import kill_group, start, wait_for
from tests.study.spaces import TINY

STUDY: dict[str, Any] = {"epochs": 1, "train_images": 64, "image_size": 8, "workers": 2, "trials": 5, "seed": 7}
SMALL: dict[str, Any] = {"train_images": 64, "seeds": 2, "top": 1, "workers": 2}  # images of the study's size
PROGRAM = "import sys; from inception_search.cli.main import run; run()"


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of five trials, two of them baselines; only to be copied."""
    return search(TINY, run=tmp_path_factory.mktemp("study") / "run", **STUDY).path


@pytest.fixture
def run(searched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(searched, tmp_path / "run"))


@pytest.fixture(scope="module")
def tested(searched: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, finalized; only to be looked at or copied."""
    path = Path(shutil.copytree(searched, tmp_path_factory.mktemp("tested") / "run"))
    finalize(path, **SMALL)
    return path


def lines(run: Path) -> list[dict[str, Any]]:
    """The final records of a run folder."""
    path = run / "finals.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def kill_trainings() -> None:
    """Kill the processes of all trainings under way."""
    for child in multiprocessing.active_children():
        assert child.pid
        os.kill(child.pid, signal.SIGKILL)


def no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever loads a dataset or starts a process from here on fails."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("it reads or trains")

    monkeypatch.setattr(catalogue, "load_data", refuse)
    monkeypatch.setattr(verb, "make_executor", refuse)


class TestWhatIsTrained:
    def test_the_best_found_and_all_baselines_with_seeds_of_their_own(self, tested):
        records = RunFolder.open(tested).records()
        best = next(r for r in query.leaderboard(records, 9) if r.origin != "baseline")
        canonical = {r.arch_id for r in records if r.origin == "baseline" and r.state == "complete"}
        assert {(line["arch_id"], line["seed"]) for line in lines(tested)} == {
            (arch_id, seed) for arch_id in {best.arch_id, *canonical} for seed in (1007, 1008)
        }
        assert all(line["seed"] != record.seed for line in lines(tested) for record in records)

    def test_with_the_recipe_of_the_study(self, run):
        study = yaml.safe_load((run / "study.yaml").read_text())
        study |= {"width": 0.5, "optimizer": "adamw", "label_smoothing": 0.2, "cutout": 0.25, "max_macs": None}
        (run / "study.yaml").write_text(yaml.safe_dump(study))
        options = {"seeds": 1, "baselines": 1, "epochs": 2, "train_images": 100, "validation_images": 500}
        finalize(run, **SMALL | options)
        for line in lines(run):
            fidelity = line["fidelity"]
            assert (fidelity["optimizer"], fidelity["label_smoothing"], fidelity["cutout"]) == ("adamw", 0.2, 0.25)
            assert (fidelity["width"], fidelity["epochs"], fidelity["train_images"]) == (1.0, 2, 100)
            assert line["data"]["sizes"] == {"train": 100, "validation": 500, "test": 359}

    @pytest.mark.parametrize(("options", "side"), [({}, 8), ({"image_size": 16}, 16)])
    def test_by_default_on_all_images_at_the_size_of_the_study(self, run, options, side):
        finalize(run, seeds=1, top=1, baselines=1, workers=2, **options)
        for line in lines(run):
            assert (line["data"]["shape"], line["fidelity"]["image_size"]) == ([1, side, side], side)
            assert line["data"]["sizes"] == {"train": 1079, "validation": 359, "test": 359}
            study = next(r for r in RunFolder.open(run).records() if r.number == line["trial"])
            assert (line["cost"]["macs"] > 2 * study.cost["macs"]) == (side == 16)

    def test_only_within_the_limit(self, run):
        records = RunFolder.open(run).records()
        macs = sorted(r.cost["macs"] for r in records if r.origin != "baseline" and r.state == "complete")
        finals = finalize(run, **SMALL | {"seeds": 1, "top": 9, "baselines": 0, "max_macs": macs[0]})
        assert [row.entrant.record.cost["macs"] for row in finals.rows] == [m for m in macs if m == macs[0]]
        assert "no comparison" in finals.sentences[0]

    def test_the_accuracy_is_that_of_the_weights_on_the_test_images(self, tested):
        data = load_data("digits", image_size=8, limit=64)
        images = (data.test.images.float() / 255 - data.mean[0]) / data.std[0]
        records = {r.number: r for r in RunFolder.open(tested).records()}
        for line in read_finals(tested / "finals.jsonl"):
            path = tested / "finals" / "checkpoints" / f"{line.recipe}-{line.trial}-{line.seed}.safetensors"
            model = ins.compile(network_from_data(records[line.trial].network), weights=load_file(path)).eval()
            with torch.no_grad():
                right = (model(images).argmax(1) == data.test.labels).numpy()
            assert line.test_accuracy == pytest.approx(right.mean(), abs=0.006)
            assert np.mean(line.right == right) > 0.99
            assert line.right.mean() == pytest.approx(line.test_accuracy)


class TestTestImages:
    def test_are_on_disk_only_meanwhile_and_apart_from_what_is_trained_on(self, run):
        assert not list(run.rglob("test.safetensors"))
        seen: list[Any] = []

        def look(name: str, epoch: int) -> None:
            if not seen:
                jobs = run / "finals" / "jobs"
                with pytest.raises(DataError):
                    thaw(jobs / "data.safetensors", ("test",))
                with pytest.raises(DataError):
                    thaw(jobs / "test.safetensors")
                seen.extend([thaw(jobs / "data.safetensors"), thaw(jobs / "test.safetensors", ("test",))])

        finalize(run, observer=Watch(look), **SMALL | {"seeds": 1})
        given, tests = ({bytes(i.numpy()) for s in data.splits.values() for i in s.images} for data in seen)
        own = load_data("digits", image_size=8, limit=64)
        assert tests == {bytes(image.numpy()) for image in own.test.images}
        twins = {bytes(image.numpy()) for split in (own.train, own.validation) for image in split.images}
        assert not (tests - twins) & given
        assert not list(run.rglob("data.safetensors"))
        assert not list(run.rglob("test.safetensors"))

    def test_are_read_once_and_a_second_call_only_tells(self, tested, tmp_path, monkeypatch):
        run = Path(shutil.copytree(tested, tmp_path / "run"))
        first = (run / "finals.json").read_text()
        no_reading(monkeypatch)
        again = finalize(run, **SMALL)
        assert (run / "finals.json").read_text() == first
        assert lines(run) == lines(tested)
        assert again.times_read == 1
        assert "under this setting alone" in again.sentences[-1]

    def test_other_settings_are_counted_and_told(self, tested, tmp_path, monkeypatch):
        run = Path(shutil.copytree(tested, tmp_path / "run"))
        watch = Watch()
        more = finalize(run, observer=watch, **SMALL | {"seeds": 3})
        assert watch.begun == (6, 3)  # what has been trained with this recipe is not trained again
        assert "read under 1 other setting before" in watch.notes[0]
        assert more.times_read == 2
        assert "under 2 different settings" in more.sentences[-1]
        no_reading(monkeypatch)
        fewer = finalize(run, **SMALL | {"baselines": 1})
        assert fewer.times_read == 3  # to choose among results is to read them, too
        assert finalize(run, **SMALL).times_read == 3
        shutil.rmtree(run / "finals")
        assert finalize(run, **SMALL).times_read == 2  # what the records themselves know of

    def test_another_recipe_is_trained_anew(self, tested, tmp_path):
        run = Path(shutil.copytree(tested, tmp_path / "run"))
        assert finalize(run, **SMALL | {"epochs": 2}).times_read == 2
        assert len(lines(run)) == 2 * len(lines(tested))


class TestKills:
    @pytest.mark.slow
    def test_a_killed_call_goes_on_and_trains_nothing_twice(self, run):
        options = ["--train-images", "64", "--image-size", "8", "--seeds", "2", "--top", "1", "--workers", "2"]
        program = start([sys.executable, "-c", PROGRAM, "finalize", str(run), *options, "--epochs", "5"], run.parent)
        try:
            wait_for(lambda: len(lines(run)) >= 2)
        finally:
            kill_group(program)
        before = lines(run)
        assert len(before) < 6
        assert (run / "finals" / "jobs" / "test.safetensors").exists()  # a kill leaves no time
        watch = Watch()
        finals = finalize(run, observer=watch, **SMALL | {"epochs": 5})
        assert finals.finished
        assert lines(run)[: len(before)] == before
        keys = [(line["arch_id"], line["seed"]) for line in lines(run)]
        assert len(keys) == len(set(keys)) == 6
        assert watch.begun == (len(before), 6 - len(before))
        assert finals.times_read == 1
        assert not list(run.rglob("test.safetensors"))

    def test_a_result_that_was_not_recorded_is_not_trained_again(self, run, monkeypatch):
        class Killed(BaseException):
            pass

        def die(*args: Any) -> None:
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(loop, "append_final", die)
            with pytest.raises(Killed):
                finalize(run, **SMALL | {"workers": 1})
        (waiting,) = (run / "finals" / "results").iterdir()
        accuracy = json.loads(waiting.read_text())["test_accuracy"]
        watch = Watch()
        finalize(run, observer=watch, **SMALL)
        assert lines(run)[0]["test_accuracy"] == accuracy
        assert watch.recorded_names[0] not in {name for name, _ in watch.epochs}

    def test_a_lost_process_goes_on_from_its_last_epoch(self, run):
        killed: list[str] = []

        def act(name: str, epoch: int) -> None:
            if not killed and epoch == 4:
                killed.append(name)
                kill_trainings()

        watch = Watch(act)
        finalize(run, observer=watch, **SMALL | {"epochs": 6, "seeds": 1})
        heard = [epoch for name, epoch in watch.epochs if name == killed[0]]
        assert heard == sorted(heard)
        assert [line["state"] for line in lines(run)] == ["complete"] * 3
        assert max(line["attempt"] for line in lines(run)) == 2
        assert "lost its process (exit code -9); it runs again" in watch.notes[0]

    def test_one_that_is_lost_again_and_again_is_told_and_tried_by_the_next_call(self, run):
        def act(name: str, epoch: int) -> None:
            if name.startswith("v1_3a"):
                kill_trainings()

        study = yaml.safe_load((run / "study.yaml").read_text()) | {"retries": 1}
        (run / "study.yaml").write_text(yaml.safe_dump(study))
        twice = SMALL | {"seeds": 1, "epochs": 2}  # the second attempt reports no epoch that the first has not
        finals = finalize(run, observer=Watch(act), **twice)
        lost = [line["label"] for line in lines(run) if line["state"] == "lost"]
        assert "v1_3a" in lost
        assert any(
            "v1_3a: 1 of 1 trainings failed (seed 1007: its process was lost" in sentence
            for sentence in finals.sentences
        )
        again = finalize(run, **twice)
        assert all(row.tested for row in again.rows)
        assert not any("failed" in sentence for sentence in again.sentences)

    def test_ctrl_c_stops_in_order_and_tells_no_result(self, run):
        sent: list[str] = []

        def once(name: str, epoch: Any) -> None:  # two trainings may report together, and a second one means: at once
            if not sent:
                sent.append(name)
                os.kill(os.getpid(), signal.SIGINT)

        finals = finalize(run, observer=Watch(once), **SMALL)
        assert (finals.finished, finals.rows, finals.verdict, finals.sentences) == (False, (), None, [])
        assert not (run / "finals.json").exists()
        assert not list(run.rglob("test.safetensors"))
        assert not multiprocessing.active_children()
        assert finalize(run, **SMALL).finished


def test_a_training_that_diverges_is_told_and_not_tried_again(run, monkeypatch):
    study = yaml.safe_load((run / "study.yaml").read_text()) | {"learning_rate": 1e30}
    (run / "study.yaml").write_text(yaml.safe_dump(study))
    finals = finalize(run, **SMALL | {"seeds": 1, "epochs": 3})
    assert {line["state"] for line in lines(run)} == {"failed"}
    assert "could not be trained" in finals.sentences[0]
    assert "diverged" in finals.sentences[0]
    assert "no verdict" in finals.sentences[1]
    no_reading(monkeypatch)
    finalize(run, **SMALL | {"seeds": 1, "epochs": 3})


class TestRefusals:
    def test_no_run(self, tmp_path):
        with pytest.raises(RunFolderError, match="no such run folder"):
            finalize(tmp_path / "nothing")

    def test_nothing_complete(self, run):
        (run / "trials.jsonl").write_text("")
        with pytest.raises(RunFolderError, match="no trial of the study is complete"):
            finalize(run)

    @pytest.mark.parametrize(("kept", "words"), [("sampled", "no canonical baseline"), ("baseline", "no network")])
    def test_one_kind_is_missing(self, run, kept, words):
        text = (run / "trials.jsonl").read_text().splitlines()
        (run / "trials.jsonl").write_text("".join(f"{line}\n" for line in text if json.loads(line)["origin"] == kept))
        with pytest.raises(RunFolderError, match=words):
            finalize(run, baselines=1)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"tops": 3}, "did you mean 'top'"),
            ({"top": 0}, "top"),
            ({"seeds": 1.5}, "seeds"),
            ({"width": -1.0}, "width"),
            ({"max_macs": 1}, "no network of at most 1 multiply-adds"),
        ],
    )
    def test_options(self, run, options, words):
        with pytest.raises((ConfigError, RunFolderError), match=words):
            finalize(run, **options)
        assert not (run / "finals").exists()

    def test_another_dataset_than_the_studys(self, run):
        study = (run / "study.yaml").read_text()
        facts = yaml.safe_load(study)["facts"]["data"]["fingerprint"]
        (run / "study.yaml").write_text(study.replace(facts, "0" * 16))
        with pytest.raises(RunFolderError, match="begun on other data"):
            finalize(run, **SMALL)
        assert not lines(run)

    def test_another_dataset_than_that_of_earlier_trainings(self, tested, tmp_path):
        run = Path(shutil.copytree(tested, tmp_path / "run"))
        text = (run / "finals.jsonl").read_text()
        (run / "finals.jsonl").write_text(text.replace(lines(run)[0]["data"]["fingerprint"], "0" * 16))
        with pytest.raises(RunFolderError, match="final trainings were begun on other data"):
            finalize(run, **SMALL | {"seeds": 3})

    def test_a_folder_in_use(self, run):
        with RunFolder.open(run).hold(), pytest.raises(RunInUseError):
            finalize(run, **SMALL)

    def test_a_damaged_record(self, tested, tmp_path):
        run = Path(shutil.copytree(tested, tmp_path / "run"))
        first, rest = (run / "finals.jsonl").read_text().split("\n", 1)
        for bad in (
            "{}",
            "no",
            first.replace('"complete"', '"done"'),
            first.replace('"test_right": "', '"test_right": "0'),
        ):
            (run / "finals.jsonl").write_text(f"{bad}\n{rest}")
            with pytest.raises(DocumentError, match=r"finals.jsonl:1: "):
                finalize(run, **SMALL)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_read_only_folder(self, run):
        run.chmod(0o555)
        try:
            with pytest.raises(RunFolderError, match="permission denied"):
                finalize(run, **SMALL)
        finally:
            run.chmod(0o755)

    def test_a_full_disk(self, run, monkeypatch):
        def full(fd: int, data: bytes) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("inception_search.store.jsonl.write_all", full)
            with pytest.raises(RunFolderError, match="the disk is full"):
                finalize(run, **SMALL)
        assert not list(run.rglob("test.safetensors"))
        assert not multiprocessing.active_children()
        assert finalize(run, **SMALL).finished


def test_a_study_that_goes_on_afterwards_is_another_setting(run):
    finalize(run, **SMALL | {"seeds": 1, "top": 9})
    resume(run, trials=6)
    assert finalize(run, **SMALL | {"seeds": 1, "top": 9}).times_read == 2


def test_the_facade_has_it(tested, tmp_path):
    run = Path(shutil.copytree(tested, tmp_path / "run"))
    finals = ins.finalize(run, **SMALL)
    assert finals.verdict is not None
    assert repr(finals) == f"Finals({str(run)!r}, {len(finals.rows)} networks, finished)"
    html = finals._repr_html_()  # what a notebook shows: the table, then the verdict
    assert (html.count("<tr>"), html.count("<p>")) == (len(finals.rows) + 1, len(finals.sentences))
    assert finals.verdict.words in html
    assert all(path.is_file() for path in finals.files)


def test_a_stop_after_the_last_result_leaves_a_finished_table() -> None:
    """Ctrl-C while the last training is recorded: nothing is left to train, so the table is written."""
    idle = SimpleNamespace(cancel=lambda: None)
    watch = SimpleNamespace(note=print)
    stop = threading.Event()
    stop.set()
    finals: Any = SimpleNamespace(result_file=lambda number: Path("none"))
    assert loop.FinalsLoop(finals, cast(Any, None), cast(Any, idle), cast(Any, watch), [], stop).loop()
    left = cast(Any, SimpleNamespace(number=0))
    assert not loop.FinalsLoop(finals, cast(Any, None), cast(Any, idle), cast(Any, watch), [left], stop).loop()
