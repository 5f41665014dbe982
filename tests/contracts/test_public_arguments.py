# ruff: noqa: E501 (a table: one row a line)
"""Whatever a public function is given, it works or says what it expected: one of our errors, in one paragraph.

Every argument of every row's call is replaced by every wrong value. A public name without a row fails.
"""

from __future__ import annotations

import inspect
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from optuna.trial import FixedTrial

import inception_search as ins
import tests.torchvision_shim  # noqa: F401 - before timm
from inception_search.arguments.later import resolved
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import InceptionSearchError
from inception_search.execution.optimized_model import OptimizedModel
from inception_search.figures.figure import Figure
from inception_search.figures.page.html_page import Page
from inception_search.graph.ops.act import Act
from inception_search.graph.ops.input import Input
from inception_search.graph.types import FeatureMap
from inception_search.options import option_fields
from inception_search.space.sampling import first
from inception_search.study.config import StudyConfig
from inception_search.study.final.options import FinalOptions
from tests.example import EXAMPLE

LONGEST = 1_500  # characters of an error
INSIDE = {
    "NetworkModule.recall",
    "NetworkModule.remember",
    "NetworkModule.load_state_dict",
    "NetworkModule.state_dict",
    "NetworkModule.train",
    "Network.model_post_init",
}  # the package's own, and torch's
SMALL = """\
schema: inception-search/network
version: 1
name: n
input: 3x16x16
preprocess: {mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], resize: 18}
blocks: {m: {concat: [1x1 4, [1x1 2, 3x3 4]]}}
stages: {stem: 3x3 4 s2, body: 2 x m}
head: {pool: avg, classes: 3}
"""
SPACE = """\
schema: inception-search/space
version: 1
name: s
network:
  name: n
  input: 3x16x16
  blocks: {module: {concat: [1x1 4, {conv: {kernel: {$choice: [3x3, 5x5]}, width: {$int: [4, 8, 4], $name: w}}}]}}
  stages: {stem: 3x3 4 s2, body: 2 x module}
  head: {pool: avg, classes: 3}
"""


def endless() -> list[Any]:
    values: list[Any] = []
    values.append(values)
    return values


class Liar:
    """Looks like a number, and is none."""

    shape = ()

    def item(self) -> object:
        raise ValueError("no\nnumber\x1b[31m")

    def __repr__(self) -> str:
        raise RuntimeError


WRONG: dict[str, Any] = {
    "None": None,
    "True": True,
    "-1": -1,
    "0": 0,
    "2.5": 2.5,
    "nan": float("nan"),
    "inf": float("inf"),
    "huge": 10**400,
    "empty text": "",
    "nonsense": "nonsense",
    "control": "a\n\x1b[31m\0\ud800",
    "long": "x" * 10_000,
    "bytes": b"x",
    "list": [],
    "dict": {},
    "set": {1},
    "object": object(),
    "class": int,
    "lambda": lambda *args: None,
    "no file": Path("no/such/file.yaml"),
    "folder": Path("/"),
    "endless": endless(),
    "array": np.zeros(3),
    "number": np.int64(3),
    "tensor": torch.zeros(2, 2),
    "liar": Liar(),
    "mixed": {"a": None, 3: []},
    "texts": ["a", 3],
}


class Row(NamedTuple):
    """A call that works (or ends in one of our errors), with every argument to be replaced."""

    call: Callable[..., Any]
    arguments: Callable[[], dict[str, Any]]
    refused: bool = False
    """Whether the call as it stands is refused, too: it would do too much here."""
    slow: tuple[str, ...] = ()
    """Flags that cost seconds when they are set."""
    calls: tuple[str, ...] = ()
    """Functions of the caller's, whose own errors are not ours."""
    writes: bool = False
    """Whether it writes a file wherever it is asked to."""


@cache
def net() -> Any:
    return ins.load(SMALL)


@cache
def space() -> Any:
    return ins.load_space(SPACE)


@cache
def model() -> Any:
    return ins.compile(SMALL, seed=0)


@cache
def fast() -> Any:
    return ins.optimize(ins.compile(SMALL, seed=0).eval())


@cache
def classifier() -> NetworkModule:
    return ins.compile(SMALL)


def edit() -> dict[str, Any]:
    found = next(iter(ins.edits_of(net(), ["set_width"])))
    return {"name": found.name, "place": found.place, "before": found.before, "after": found.after, "at": None}


def point() -> dict[str, Any]:
    return dict(space().sample(0))


def defaults(config: Any) -> dict[str, Any]:
    return {name: field.default for name, field in option_fields(config).items()}


@cache
def other() -> Any:
    return ins.load(SMALL.replace("1x1 2, 3x3 4", "1x1 2, 5x5 4, 3x3 8").replace("stem: 3x3 4", "stem: 5x5 8"))


@cache
def picture() -> Figure:
    return ins.draw(net())


@cache
def page() -> Page:
    return ins.view(net())


@cache
def saved() -> str:
    return str(ins.save_model(model(), Path(tempfile.mkdtemp()) / "n.safetensors"))


def begun() -> ins.GraphBuilder:
    builder = ins.GraphBuilder()
    builder.add(Input(FeatureMap(3, 8, 8)), (), "input")
    return builder


def said(**given: Any) -> str:
    return str(InceptionSearchError(**given))


IMAGES = torch.zeros(1, 3, 20, 20, dtype=torch.uint8)
LIMITS = ("max_macs", "max_params", "max_activation_bytes", "max_depth", "min_macs", "min_params", "min_depth")
MAX_MACS = ins.Budget(max_macs=10**9)
ROWS: dict[str, Row] = {
    "Budget": Row(ins.Budget, lambda: {**dict.fromkeys(LIMITS, 10), "max_latency_ms": 2.0, "min_receptive_field": 3, "device": "cpu", "threads": 1}),
    "Budget.excess": Row(MAX_MACS.excess, lambda: {"network": net()}),
    "Budget.only": Row(MAX_MACS.only, lambda: {"is_max": True, "by_width": False}),
    "Budget.violation": Row(MAX_MACS.violation, lambda: {"network": net()}),
    "Budget.worst": Row(MAX_MACS.worst, lambda: {"network": net()}),
    "Edit": Row(ins.Edit, edit),
    "Edit.apply": Row(lambda **given: ins.Edit(**edit()).apply(**given), lambda: {"network": net()}),
    "Edit.from_dict": Row(ins.Edit.from_dict, lambda: {"data": ins.Edit(**edit()).to_dict()}),
    "Figure.printed": Row(lambda **given: picture().printed(**given), lambda: {"width": "10cm", "font_size": 8, "palette": "grey"}),
    "Figure.save": Row(lambda **given: picture().save(**given), lambda: {"path": "out/n.svg"}),
    "Figure.text": Row(lambda **given: picture().text(**given), lambda: {"suffix": ".txt"}),
    "Graph": Row(ins.Graph, lambda: {"nodes": ins.lower(net()).nodes, "outputs": (0,)}),
    "Graph.input_types": Row(lambda **given: ins.lower(net()).input_types(**given), lambda: {"node": ins.lower(net()).nodes[1]}),
    "GraphBuilder": Row(ins.GraphBuilder, dict),
    "GraphBuilder.add": Row(lambda **given: begun().add(**given), lambda: {"op": Act("relu"), "inputs": (0,), "path": "relu"}),
    "GraphBuilder.build": Row(lambda output: begun().build(output), lambda: {"output": 0}),
    "GraphBuilder.type": Row(lambda **given: begun().type(**given), lambda: {"index": 0}),
    "InceptionSearchError": Row(said, lambda: {"rule": "wrong", "place": None, "path": "a", "found": 1, "expected": "b", "hint": "c"}),
    "InceptionSearchError.at": Row(lambda **given: str(InceptionSearchError("wrong").at(**given)), lambda: {"file": "a", "line": 1, "path": "b"}),
    "Network": Row(ins.Network, lambda: {name: getattr(net(), name) for name in ins.Network.model_fields if name != "schema_"} | {"schema": "inception-search/network"}),
    "Network.resolve": Row(lambda **given: net().resolve(**given), lambda: {"step": net().stages["stem"]}),
    "NetworkModule.feature_extractor": Row(lambda **given: model().feature_extractor(**given), lambda: {"stages": ["stem"]}),
    "NetworkModule.features": Row(lambda **given: model().features(**given), lambda: {"x": torch.zeros(1, 3, 16, 16), "stages": ["stem"]}),
    "NetworkModule.forward_features": Row(lambda **given: model().forward_features(**given), lambda: {"x": torch.zeros(1, 3, 16, 16)}),
    "NetworkModule.forward_head": Row(lambda **given: model().forward_head(**given), lambda: {"x": model().forward_features(torch.zeros(1, 3, 16, 16)), "pre_logits": True}),
    "NetworkModule.freeze": Row(lambda **given: model().freeze(**given), lambda: {"stages": ["stem"], "until": "stem"}),
    "NetworkModule.reset_classifier": Row(lambda **given: classifier().reset_classifier(**given), lambda: {"num_classes": 4, "global_pool": "max"}),
    "OptimizedModel.forward": Row(lambda **given: fast().forward(**given), lambda: {"images": torch.zeros(1, 3, 16, 16)}),
    "OptimizedModel.predict": Row(lambda **given: fast().predict(**given), lambda: {"images": torch.zeros(3, 3, 16, 16), "batch_size": 2, "workers": 1}),
    "Page.save": Row(lambda **given: page().save(**given), lambda: {"path": "out/n.html"}),
    "Space": Row(ins.Space, lambda: {"text": SPACE, "file": "s.yaml"}),
    "Space.changed": Row(lambda **given: space().changed(**given), lambda: {"params": point(), "update": {"w": 8}}),
    "Space.contains": Row(lambda **given: space().contains(**given), lambda: {"network": net()}),
    "Space.decode": Row(lambda **given: space().decode(**given), lambda: {"params": point(), "layout": space().decode(point())}),
    "Space.distance": Row(lambda **given: space().distance(**given), lambda: {"one": point(), "other": point()}),
    "Space.draw": Row(lambda **given: space().draw(**given), lambda: {"seed": 0, "by": "holes"}),
    "Space.encode": Row(lambda **given: space().encode(**given), lambda: {"network": space().decode(point())}),
    "Space.fill": Row(lambda **given: space().fill(**given), lambda: {"answer": first}, calls=("answer",)),
    "Space.neighbour": Row(lambda **given: space().neighbour(**given), lambda: {"params": point(), "seed": 0, "steps": (1,)}),
    "Space.neighbours": Row(lambda **given: space().neighbours(**given), lambda: {"params": point()}),
    "Space.path": Row(lambda **given: space().path(**given), lambda: {"start": point(), "goal": {**point(), "w": 8}, "valid": lambda network: True}),
    "Space.sample": Row(lambda **given: space().sample(**given), lambda: {"seed": 0, "by": "points"}),
    "Space.suggest": Row(lambda **given: space().suggest(**given), lambda: {"trial": FixedTrial(point())}),
    "Space.why_not": Row(lambda **given: space().why_not(**given), lambda: {"network": net()}),
    "Space.with_module": Row(lambda **given: space().with_module(**given), lambda: {"step": net().blocks["m"]}),
    "Study": Row(ins.Study, lambda: {"run": ins.Study.open(EXAMPLE).run, "finished": True}),
    "Study.open": Row(ins.Study.open, lambda: {"path": EXAMPLE}),
    "arch_id": Row(ins.arch_id, lambda: {"network": net()}),
    "compile": Row(ins.compile, lambda: {"network": SMALL, "num_classes": 4, "in_channels": 3, "input_size": (16, 16), "stem_stride": 2, "global_pool": "avg", "width": 1.0, "depth": 1.0, "aux": False, "weights": None, "download": False, "seed": 0}),
    "crossover": Row(ins.crossover, lambda: {"a": net(), "b": other(), "seed": 0, "space": None}),
    "list_dialects": Row(ins.list_dialects, lambda: {"network": "inception_v3"}),
    "diff": Row(ins.diff, lambda: {"a": net(), "b": other(), "network_a": None, "network_b": None, "input_shape": None}),
    "draw": Row(ins.draw, lambda: {"item": net().blocks["m"], "style": "plain", "flow": "down", "title": "t", "network": net(), "input_shape": (3, 8, 8), "blocks": False, "width": "10cm", "font_size": 8, "palette": "grey"}),
    "drop_head": Row(ins.drop_head, lambda: {"network": net(), "pool": "max"}),
    "edits_of": Row(ins.edits_of, lambda: {"network": net(), "names": ["set_width"]}),
    "export_weights": Row(ins.export_weights, lambda: {"module": model(), "implementation": "timm"}, refused=True),
    "finalize": Row(ins.finalize, lambda: {**defaults(FinalOptions), "run": "no/run", "progress": False, "observer": None}, refused=True),
    "list_models": Row(ins.list_models, lambda: {"filter": "*v1*", "exclude_filters": ["*@*"], "dialects": True}),
    "load": Row(ins.load, lambda: {"network": SMALL}),
    "load_data": Row(ins.load_data, lambda: {"name": "digits", "root": None, "image_size": 8, "seed": 0, "download": False, "limit": 20, "validation_images": 20}),
    "load_model": Row(ins.load_model, lambda: {"model": saved()}),
    "export": Row(ins.export, lambda: {"model": fast().model, "to": "safetensors", "path": "out/e.safetensors", "dtype": "float32", "keep_norms": False, "preprocess": False, "dynamic_size": False, "int8": False, "calibrate": None, "images": None, "check": False, "force": True}, writes=True),
    "load_space": Row(ins.load_space, lambda: {"space": SPACE}),
    "load_weights": Row(ins.load_weights, lambda: {"module": model(), "weights": model().state_dict(), "allowed": None}),
    "lower": Row(ins.lower, lambda: {"network": net(), "aux": True}),
    "measure_network": Row(ins.measure_network, lambda: {"network": net(), "name": "params", "device": "cpu"}),
    "load_module": Row(ins.load_module, lambda: {"reference": "inception_v1.stem"}, refused=True),
    "mutate": Row(ins.mutate, lambda: {"network": net(), "seed": 0, "space": None, "mix": {"set_width": 1}, "different": True}),
    "normal_form": Row(ins.normal_form, lambda: {"step": net().stages["body"], "blocks": net().blocks, "pool_defaults": net().pool_defaults, "same_padding": "tf"}),
    "open_run": Row(ins.open_run, lambda: {"run": EXAMPLE}),
    "optimize": Row(ins.optimize, lambda: {"model": fast().model, "batch_size": 2, "dtype": "float32", "record": False}),
    "parse_step": Row(ins.parse_step, lambda: {"text": "3x3 8", "file": "a.yaml"}),
    "edit_path": Row(ins.edit_path, lambda: {"start": space().decode(point()), "goal": space().decode({**point(), "w": 8}), "space": space(), "via": []}),
    "prepare_images": Row(ins.prepare_images, lambda: {"images": IMAGES, "network": net()}),
    "published_weights": Row(ins.published_weights, lambda: {"network": "inception_v3@timm"}),
    "push_to_hub": Row(ins.push_to_hub, lambda: {"model": saved(), "repo": "no name", "private": False, "token": "t", "message": "m", "license": "mit", "revision": "main"}, refused=True),
    "register_timm": Row(ins.register_timm, lambda: {"networks": {"ins_row": net()}, "prefix": "ins_", "force": True}),
    "resume": Row(ins.resume, lambda: {"run": "no/run", "trials": 2, "space": None, "strategy": None, "progress": False, "observer": None}, refused=True),
    "sample_within": Row(ins.sample_within, lambda: {"space": space(), "budget": MAX_MACS, "seed": 0, "tries": 3, "shape": (3, 16, 16), "classes": 3, "seconds": 2.0}),
    "save_model": Row(ins.save_model, lambda: {"module": model(), "path": "out/n.safetensors"}, writes=True),
    "scale_width": Row(ins.scale_width, lambda: {"network": net(), "factor": 2.0, "multiple": 4}),
    "search": Row(ins.search, lambda: {**defaults(StudyConfig), "space": space(), "progress": False, "observer": None, "config": None, "proxies": ["no_proxy"], "min_params": 2, "max_params": 1}, refused=True),
    "set_classes": Row(ins.set_classes, lambda: {"network": net(), "classes": 4}),
    "scale_depth": Row(ins.scale_depth, lambda: {"network": net(), "factor": 2.0}),
    "set_input": Row(ins.set_input, lambda: {"network": net(), "channels": 3, "height": 20, "width": 20}),
    "set_stem_stride": Row(ins.set_stem_stride, lambda: {"network": net(), "stride": 1}),
    "swap_stem": Row(ins.swap_stem, lambda: {"network": net(), "stem": net().stages["stem"]}),
    "to_yaml": Row(ins.to_yaml, lambda: {"item": net()}),
    "to_networkx": Row(ins.to_networkx, lambda: {"network": net(), "aux": True}),
    "view": Row(ins.view, lambda: {"item": net(), "module": "m", "title": "t", "time": False, "top": 3}, slow=("time",)),
}  # fmt: skip


def outcome(call: Callable[..., Any], arguments: dict[str, Any]) -> tuple[bool, str | None]:
    """Whether the call was refused, and what is wrong with how."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = call(**arguments)
            if isinstance(found, Iterator):
                next(found, None)
    except InceptionSearchError as error:
        text = str(error)
        fine = text and text.isprintable() and len(text) <= LONGEST
        return True, None if fine else f"no short paragraph ({len(text)}): {text!r}"
    except Exception as error:  # what the test is about
        return True, f"{type(error).__name__}: {error!r:.300}"
    return False, None


@pytest.mark.parametrize("name", ROWS)
def test_every_argument_works_or_is_refused_in_words(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    row = ROWS[name]
    assert outcome(row.call, row.arguments()) == (row.refused, None)
    faults = []
    for argument in row.arguments():
        for words, value in WRONG.items():
            if (argument in row.slow and value is True) or (argument in row.calls and callable(value)):
                continue
            _, fault = outcome(row.call, {**row.arguments(), argument: value})
            faults += [f"{argument} = {words}: {fault}"] if fault else []
    assert not faults, "\n".join(faults)
    assert row.writes or [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", sorted({*ROWS} & {*ins.__all__} - {"InceptionSearchError"}))
def test_names_of_arguments_are_checked(name: str) -> None:
    row = ROWS[name]
    with pytest.raises(InceptionSearchError, match="no_such_argument"):
        row.call(**row.arguments(), no_such_argument=1)


def with_arguments(kind: type) -> Iterator[str]:
    """The public methods of a class that take something."""
    for name, value in vars(kind).items():
        function = getattr(value, "__func__", value)
        if name[0] != "_" and inspect.isfunction(function) and len(inspect.signature(function).parameters) > 1:
            yield f"{kind.__name__}.{name}"


def test_every_public_name_has_a_row() -> None:
    kinds = [value for name in ins.__all__ if isinstance(value := getattr(ins, name), type)]
    methods = {name for kind in (*kinds, NetworkModule, OptimizedModel, Figure, Page) for name in with_arguments(kind)}
    assert {*ins.__all__} - {"__version__"} | methods - INSIDE == {*ROWS}


def test_annotations_name_classes_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is imported for type checkers only is known to the check by its name: a misspelt one would fit nothing."""
    found: set[str] = set()
    monkeypatch.setattr("inception_search.arguments.later.named", lambda name: found.add(name) or type(name, (), {}))
    for name in ins.__all__:
        function = getattr(ins, name)
        for parameter in inspect.signature(function).parameters.values() if inspect.isfunction(function) else ():
            if isinstance(parameter.annotation, str):
                resolved(parameter.annotation, inspect.unwrap(function).__globals__)
    known = {"BaseSampler", "Checkpoint", "FinalsObserver", "Graph", "NetworkModule", "Observer", "Space", "torch"}
    assert found <= known
