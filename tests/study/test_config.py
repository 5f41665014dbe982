"""The options of a search: checked, written down whole, read back the same."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_search.errors import ConfigError, InceptionSearchError
from inception_search.measures.budget import LIMITS, Budget
from inception_search.study.config import FIDELITY, StudyConfig, facts_of
from inception_search.study.pruner_options import AshaOptions
from inception_search.training.fidelity import Fidelity

TEXTS = [
    "12e4",
    "1234567890123e45",
    "0x10",
    "1_000",
    "nan",
    ".inf",
    "null",
    "~",
    "true",
    "yes",
    "no",
    "1:30",
    "-",
    "- a",
]
TEXTS += [
    "a: b",
    "#a",
    "a #b",
    "'",
    '"',
    "&a",
    "*a",
    "!a",
    "%a",
    "@a",
    "`a",
    "[a",
    "{a",
    "2025-01-31",
    "=",
    "<<",
    " a ",
    "ä/ö",
]


def written(tmp_path: Path, config: StudyConfig, facts: dict[str, object]) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(config.text(facts), encoding="utf-8")
    return path


@pytest.mark.parametrize("text", TEXTS)
def test_any_name_is_read_back_as_it_was_written(tmp_path, text):
    config = StudyConfig.of(space=text, run=text, data_root=text)
    path = written(tmp_path, config, {"data": {"fingerprint": text, "sizes": [1, 2]}})
    assert StudyConfig.read(path) == config
    assert facts_of(path) == {"data": {"fingerprint": text, "sizes": [1, 2]}}


@given(text=st.text("0123456789abcdef", min_size=16, max_size=16))
def test_a_fingerprint_is_never_taken_for_a_number(tmp_path_factory, text):
    path = written(tmp_path_factory.getbasetemp(), StudyConfig(), {"space": text})
    assert facts_of(path) == {"space": text}


def test_every_option_is_written_down(tmp_path):
    config = StudyConfig.of(trials=3, learning_rate=0.05, max_macs=10**9, baselines=False, batch_size=2, workers=3)
    assert StudyConfig.read(written(tmp_path, config, {})) == config


def test_a_path_is_as_good_as_a_text():
    config = StudyConfig.of(space=Path("a/b.yaml"), run=Path("runs/x"), data_root=Path("d"))
    assert (config.space, config.run, config.data_root) == ("a/b.yaml", "runs/x", "d")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("trials", True),
        ("trials", 3.5),
        ("trials", "three"),
        ("trials", 10**16),
        ("epochs", 0),
        ("batch_size", 1),
        ("learning_rate", "small"),
        ("learning_rate", float("inf")),
        ("trial_seconds", 0),
        ("seed", 2**31),
        ("space", ""),
        ("space", 3),
        ("data", None),
        ("download", "perhaps"),
        ("strategy", "gird"),
        ("pruner", ["median"]),
        ("workers", -1),
        ("max_depth", 0),
        ("max_activation_bytes", "1 MB"),
        ("max_latency_ms", 0),
        ("max_latency_ms", float("nan")),
        ("min_receptive_field", 2.5),
    ],
)
def test_a_value_that_cannot_be_used_is_named(option, value):
    with pytest.raises(ConfigError, match=f"^{option}: not a usable value") as raised:
        StudyConfig.of(**{option: value})
    assert "\n" not in str(raised.value)


LIMITS_SET = {
    "max_macs": 10**9,
    "max_params": 10**6,
    "max_activation_bytes": 10**8,
    "max_depth": 20,
    "max_latency_ms": 1.5,
    "min_macs": 10,
    "min_params": 11,
    "min_depth": 3,
    "min_receptive_field": 31,
}


def test_every_limit_is_an_option_of_the_same_name(tmp_path):
    assert set(LIMITS_SET) == set(LIMITS)
    config = StudyConfig.of(**LIMITS_SET)
    assert config.budget.on("cuda", 2) == Budget(**LIMITS_SET, device="cuda", threads=2)
    assert StudyConfig.read(written(tmp_path, config, {})) == config
    assert StudyConfig().budget.on() == Budget()


def test_limits_that_contradict_each_other_are_told_with_their_line(tmp_path):
    path = tmp_path / "search.yaml"
    path.write_text("max_depth: 3\nmin_depth: 4\n")
    with pytest.raises(
        ConfigError, match=r"search\.yaml:2: min_depth: min_depth is above max_depth, got 4; expected at"
    ):
        StudyConfig.read(path)
    with pytest.raises(ConfigError, match=r"^min_depth: min_depth is above max_depth, got 9"):
        StudyConfig.read(path, min_depth=9)


NESTED = """\
trials: 3
training:
  epochs: 2
  optimizer: adamw
budget: {max_macs: 10M, min_depth: 4}
"""


def test_options_may_be_written_in_groups_and_are_the_same(tmp_path):
    path = tmp_path / "search.yaml"
    path.write_text(NESTED)
    config = StudyConfig.read(path)
    alone = {"trials": 3, "epochs": 2, "optimizer": "adamw", "max_macs": "10M", "min_depth": 4}
    assert config == StudyConfig.of(**alone)
    assert config == StudyConfig.of(trials=3, training=config.training, budget=config.budget)
    assert config == StudyConfig.of(**config.model_dump()) == StudyConfig.of(**config.options())
    assert StudyConfig.read(path, epochs=5).training.epochs == 5
    assert StudyConfig.read(path, training={"epochs": 5}).training == config.training.model_copy(update={"epochs": 5})
    assert StudyConfig.read(written(tmp_path, config, {})) == config


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            "epochs: 2",
            "epochs: 0",
            r"search\.yaml:3: training\.epochs: not a usable value, got 0; expected a whole number of",
        ),
        ("epochs: 2", "epoch: 2", r"search\.yaml:3: training\.epoch: .* got 'epoch'; .*did you mean 'epochs'"),
        ("epochs: 2", "trials: 2", r"search\.yaml:3: training\.trials: the group training has no such option"),
        (
            "trials: 3",
            "epochs: 3",
            r"search\.yaml:3: training\.epochs: the option is written twice, got 3; leave out ep",
        ),
        ("{max_macs: 10M, min_depth: 4}", "10M", r"search\.yaml:5: budget: not a group of options, got '?10"),
        (
            "min_depth: 4",
            "max_depth: 4, min_depth: 5",
            r"search\.yaml:5: budget\.min_depth: min_depth is above max_depth",
        ),
        ("adamw", "adam", r"search\.yaml:4: training\.optimizer: .*did you mean 'adamw'"),
    ],
)
def test_what_is_wrong_in_a_group_is_told_with_its_line(tmp_path, before, after, words):
    path = tmp_path / "search.yaml"
    path.write_text(NESTED.replace(before, after))
    with pytest.raises(ConfigError, match=words):
        StudyConfig.read(path)


# As it was written before there were more limits than two.
EARLIER = """\
schema: inception-search/study
version: 1
space: inception_modules
data: digits
data_root: null
image_size: null
train_images: 400
download: false
trials: 70
max_macs: 5000000
max_params: null
baselines: true
sampler: tpe
pruner: median
epochs: 6
batch_size: 32
learning_rate: null
precision: float32
workers: null
device: auto
trial_seconds: 3600.0
seed: 0
run: runs/first
facts:
  device: cpu
"""


def test_a_study_file_of_an_earlier_version_is_read(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(EARLIER)
    config = StudyConfig.read(path)
    assert (config.trials, config.run, config.strategy) == (70, "runs/first", "tpe")
    assert config.budget.on() == Budget(max_macs=5_000_000)


def test_a_broken_option_given_beside_a_file_is_not_blamed_on_the_file(tmp_path):
    path = tmp_path / "search.yaml"
    path.write_text("trials: 3\n")
    with pytest.raises(ConfigError, match=r"^trials: "):
        StudyConfig.read(path, trials=0)
    path.write_text("trials: 0\n")
    with pytest.raises(ConfigError, match=r"search\.yaml:1: trials: "):
        StudyConfig.read(path, epochs=1)


@pytest.mark.parametrize("facts", ["3", "[1]", "{data: 5}", "{space: {a: 1}}"])
def test_facts_that_are_damaged_are_no_facts(tmp_path, facts):
    path = tmp_path / "study.yaml"
    path.write_text(f"trials: 3\nfacts: {facts}\n")
    assert isinstance(facts_of(path), dict)


def test_only_what_was_chosen_reaches_the_training():
    defaults = StudyConfig().fidelity(None)
    assert Fidelity.from_dict(defaults) == Fidelity()
    assert not {"batch_size", "learning_rate", "threads", "schedule"} & set(defaults)
    given_ = StudyConfig.of(batch_size=32, learning_rate=0.2).fidelity(1)
    assert given_ == {**defaults, "batch_size": 32, "learning_rate": 0.2, "threads": 1}


def test_trainings_that_may_pause_have_a_schedule_whose_parts_can_be_compared():
    fidelity = Fidelity.from_dict(StudyConfig.of(pruner="asha", epochs=9).fidelity(None))
    assert (fidelity.schedule, fidelity.decay) == ("constant", 0.3)
    assert StudyConfig.of(pruner="asha", epochs=9).rungs == (1, 3)
    assert StudyConfig.of(pruner="hyperband", epochs=28, min_epochs=2, eta=4).rungs == (2, 8)
    assert StudyConfig.of(pruner="asha", schedule="cosine").fidelity(None)["schedule"] == "cosine"
    assert StudyConfig.of(epochs=9).rungs == ()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"pruner": "asha", "epochs": 9},
        {"pruner": "asha", "schedule": "constant"},
        {"optimizer": "adamw", "schedule": "cosine"},
        {"batch_size": 7, "learning_rate": 0.3, "label_smoothing": 0.0, "curve_images": 5},
    ],
)
def test_a_resolved_configuration_has_no_empty_setting_and_trains_the_same(tmp_path, options):
    config = StudyConfig.of(**options)
    resolved = config.resolved(train_images=6_000, image_size=28)
    left = {name for name in FIDELITY if getattr(resolved, name) is None}
    assert left == {"train_images"}  # all of them
    chosen = {"batch_size": 64, "image_size": 28} | options
    assert {name: getattr(resolved, name) for name in chosen} == chosen
    sizes = {"batch_size": resolved.batch_size, "image_size": 28}
    assert Fidelity.from_dict(resolved.fidelity(1)) == Fidelity.from_dict(config.fidelity(1) | sizes)
    assert StudyConfig.read(written(tmp_path, resolved, {})) == resolved


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"objectives": "acuracy"}, "unknown objective, got 'acuracy'.*did you mean 'accuracy'"),
        ({"objectives": "accuracy, accuracy"}, "not a list of objectives"),
        ({"objectives": []}, "not a list of objectives"),
        ({"objectives": ["macs", "params"]}, "nothing would be learned.*limit the costs instead, e.g. with max_macs"),
        ({"objectives": "accuracy,macs", "reference": {"accuracy": 0.5}}, "a value for each of accuracy, macs"),
    ],
)
def test_objectives_that_cannot_be_used_are_named(options, words):
    with pytest.raises(InceptionSearchError, match=words):
        StudyConfig.of(**options)


def test_repeats_of_the_best_need_repeats():
    assert StudyConfig.of(repeats=2, repeat_top=3).repeat_top == 3
    with pytest.raises(ConfigError, match=r"repeat_top: no effect unless repeats > 1, got 3; .*repeats: 3"):
        StudyConfig.of(repeat_top=3)


def test_objectives_are_a_list_or_a_text_with_commas(tmp_path):
    config = StudyConfig.of(objectives="accuracy, macs", reference={"accuracy": 0.1, "macs": 1e7}, warm_start="a,b")
    assert (config.objectives, config.warm_start) == (("accuracy", "macs"), ("a", "b"))
    assert StudyConfig.read(written(tmp_path, config, {})) == config


def test_the_options_of_the_pruner_win_over_those_of_the_study(tmp_path):
    config = StudyConfig.of(pruner="asha", epochs=30, eta=3, pruner_options={"eta": 4, "min_epochs": "2"})
    assert (config.eta, config.min_epochs, config.rungs) == (4, 2, (2, 8))
    assert StudyConfig.read(written(tmp_path, config, {})) == config
    assert StudyConfig.of(pruner="asha", epochs=30, eta=5).pruning == AshaOptions(eta=5)


@pytest.mark.parametrize(
    ("pruner", "options", "told"),
    [
        ("asha", {"etta": 4}, r"pruner asha has no such option; got 'etta'|did you mean 'eta'"),
        ("none", {"eta": 4}, "expected no options"),
        ("median", {"startup": 0}, "pruner_options.startup: not a usable option of pruner median, got 0"),
        ("median", "startup", "expected a mapping, or name=value"),
    ],
)
def test_options_that_a_pruner_does_not_have_are_refused(pruner, options, told):
    with pytest.raises(ConfigError, match=told):
        StudyConfig.of(pruner=pruner, pruner_options=options)


def test_options_are_written_in_three_ways(tmp_path):
    expected = {"population": 20, "twice": 0.5, "label": "a", "on": True}
    for given_ in (
        expected,
        ["population=20", "twice=0.5", "label=a", "on=true"],
        "population=20,twice=.5,label=a,on=true",
    ):
        assert StudyConfig.of(strategy_options=given_).strategy_options == expected


def test_flags_win_over_a_file_one_by_one(tmp_path):
    path = tmp_path / "search.yaml"
    path.write_text("strategy_options: {population: 20, tournament: 5}\n", encoding="utf-8")
    config = StudyConfig.read(path, strategy_options=["tournament=3"])
    assert config.strategy_options == {"population": 20, "tournament": 3}
    assert StudyConfig.read(written(tmp_path, config, {})) == config
