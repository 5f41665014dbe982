"""Going on with a real study, and searches that are refused before anything is written."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from inception_search.errors import (
    ConfigError,
    DataError,
    InceptionSearchError,
    NotInSpaceError,
    RunFolderError,
    RunInUseError,
    ShapeError,
    UnknownNameError,
)
from inception_search.study.config import StudyConfig
from inception_search.study.search import resume, search
from inception_search.study.study import Study
from inception_search.study.warnings import without_effect
from tests.study.conftest import Watch
from tests.study.spaces import TINY

SMALL: dict[str, Any] = {"epochs": 1, "train_images": 64, "image_size": 8, "baselines": False, "workers": 2}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "one"


class TestResume:
    @pytest.fixture
    def begun(self, run: Path) -> Study:
        return search(TINY, **SMALL | {"trials": 1, "run": run})

    def test_with_more_trials_continues_and_remembers(self, begun):
        study = resume(begun.path, trials=2)
        assert len([r for r in study.records if r.state == "complete"]) == 2
        assert study.records[0] == begun.records[0]
        assert yaml.safe_load((begun.path / "study.yaml").read_text())["trials"] == 2
        assert resume(begun.path).finished
        assert study.records == begun.records

    @pytest.mark.parametrize("trials", [None, 1])
    def test_of_a_finished_one_says_so(self, begun, trials):
        watch = Watch()
        assert resume(begun.path, trials=trials, observer=watch).records == begun.records
        assert watch.notes == ["the study is finished, trials trained: 1; increase the number of trials to extend it"]

    def test_refuses_other_data(self, begun):
        file = begun.path / "study.yaml"
        file.write_text(file.read_text().replace("train_images: 64", "train_images: 65"))
        before = {path: path.read_bytes() for path in begun.path.rglob("*") if path.is_file()}
        with pytest.raises(RunFolderError, match=r"begun on other data, got fingerprint .*; expected fingerprint"):
            resume(begun.path, trials=5)
        assert {p: p.read_bytes() for p in begun.path.rglob("*") if p.is_file()} == before

    def test_refuses_another_space(self, begun):
        (begun.path / "space.yaml").write_text(TINY.replace("[4, 16, 4]", "[4, 20, 4]"))
        with pytest.raises(RunFolderError, match="begun with another space"):
            resume(begun.path, trials=5)

    def test_refuses_a_newer_study(self, begun):
        file = begun.path / "study.yaml"
        file.write_text(file.read_text().replace("version: 2", "version: 3"))
        with pytest.raises(InceptionSearchError, match=r"study\.yaml: unknown version, got 3; expected 2"):
            resume(begun.path)

    def test_refuses_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(RunFolderError, match="there is no such run folder"):
            resume(tmp_path / "none")
        with pytest.raises(RunFolderError, match="this is not a run folder"):
            resume(tmp_path)

    def test_refuses_a_folder_in_use(self, begun):
        with begun.run.hold(), pytest.raises(RunInUseError, match=f"in use by process {os.getpid()}"):
            resume(begun.path, trials=2)

    def test_works_where_the_folder_was_moved_to(self, begun, tmp_path):
        moved = begun.path.rename(tmp_path / "moved")
        assert len(resume(moved, trials=2).records) >= 2


def test_a_second_search_in_the_same_folder_is_refused(run):
    finished = search(TINY, **SMALL | {"trials": 1, "run": run})
    before = (finished.path / "trials.jsonl").read_bytes()
    with pytest.raises(RunFolderError, match="already holds a study; continue it with `inception-search resume"):
        search(TINY, **SMALL | {"trials": 1, "run": finished.path})
    assert (finished.path / "trials.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"data": "digitz"}, UnknownNameError, "did you mean 'digits'"),
        ({"space": "inception_module"}, UnknownNameError, "did you mean 'inception_modules'"),
        ({"trails": 3}, ConfigError, "unknown option, got 'trails'.*did you mean 'trials'"),
        ({"trials": 0}, ConfigError, "trials: not a usable value, got 0"),
        ({"reference": "accuracy=0.1,macs"}, ConfigError, "expected a number for each objective, such as"),
        ({"storage": 5}, ConfigError, "storage: not a usable value, got 5; expected a text"),
        ({"trials": "ten"}, ConfigError, "trials: .*expected a whole number"),
        ({"learning_rate": True}, ConfigError, "learning_rate: "),
        ({"device": "gpu"}, ConfigError, "unknown device"),
        ({"device": "cuda:99"}, ConfigError, "is not there"),
        ({"strategy": "cmaess"}, ConfigError, "strategy: .*did you mean 'cmaes'"),
        ({"image_size": 1}, ShapeError, "no network of space 'five' fits images of 1x1x1.*use larger images"),
        ({"max_params": 10}, ConfigError, "within the budget; the nearest: .* parameters are over the budget of 10"),
        ({"min_receptive_field": 99}, ConfigError, "pixels of receptive field are under the minimum of 99; lower min"),
        ({"max_macs": 10, "min_macs": 11}, ConfigError, "min_macs is above max_macs"),
        ({"data": "image_folder"}, InceptionSearchError, "root"),
        ({"data": "image_folder", "data_root": "/nowhere/at/all"}, DataError, "/nowhere/at/all"),
        ({"space": TINY.replace("0.0625", "0.5"), "baselines": True}, NotInSpaceError, "outside 4..16"),
        ({"run": "/dev/null/run"}, RunFolderError, "/dev/null"),
        ({"run": Path(__file__)}, RunFolderError, "a file"),
        ({"run": Path(__file__).parent}, RunFolderError, "not empty"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path, monkeypatch, options, error, words):
    monkeypatch.chdir(tmp_path)
    five = TINY.replace("name: tiny\nabout", "name: five\nabout").replace("3x3 8 s2", "5x5 8 valid")
    given = {"space": five, **SMALL, "trials": 1, **options}
    with pytest.raises(error, match=words) as raised:
        search(given.pop("space"), **given)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_options_of_a_group_override_those_of_a_configuration(run):
    config = StudyConfig.of(**SMALL | {"epochs": 2, "max_macs": 10**9, "trials": 1})
    study = search(TINY, config=config, training={"epochs": 1}, run=run)
    assert (study.config.training.epochs, study.config.training.image_size) == (1, 8)
    assert study.config.budget.max_macs == 10**9


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: not enough memory: 9 bytes")])
def test_images_that_do_not_fit_in_memory_are_an_error_of_the_data(monkeypatch, run, error):
    def load_data(name: str, **options: Any) -> None:
        raise error

    monkeypatch.setattr("inception_search.data.catalogue.load_data", load_data)
    with pytest.raises(DataError, match="image_size: the images do not fit in memory, got 8; use smaller images"):
        search(TINY, **SMALL | {"run": run})
    assert not run.exists()


def test_a_space_that_says_it_contains_what_is_not_there_is_refused_without_baselines_too(tmp_path):
    from inception_search.spec.documents.files import shipped_folder

    text = (shipped_folder() / "inception_modules.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("inception_v4.inception_a", "inception_v4.inception_q"))
    with pytest.raises(InceptionSearchError, match="unknown module of inception_v4, got 'inception_q'"):
        search(tmp_path / "mine.yaml", baselines=False, run=str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("options", [{"warmup_proxy": "naswott"}, {"proxies": ("synflow", "naswott")}])
def test_a_proxy_that_is_none_is_refused_before_anything_is_written(run, options):
    with pytest.raises(UnknownNameError, match=r"unknown proxy, got 'naswott'.*did you mean 'naswot'"):
        search(TINY, **SMALL | options, trials=1, run=run)
    assert not run.exists()


@pytest.mark.parametrize(
    ("options", "reference", "said"),
    [
        ({"proxies": ("naswot",), "strategy": "random"}, None, ["proxies has no effect: only the strategy predictor"]),
        ({"proxies": ("naswot",), "strategy": "predictor"}, None, []),
        ({"reference": {"accuracy": 0.5}}, {"accuracy": 0.5}, ["reference has no effect"]),
        ({"data": "digits", "data_root": "pictures"}, {"accuracy": 0.5}, ["data_root has no effect: digits is part"]),
        ({"data": "digits", "download": True}, {"accuracy": 0.5}, ["download has no effect: digits is part"]),
        ({"data": "fashion_mnist", "data_root": "pictures"}, {"accuracy": 0.5}, []),
        ({"data": "cifar10", "download": True}, {"accuracy": 0.5}, []),
        (
            {"data": "fashion_mnist", "download": True},
            {"accuracy": 0.5},
            ["download has no effect: fashion_mnist is read from its folder and cannot be downloaded"],
        ),
        ({"data": "image_folder", "download": True}, {"accuracy": 0.5}, ["download has no effect: image_folder is"]),
        ({"objectives": ("accuracy", "latency")}, None, ["no hypervolume is computed: an objective has no limit"]),
        ({"objectives": ("accuracy", "macs")}, {"accuracy": 0.0, "macs": 1.0}, []),
    ],
)
def test_options_without_effect_are_told_of(options, reference, said):
    told = list(without_effect(StudyConfig.of(**options), reference))
    assert len(told) == len(said)
    assert all(text.startswith(words) for text, words in zip(told, said, strict=True))


def test_a_strategy_that_cannot_search_the_space_is_refused_before_torch_is_loaded():
    code = (
        "import sys\n"
        "from inception_search.cli.main import run\n"
        "sys.argv = ['inception-search', 'search', '--strategy', 'cmaes']\n"
        "try: run()\n"
        "finally: assert 'torch' not in sys.modules"
    )
    refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "cmaes cannot search" in refused.stderr
    assert "AssertionError" not in refused.stderr
