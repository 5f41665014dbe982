"""The committed JSON Schema: in step with the classes, and true of every shipped document."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml

import inception_search as ins
from inception_search.spec.json_schema import network_schema
from inception_search.spec.shipped import shipped_folder


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json.loads((shipped_folder() / "network.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def test_the_committed_schema_is_the_classes_schema() -> None:
    """After a change of the classes: bump the version, add an upgrade, and write the schema again."""
    text = json.dumps(network_schema(), indent=1, sort_keys=True) + "\n"
    assert (shipped_folder() / "network.schema.json").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", ins.names())
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
