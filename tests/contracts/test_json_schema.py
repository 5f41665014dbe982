"""The committed JSON Schemas: in step with the classes, and true of every shipped document and of no malformed one."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import inception_search as ins
from inception_search.cli.main import app
from inception_search.cli.schema import Kind, schema_text
from inception_search.errors import SpecError
from inception_search.spec.documents.files import shipped_folder
from inception_search.spec.documents.json_schema import line_pattern
from inception_search.spec.documents.parse import parse_step
from inception_search.spec.documents.shorthand import ACTIVATIONS, FACTORS, POOLS, SINGLES, Expander
from inception_search.spec.documents.to_yaml import short
from inception_search.spec.step import KINDS
from tests.generators import steps

ROOT = Path(__file__).parents[2]


@cache
def schema(kind: str) -> Any:
    text = (shipped_folder() / f"{kind}.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


@pytest.fixture(scope="module")
def validator() -> Any:
    return schema("network")


@pytest.mark.parametrize("kind", [kind.value for kind in Kind])
def test_the_committed_schema_is_the_classes_schema(kind: str, tmp_path: Path) -> None:
    """After a change of the classes: inception-search schema KIND -o search_spaces/KIND.schema.json."""
    committed = (shipped_folder() / f"{kind}.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(Kind(kind))
    jsonschema.Draft202012Validator.check_schema(json.loads(committed))
    assert CliRunner().invoke(app, ["schema", kind]).output == committed
    assert CliRunner().invoke(app, ["schema", kind, "-o", str(tmp_path / "s.json")]).exit_code == 0
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == committed


@pytest.mark.parametrize("name", ins.list_models(dialects=False))
def test_short_and_long_forms_are_valid(validator: Any, name: str) -> None:
    short = yaml.safe_load((shipped_folder() / "canonical" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert not list(validator.iter_errors(short))
    assert not list(validator.iter_errors(json.loads(json.dumps(ins.load(name).to_dict()))))


@pytest.mark.parametrize(
    "step",
    [
        {"dag": [{"inputs": [0]}]},
        {"dag": {"nodes": [{"join": "concat", "inputs": [0, {"node": 0, "step": ["relu", "3x3 8"]}], "then": "zero"}]}},
        {"kind": "dag", "nodes": [{"inputs": [{"node": 0, "step": {"kind": "zero"}}], "then": {"narrow": 3}}]},
        {"narrow": {"width": 3}},
        {"zero": None},
    ],
)
def test_dags_and_what_is_in_them_are_valid(validator: Any, step: Any) -> None:
    document = {"schema": "inception-search/network", "version": 1, "name": "x", "stages": {"a": step}}
    assert not list(validator.iter_errors(document))


@pytest.mark.parametrize(
    "step",
    [
        {"conv": {"kernel": "3x3", "widht": 64}},  # a misspelt field
        {"conv": {"kernel": "3x3"}},  # a missing one
        {"concatt": ["1x1 8"]},  # an unknown step
        64,  # no step at all
        {"dag": []},  # no node
        {"dag": [{"inputs": []}]},  # a node that reads nothing
        {"dag": [{"inputs": ["relu"]}]},  # a step in the place of a node
        {"dag": [{"inputs": [{"node": 0, "stpe": "relu"}]}]},  # a misspelt field of an edge
        {"dag": [{"inputs": [0], "join": "mul"}]},  # an unknown join
    ],
)
def test_wrong_steps_are_not(validator: Any, step: Any) -> None:
    document = {"schema": "inception-search/network", "version": 1, "name": "x", "stages": {"a": step}}
    assert list(validator.iter_errors(document))


LINE = re.compile(line_pattern())
KERNELS, WIDTHS = ("3x3", "1x7", "11x11", "03x3"), ("64", "128>192", "65536")
FLAGS = ("s2", "s1", "valid", "linear", *FACTORS)
WORDS = (
    *POOLS,
    *SINGLES,
    *ACTIVATIONS,
    *KERNELS,
    *WIDTHS,
    *FLAGS,
    *KINDS,
    "dropout",
    "0.4",
    "module",
    "x",
    "4",
    "S2",
    ">",
)


@pytest.mark.parametrize("space", sorted(path.stem for path in shipped_folder().glob("*.yaml")))
def test_shipped_spaces_are_valid(space: str) -> None:
    document = yaml.safe_load((shipped_folder() / f"{space}.yaml").read_text(encoding="utf-8"))
    assert not list(schema("space").iter_errors(document))


@pytest.mark.parametrize("path", ["docs/results/fashion_mnist.yaml", "runs/example/study.yaml"])
def test_study_files_are_valid(path: str) -> None:
    assert not list(schema("study").iter_errors(yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))))


def lines_in(data: Any) -> list[str]:
    """Every step on one line of a document's sections."""
    if isinstance(data, str):
        return [data]
    inside = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    if isinstance(data, dict) and not {"concat", "block", "repeat", "dag", "body"} & data.keys():
        inside = [item for item in inside if isinstance(item, list)]
    return [line for item in inside for line in lines_in(item)]


@pytest.mark.parametrize("name", ins.list_models(dialects=False))
def test_every_shipped_line_matches(name: str) -> None:
    document = yaml.safe_load((shipped_folder() / "canonical" / f"{name}.yaml").read_text(encoding="utf-8"))
    steps_of = [*document["stages"].values(), *document.get("blocks", {}).values()]
    lines = [line for step in steps_of for line in lines_in(step)]
    assert len(lines) >= 8
    assert [line for line in lines if not LINE.match(line)] == []


@given(steps)
def test_the_short_form_of_any_step_is_valid(step: Any) -> None:
    written = short(step)
    document = {"schema": "inception-search/network", "version": 1, "name": "x", "stages": {"a": written}}
    assert not list(schema("network").iter_errors(document)), written
    if isinstance(written, str):
        assert LINE.match(written)


@settings(max_examples=500)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), st.sampled_from(("", "4 x ")))
def test_the_pattern_is_the_grammar(line: str, before: str) -> None:
    """A line of such words matches exactly when the reader takes it."""
    try:
        Expander().step(before + line, "a")
    except SpecError:
        taken = False
    else:
        taken = True
    assert bool(LINE.match(before + line)) == taken


@pytest.mark.parametrize(
    "line",
    [
        "",
        "3x3",  # no width
        "3x3 64 s2 s1",  # a flag twice
        "3x3 64 valid valid",
        "5x5 64 stacked split",
        "3x3 64 vaild",
        "3 64",
        "0x3 64",
        "3x3 0",
        "3x3 64>",
        "3x3 64 s0",
        "max",
        "max 3x3 linear",
        "min 3x3",
        "dropout",
        "dropout much",
        "2 x",
        "2 x 3 x inception_a",
        "x 3x3 64",
        "inception_a inception_b",
        "Inception",
        "concat",
        "conv",
    ],
)
def test_malformed_lines_match_nowhere(validator: Any, line: str) -> None:
    assert not LINE.match(line)
    with pytest.raises(SpecError):
        parse_step(json.dumps(line))
    document = {"schema": "inception-search/network", "version": 1, "name": "x", "stages": {"a": line}}
    assert list(validator.iter_errors(document))


STUDY = {"space": "inception_modules", "trials": 3}
NETWORK = {"name": "n", "stages": {"a": "3x3 8"}}
SPACE: dict[str, Any] = {"schema": "inception-search/space", "version": 1, "name": "s", "network": NETWORK}


def space_with(step: Any) -> Any:
    return {**SPACE, "network": {**NETWORK, "stages": {"a": step}}}


@pytest.mark.parametrize(
    ("kind", "document", "valid"),
    [
        ("study", STUDY, True),
        ("study", {"max_macs": "10M", "max_params": 1e6, "epochs": "1_0", "max_latency_ms": "0.5"}, True),
        ("study", {"objectives": ["accuracy", "macs"], "reference": {"accuracy": 0.1, "macs": 1e7}}, True),
        ("study", {"objectives": "accuracy,macs", "reference": "accuracy=0.1,macs=1e7"}, True),
        ("study", {"max_macs": "10m"}, False),
        ("study", {"trails": 3}, False),
        ("study", {"strategy": "evolutoin"}, False),
        ("space", SPACE, True),
        ("space", space_with({"$choice": {"a": "3x3 8", "b": {"concat": ["1x1 8", {"$use": "w"}]}}}), True),
        ("space", space_with({"conv": {"kernel": {"$choice": ["3x3", 5]}, "width": {"$int": [8, 64, 8]}}}), True),
        ("space", space_with([{"$many": [0, 3], "of": "3x3 8"}]), True),
        ("space", space_with({"conv": {"kernel": "3x3", "width": {"$of": "c"}, "norm": {"$choice": ["none"]}}}), True),
        ("space", space_with({"$choise": {"a": "3x3 8"}}), False),
        ("space", space_with({"$choice": {"a": "3x3 8 vaild"}}), False),
        ("space", space_with({"conv": {"kernel": "3x3", "widht": {"$int": [8, 64]}}}), False),
        ("space", space_with({"conv": {"kernel": "3x3", "width": {"$int": [8]}}}), False),
        ("space", {**SPACE, "defien": {}}, False),
        ("space", {**SPACE, "contains": {"a": {"modul": "inception_v1.inception_3a"}}}, False),
    ],
)  # fmt: skip
def test_studies_and_spaces(kind: str, document: Any, valid: bool) -> None:
    assert (not list(schema(kind).iter_errors(document))) == valid
