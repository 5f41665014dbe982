"""The document of the language lists every field and every word that stands for one of several things."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from inception_search.spec.base_model import Activation, BatchNorm, Factor
from inception_search.spec.documents.field_table import SECTIONS, words
from inception_search.spec.network import Aux, ConvDefaults, Embedding, Head, Network, PoolDefaults, Preprocess, Recipe
from inception_search.spec.step import KINDS, DagInput, DagNode

LANGUAGE = (Path(__file__).parents[2] / "docs" / "documents.md").read_text(encoding="utf-8")
MODELS = [BatchNorm, ConvDefaults, PoolDefaults, Head, Embedding, Aux, Preprocess, Recipe, DagNode, DagInput]


def enumerated(node: Any) -> set[str]:
    """Every enumerated value of a schema."""
    if isinstance(node, list):
        return set().union(*map(enumerated, node))
    if not isinstance(node, dict):
        return set()
    return {str(value) for value in node.get("enum", ())} | enumerated(list(node.values()))


def test_every_enumerated_value_is_listed() -> None:
    found = enumerated(TypeAdapter(Network).json_schema())
    assert {"relu6", "col_row", "l2", "bicubic", "maps", "symmetric", "project"} <= found
    assert [value for value in sorted(found) if f"`{value}`" not in LANGUAGE] == []


@pytest.mark.parametrize("model", [*KINDS.values(), *MODELS], ids=lambda model: model.__name__)
def test_every_field_has_its_row(model: Any) -> None:
    owner = next((kind for kind, other in KINDS.items() if other is model), None)
    for name in model.model_fields:
        if name != "kind":
            row = rf"\| `{owner}` \| `{name}` \|" if owner else rf"\| [^|]+ \| `{name}` \|"
            assert re.search(row, LANGUAGE), name


def test_activations_norms_and_factors_are_listed_by_name() -> None:
    listed = words()
    assert listed["activations"] == get_args(Activation)
    assert sorted(listed["factors"]) == sorted(get_args(Factor))
    assert "`none`, `batch`" in LANGUAGE
    assert all(f"`{section}`" in LANGUAGE for section in SECTIONS if section and " " not in section)
