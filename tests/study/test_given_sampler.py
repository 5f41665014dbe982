"""Studies that are searched with a sampler of Optuna's: what is remembered of it, and how they go on."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml
from optuna.samplers import BaseSampler, NSGAIIISampler, NSGAIISampler, RandomSampler

import inception_search as ins
from inception_search.errors import ConfigError
from inception_search.study.config import StudyConfig
from inception_search.study.context import given_again
from inception_search.study.search import resume
from tests.study.conftest import FakeStudy, Watch
from tests.study.fake_executor import World
from tests.study.spaces import TINY
from tests.study.test_resume import stop_at

SMALL: dict[str, Any] = {"epochs": 1, "train_images": 64, "image_size": 8, "workers": 1, "data": "digits"}


class Own(RandomSampler):
    """A user's own."""


@pytest.fixture(autouse=True)
def _without_optunas_warnings() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize(
    "strategy", ["optuna:NSGAIISampler", "optuna:NSGAIIISampler", "optuna:QMCSampler", "optuna:TPESampler", "own"]
)
def test_a_study_that_was_stopped_goes_on_as_if_it_had_not_been(
    tmp_path: Path, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"population_size": 5} if "NSGA" in strategy else {}
    chosen: Any = Own() if strategy == "own" else strategy
    given: dict[str, Any] = {"trials": 17, "strategy": chosen, "strategy_options": options, "pruner": "none"}
    whole = FakeStudy(tmp_path / "whole", TINY, World(), **given)
    assert whole.go()
    broken = FakeStudy(tmp_path / "broken", TINY, World(), **given)
    for _ in range(3):
        with monkeypatch.context() as patch:
            stop_at(patch, broken, epochs=14)
            assert not broken.go()
    assert broken.go()
    assert [record.holes for record in broken.records] == [record.holes for record in whole.records]
    assert len(broken.records) == 17


def test_a_sampler_of_optunas_is_stored_with_its_arguments() -> None:
    config = StudyConfig.of(strategy=NSGAIIISampler(population_size=8))
    assert (config.strategy, config.strategy_options) == ("optuna:NSGAIIISampler", {"population_size": 8})
    stored = yaml.safe_load(config.text({}))
    assert StudyConfig.of(strategy=stored["strategy"], strategy_options=stored["strategy_options"]) == config


def test_one_of_the_users_own_is_stored_by_its_import_path(tmp_path: Path) -> None:
    config = StudyConfig.of(strategy=Own(seed=3))
    path = tmp_path / "study.yaml"
    path.write_text(config.text({}), encoding="utf-8")
    assert yaml.safe_load(path.read_text())["strategy"] == f"python:{__name__}.Own"
    read = StudyConfig.read(path)
    assert read == config
    with pytest.raises(ConfigError, match=r"was passed from Python.*ins\.resume\(run, strategy=Own\(\.\.\.\)\)"):
        given_again(read, None)
    again = Own()
    assert given_again(read, again).strategy.sampler is again  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match=r"another sampler, got optuna:RandomSampler.*expected python:.*Own"):
        given_again(read, RandomSampler())


def test_another_sampler_than_the_studys_is_refused() -> None:
    config = StudyConfig.of(strategy=NSGAIISampler(population_size=8))
    assert given_again(config, NSGAIISampler(population_size=8)) == config
    with pytest.raises(ConfigError, match=r"got optuna:NSGAIISampler, with {'population_size': 9}"):
        given_again(config, NSGAIISampler(population_size=9))


def test_a_sampler_has_its_own_options() -> None:
    with pytest.raises(ConfigError, match="a sampler has its own options"):
        StudyConfig.of(strategy=RandomSampler(), strategy_options={"seed": 3})


@pytest.mark.parametrize("strategy", ["tpee", RandomSampler, object(), 3])
def test_what_is_no_strategy_is_refused(strategy: Any) -> None:
    with pytest.raises(ConfigError, match=r"strategy: not a usable value.*'optuna:NAME'"):
        StudyConfig.of(strategy=strategy)


def test_a_real_study_with_a_sampler_of_ones_own_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    sampler: BaseSampler = Own()
    study = ins.search(TINY, strategy=sampler, trials=3, run=run, progress=False, **SMALL)
    assert study.finished
    with pytest.raises(ConfigError, match="pass it again"):
        resume(run, trials=4)
    assert ins.resume(run, trials=4, strategy=Own(), progress=False).finished
    assert len(ins.open_run(run).optuna.trials) == 4


def test_a_study_says_what_a_genetic_algorithm_draws_at_random(tmp_path: Path) -> None:
    watch = Watch()
    options = {"trials": 1, "max_macs": 2_000_000, "observer": watch, "run": tmp_path / "run"}
    ins.search("inception_modules", strategy=NSGAIIISampler(), progress=False, **options, **SMALL)
    assert any("draws the rest at random: hole 'module.b0.width' is there only where" in note for note in watch.notes)
