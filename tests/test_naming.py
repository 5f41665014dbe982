"""One way of naming things: every form of docs/naming.md, in every function and verb that takes it."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import inception_search as ins
from inception_search.errors import ConfigError, InceptionSearchError, SpecError, UnknownNameError, WeightsError
from inception_search.items import item, trial_named
from tests.cli.conftest import Command, command  # noqa: F401 - the fixture
from tests.example import EXAMPLE
from tests.study.spaces import TINY

SEARCHED = {"trials": 2, "epochs": 1, "train_images": 64, "image_size": 8, "workers": 1, "width": 0.5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one network of every kind that has a path: runs/s (searched), net.yaml, model.safetensors."""
    folder = tmp_path_factory.mktemp("names")
    ins.search(TINY, run=folder / "runs/s", **SEARCHED)
    network = ins.load(folder / "runs/s:0")
    (folder / "net.yaml").write_text(ins.to_yaml(network), encoding="utf-8")
    ins.save_model(ins.compile(network, seed=0), folder / "model.safetensors")
    return folder


@pytest.fixture
def there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


NETWORKS = {
    "inception_v4": "inception_v4",
    "inception_v3@keras": "inception_v3@keras",
    "net.yaml": "tiny",
    "./net.yaml": "tiny",
    "model.safetensors": "tiny",
    "runs/s": "tiny",
    "runs/s:1": "tiny",
    "../{name}/runs/s:1": "tiny",
    "inception_v1..inception_v4:2": "inception",
}
MODULES = {
    "inception_v4.inception_a": "inception_a",
    "inception_v3@keras.mixed_5b": "mixed_5b",
    "net.yaml.module": "module",
    "model.safetensors.stem": "stem",
    "runs/s.module": "module",
    "runs/s:1.module": "module",
    "inception_v1..inception_v4:2.stem": "stem",
}
TAKE_NETWORKS: dict[str, Callable[[Any], Any]] = {
    "load": ins.load,
    "compile": lambda name: ins.compile(name, seed=0),
    "lower": ins.lower,
    "arch_id": ins.arch_id,
    "measure_network": lambda name: ins.measure_network(name, "macs"),
    "mutate": lambda name: ins.mutate(name, 0),
    "crossover": lambda name: ins.crossover(name, "inception_v4", 0),
    "edits_of": lambda name: next(ins.edits_of(name)),
    "edit_path": lambda name: ins.edit_path("inception_v4", name),
    "set_classes": lambda name: ins.set_classes(name, 3),
    "set_input": lambda name: ins.set_input(name, channels=1),
    "scale_depth": lambda name: ins.scale_depth(name, 1),
    "set_stem_stride": lambda name: ins.set_stem_stride(name, 2),
    "scale_width": lambda name: ins.scale_width(name, 0.5),
    "swap_stem": lambda name: ins.swap_stem(name, ins.load_module("inception_v1.conv1")),
    "drop_head": ins.drop_head,
}
TAKE_BOTH: dict[str, Callable[[Any], Any]] = {
    "draw": ins.draw,
    "view": ins.view,
    "diff": lambda name: ins.diff(name, name),
    "to_yaml": ins.to_yaml,
}


@pytest.mark.parametrize("words", NETWORKS)
def test_every_form_of_a_network_is_understood(words: str, there: Path) -> None:
    named = words.format(name=there.name)
    assert ins.load(named).name == NETWORKS[words]
    assert item(named).module is None


@pytest.mark.parametrize("words", MODULES)
def test_every_form_of_a_module_is_understood(words: str, there: Path) -> None:
    found = item(words)
    assert found.module == MODULES[words]
    assert ins.load_module(words) == found.step
    assert ins.to_yaml(words) == ins.to_yaml(ins.load_module(words))


def test_paths_may_be_path_objects(there: Path) -> None:
    assert ins.load(Path("net.yaml")) == ins.load("net.yaml")
    assert ins.load(Path("runs/s:1")) == ins.load("runs/s:1")
    assert ins.arch_id(Path("runs/s")) == ins.Study.open("runs/s").best.record.arch_id


@pytest.mark.parametrize("function", TAKE_NETWORKS)
def test_functions_of_a_network_take_its_name_and_say_so_of_a_module(function: str) -> None:
    call = TAKE_NETWORKS[function]
    call("inception_v1")
    with pytest.raises(SpecError, match=r"a whole network is needed .* got 'inception_v1.inception_3a'; expected"):
        call("inception_v1.inception_3a")


@pytest.mark.parametrize("function", TAKE_BOTH)
def test_functions_of_both_take_networks_and_modules_by_name(function: str, there: Path) -> None:
    for words in ("inception_v1", "inception_v1.inception_3a", "runs/s:1", "runs/s:1.module"):
        TAKE_BOTH[function](words)


def test_signatures_and_docs_are_those_of_the_functions() -> None:
    takes_a_name = re.compile(r"(Network|AnyStep).*str \| Path|NamedNetwork")
    functions = {name: getattr(ins, name) for name in ins.__all__ if inspect.isfunction(getattr(ins, name))}
    first = {name: next(iter(inspect.signature(each).parameters.values()), None) for name, each in functions.items()}
    found = {name for name, parameter in first.items() if parameter and takes_a_name.match(str(parameter.annotation))}
    assert {"lower", "set_classes", "edit_path", "draw", "normal_form"} <= found
    assert not {name for name in found if "docs/naming.md" not in functions[name].__doc__}
    assert "the network, or its name (docs/naming.md). If it has no classifier" in str(ins.set_classes.__doc__)
    assert ins.lower(network="inception_v1").cost() == ins.lower(ins.load("inception_v1")).cost()


def test_normal_form_takes_a_module_with_the_blocks_of_its_network() -> None:
    v4 = ins.load("inception_v4")
    wanted = ins.normal_form(v4.blocks["inception_a"], v4.blocks, v4.pool_defaults, v4.same_padding)
    assert ins.normal_form("inception_v4.inception_a") == wanted
    with pytest.raises(ConfigError, match="a module is needed here, and this is a whole network"):
        ins.normal_form("inception_v4")


WRONG: dict[str, tuple[type[InceptionSearchError], str]] = {
    "inception_v9": (UnknownNameError, "did you mean"),
    "inception_v4.inception_x": (UnknownNameError, "unknown module of inception_v4, got 'inception_x'"),
    "inception_v4@keres": (UnknownNameError, "dialect"),
    "runs/none:3": (InceptionSearchError, "runs/none: there is no such run folder"),
    "runs/s:77": (ConfigError, "runs/s: no such trial, got 77; expected 0 to 1"),
    "inception_v1..inception_v4:99": (ConfigError, "no such point on the path, got 99; expected"),
    "inception_v1..inception_v4": (ConfigError, "a point on a path is named by its number"),
    "inception_v1..inception_v9:1": (UnknownNameError, "did you mean"),
    "none.yaml": (InceptionSearchError, "none.yaml: no such file"),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_nothing_has_the_name_of(words: str, there: Path) -> None:
    kind, said = WRONG[words]
    for call in (ins.load, ins.draw, ins.compile):
        with pytest.raises(kind) as caught:
            call(words)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_study_that_wrote_no_best_network_yet_still_has_one(there: Path) -> None:
    best = ins.load("runs/s")
    (there / "runs/s/best.yaml").rename(there / "kept.yaml")
    try:
        assert ins.load("runs/s") == best
    finally:
        (there / "kept.yaml").rename(there / "runs/s/best.yaml")


class TestTrained:
    def test_the_model_of_a_trial_gets_the_accuracy_on_record(self, there: Path) -> None:
        data = ins.load_data("digits", limit=64, image_size=8).validation
        for record in ins.Study.open("runs/s").records:
            model = ins.load_model(f"runs/s:{record.number}")
            assert model.classes == tuple("0123456789")
            assert not model.training
            with torch.no_grad():
                right = model(ins.prepare_images(data.images, model)).argmax(1) == data.labels
            assert float(right.float().mean()) == pytest.approx(record.value, abs=1e-6)
            assert ins.arch_id(model.network) != record.arch_id  # half the width, as it was trained

    def test_a_run_folder_is_its_best_trial(self, there: Path) -> None:
        number = ins.Study.open("runs/s").best.number
        best, same = ins.load_model("runs/s").state_dict(), ins.load_model(f"runs/s:{number}").state_dict()
        assert all(torch.equal(best[key], same[key]) for key in same)

    def test_it_can_be_saved_and_read_anywhere(self, there: Path, tmp_path: Path) -> None:
        model = ins.load_model("runs/s")
        ins.save_model(model, tmp_path / "winner.safetensors")
        again = ins.load_model(tmp_path / "winner.safetensors")
        assert (again.network, again.classes) == (model.network, model.classes)
        assert again.network.preprocess is not None
        x = torch.rand(2, 1, 8, 8)
        assert torch.equal(again(x), model(x))

    def test_compile_takes_the_weights_of_a_trial(self, there: Path) -> None:
        trained = ins.load_model("runs/s:0")
        model = ins.compile("runs/s:0", width=0.5, num_classes=3, weights="runs/s:0")
        assert model.network.head.classes == 3
        assert torch.equal(model.state_dict()["stem.conv.weight"], trained.state_dict()["stem.conv.weight"])

    def test_weights_that_are_not_kept_say_whose_are(self, there: Path) -> None:
        kept = there / "runs/s/checkpoints/1.safetensors"
        kept.rename(there / "aside")
        try:
            with pytest.raises(WeightsError, match=r"no weights are kept of trial 1; .* whose weights are kept: 0\Z"):
                ins.load_model("runs/s:1")
        finally:
            (there / "aside").rename(kept)
        with pytest.raises(WeightsError, match=r"no weights are kept of trial 3: it is infeasible; no file is left in"):
            ins.load_model(f"{EXAMPLE}:3")

    def test_a_network_has_none(self) -> None:
        with pytest.raises(WeightsError, match="a network has no weights of its own, got 'inception_v4'"):
            ins.load_model("inception_v4")

    def test_convert_writes_a_trial_as_a_model(self, there: Path, command: Command) -> None:  # noqa: F811
        said = command("convert", there / "runs/s:0", "-o", "winner.safetensors")
        assert said.code == 0, said.err
        assert ins.load_model("winner.safetensors").network.preprocess is not None


@pytest.mark.parametrize("words", ["inception_v1.inception_3a", f"{EXAMPLE}:12.module", f"{EXAMPLE}:12", str(EXAMPLE)])
def test_verbs_understand_the_same_names(words: str, command: Command) -> None:  # noqa: F811
    shown = json.loads(command("show", words, "--json").out)
    assert shown["name"].endswith(item(words).name)
    assert shown["cost"]["params"] == sum(row["params"] for row in shown["rows"])
    for verb in (
        ["show", words],
        ["show", words, "--yaml"],
        ["draw", words, "-o", "a.svg"],
        ["view", words, "-o", "a.html"],
    ):
        assert command(*verb).code == 0, verb
    assert command("diff", words, words, "--json").code == 0


def test_show_gives_the_costs_of_a_module_as_in_its_network(command: Command) -> None:  # noqa: F811
    module = json.loads(command("show", "inception_v1.inception_3a", "--json").out)
    network = json.loads(command("show", "inception_v1", "--json").out)
    row = next(row for row in network["rows"] if row["path"] == "inception_3a")
    assert (module["cost"]["params"], module["cost"]["macs"]) == (row["params"], row["macs"])
    assert module["input"] == [192, 28, 28]
    assert "a module has no classes" in command("show", "inception_v1.inception_3a", "--classes", 3).err


@pytest.mark.parametrize(
    ("words", "number"), [("runs/s", None), ("runs/s:3", 3), ("net.yaml", False), ("inception_v1..net.yaml:3", False)]
)
def test_what_names_a_trial(words: str, number: int | bool | None, there: Path) -> None:
    trial = trial_named(words)
    assert (False if trial is None else trial.number) is number


@pytest.fixture(scope="module")
def finals(folder: Path) -> Any:
    """Final trainings of another study beside it, runs/f: three networks, one of them found, with two seeds each."""
    ins.search(TINY, run=folder / "runs/f", progress=False, **{**SEARCHED, "trials": 3})
    options = {"top": 1, "seeds": 2, "train_images": 64, "image_size": 16, "workers": 2}
    return ins.finalize(folder / "runs/f", progress=False, **options)


class TestFinal:
    """The networks that ``finalize`` trained, by the names ``runs/f:final`` and ``runs/f:final:1``."""

    def test_it_is_the_best_network_and_seed_by_validation(self, finals: Any, there: Path) -> None:
        row = max(finals.rows, key=lambda row: (row.validation, -row.macs))
        training = max(row.trainings, key=lambda training: training.validation)
        assert training == finals.best
        best, direct = ins.load_model("runs/f:final"), ins.load_model(training.file)
        assert all(torch.equal(tensor, direct.state_dict()[name]) for name, tensor in best.state_dict().items())
        for row in finals.rows:
            number = row.entrant.record.number
            one = ins.load_model(f"runs/f:final:{number}").network
            assert (
                ins.arch_id(one)
                == ins.arch_id(f"runs/f:final:{number}")
                == ins.arch_id(row.trainings[0].network(row.entrant.record))
            )
            assert ins.measure_network(one, "macs") == row.macs

    def test_every_file_is_a_whole_model_with_the_accuracy_on_record(self, finals: Any, command: Command) -> None:  # noqa: F811
        data = ins.load_data("digits", limit=64, image_size=16).validation
        for row in finals.rows:
            for record, training in zip(row.records, row.trainings, strict=True):
                model = ins.load_model(training.file)
                assert model.classes == tuple("0123456789")
                with torch.no_grad():
                    right = model(ins.prepare_images(data.images, model)).argmax(1) == data.labels
                assert float(right.float().mean()) == pytest.approx(record.validation_accuracy, abs=1e-6)
        assert command("show", training.file).code == 0
        assert command("convert", training.file).code == 0

    def test_functions_and_verbs_take_it(self, finals: Any, command: Command) -> None:  # noqa: F811
        name = f"{finals.run.path}:final"
        assert ins.load(name).input.shape == (1, 16, 16)
        model = ins.compile(name, num_classes=3, weights=name)
        assert ins.prepare_images(torch.zeros(1, 20, 20, dtype=torch.uint8), model).shape == (1, 1, 16, 16)
        assert ins.load_module(f"{name}.module") == ins.load(name).blocks["module"]
        for verb in (["show"], ["draw", "-o", "a.svg"], ["view", "-o", "a.html"], ["convert", "-o", "f.safetensors"]):
            assert command(verb[0], name, *verb[1:]).code == 0, verb
        assert ins.load_model("f.safetensors").network.preprocess == ins.load_model(name).network.preprocess
        assert command("diff", name, f"{name}:0", "--json").code == 0

    def test_what_there_is_not_is_said(self, finals: Any, there: Path) -> None:
        with pytest.raises(ConfigError, match=r"no final training of this trial, got 77; expected one of 0, 1, 2"):
            ins.load_model("runs/f:final:77")
        for call in (ins.load, ins.load_model):
            with pytest.raises(
                InceptionSearchError, match=r"no final training of the study is finished; inception-search fin"
            ):
                call(f"{EXAMPLE}:final")
        kept, text = finals.best.file, (there / "runs/f/finals.json").read_text()
        kept.rename(there / "aside")
        (there / "runs/f/finals.json").write_text(text.replace('"rows"', '"lines"'))
        try:
            with pytest.raises(InceptionSearchError, match=r"finals.json: the final trainings cannot be read"):
                ins.load_model("runs/f:final")
            (there / "runs/f/finals.json").write_text(text)
            with pytest.raises(WeightsError, match=r"are missing; restore .*safetensors, or train again"):
                ins.load_model("runs/f:final")
        finally:
            (there / "aside").rename(kept)


def test_weights_of_a_run_bring_their_normalisation(there: Path) -> None:
    trained = ins.load_model("runs/s:1")
    other = ins.compile("runs/s:1", width=0.5, num_classes=5, weights="runs/s:1")
    picture = torch.randint(0, 256, (1, 12, 12), dtype=torch.uint8)
    assert torch.equal(ins.prepare_images(picture, other), ins.prepare_images(picture, trained))
    stated = ins.to_yaml(trained.network).replace("preprocess:", "preprocess:\n  scale: 255")  # another normalisation
    assert ins.compile(stated, weights="runs/s:1").network.preprocess == trained.network.preprocess
    assert ins.compile("runs/s:1", width=0.5, in_channels=3, weights="runs/s:1").network.preprocess is None
