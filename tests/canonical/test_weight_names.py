"""Names of other implementations: every tensor of theirs has a place in our graph, with the right shape."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from inception_search.canonical.catalogue import list_dialects, load
from inception_search.canonical.weight_names import (
    Entry,
    entries,
    implementations,
    part_names,
    part_of,
    renumbered,
    tables,
)
from inception_search.canonical.weight_styles import torch_shape
from inception_search.errors import UnknownNameError, WeightsError
from inception_search.graph.layers import Layer, layers
from inception_search.lowering import lower
from inception_search.spec.step import Repeat
from inception_search.spec.transform import remake
from tests.canonical.lists import Shapes, maps, measured, verified


class Row(NamedTuple):
    """A document, an implementation it can take weights of, and the parts that only one of the two has."""

    document: str
    implementation: str
    without: frozenset[str] = frozenset()


ROWS = [
    Row("inception_v1@torchvision", "torchvision"),
    Row("inception_v1@slim", "slim"),
    Row("bn_inception", "cadene"),
    Row("bn_inception@slim", "slim"),
    Row("inception_v3", "torchvision"),
    Row("inception_v3", "keras", frozenset({"aux.aux"})),
    Row("inception_v3@keras", "keras"),
    Row("inception_v3", "slim"),
    Row("inception_v3@slim", "slim"),
    Row("inception_v4", "timm"),
    Row("inception_resnet_v1@facenet", "facenet", frozenset({"head"})),
    Row("inception_resnet_v1@facenet_tf", "facenet_tf"),
    Row("inception_resnet_v2", "timm"),
    Row("inception_resnet_v2@keras", "keras"),
    Row("inception_resnet_v2", "facenet_tf", frozenset({"head", "head.embedding"})),
    Row("inception_resnet_v2@facenet_tf", "facenet_tf"),
]
# Every dialect of a network that is named after an implementation whose names are known.
DIALECTS = [f"{name}@{d}" for name in tables() for d in list_dialects(name) if d in implementations(name)]


def layers_of(document: str) -> tuple[Layer, ...]:
    return layers(lower(load(document)))


def shapes_of(found: tuple[Layer, ...]) -> Shapes:
    """The shape of every tensor a layer can have."""
    shapes: Shapes = {}
    for layer in found:
        width = layer.shape[:1]
        shapes |= {f"{layer.node}.weight": layer.shape, f"{layer.node}.bias": width}
        shapes |= {f"{layer.norm}.{t}": width for t in ("weight", "bias", "running_mean", "running_var")}
        shapes[f"{layer.norm}.num_batches_tracked"] = ()
    return shapes


def keys_of(layer: Layer) -> set[str]:
    """The state_dict keys of the tensors that ``layer`` and its norm have."""
    norm = ["bias", "running_mean", "running_var"] + ["weight"] * layer.has_gamma if layer.norm else []
    return {f"{layer.node}.weight", *([f"{layer.node}.bias"] * layer.has_bias), *(f"{layer.norm}.{t}" for t in norm)}


def base(row: Row) -> str:
    return row.document.partition("@")[0]


def ids(row: Row) -> str:
    return f"{row.document}-{row.implementation}"


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_every_measured_tensor_has_one_place(row: Row) -> None:
    theirs = measured(base(row), row.implementation)
    first = renumbered(theirs)
    given = {first[name]: shape for name, shape in theirs.items()}
    assert len(given) == len(theirs)
    parts = part_names(row.document, row.implementation)
    ours = entries(layers_of(row.document), row.document, row.implementation)
    assert len({entry.name for entry in ours}) == len({entry.key for entry in ours}) == len(ours)
    placed = {entry.name for entry in ours} & given.keys()
    assert placed == {name for name in given if parts[name] not in row.without}
    lacking = [entry for entry in ours if entry.name not in given]
    assert all(entry.optional or part_of(entry.key) in row.without for entry in lacking)
    assert all(parts[entry.name] == part_of(entry.key) for entry in ours)


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_shapes_agree_once_the_layout_is_undone(row: Row) -> None:
    theirs = measured(base(row), row.implementation)
    given = {first: theirs[name] for name, first in renumbered(theirs).items()}
    found = layers_of(row.document)
    shapes = shapes_of(found)
    for entry in entries(found, row.document, row.implementation):
        if entry.name in given:
            assert torch_shape(entry.layout, given[entry.name]) == shapes[entry.key], entry


@pytest.mark.parametrize("document", DIALECTS)
def test_the_network_of_an_implementation_has_nothing_more(document: str) -> None:
    implementation = document.partition("@")[2]
    found = layers_of(document)
    named = {entry.key for entry in entries(found, document, implementation)}
    assert set().union(*(keys_of(layer) for layer in found)) <= named


@pytest.mark.parametrize("name", maps())
def test_two_tables_together_give_the_verified_pairs(name: str) -> None:
    network, one, other = name.split(".")
    pairs = verified(name)
    found = layers_of(network)
    ours = {entry.name: entry.key for entry in entries(found, network, one)}
    theirs = {entry.key: entry.name for entry in entries(found, network, other)}
    first = renumbered(pairs)
    assert {old: theirs[ours[first[old]]] for old in pairs} == pairs


def test_parts_that_only_a_file_has_are_known_by_name() -> None:
    layers_without_aux = layers(lower(load("inception_v3"), aux=False))
    ours = {entry.name for entry in entries(layers_without_aux, "inception_v3", "torchvision")}
    rest = measured("inception_v3", "torchvision").keys() - ours
    parts = part_names("inception_v3", "torchvision")
    assert len(rest) == 14
    assert {parts[name] for name in rest} == {"aux.aux"}


def test_a_changed_network_is_refused_with_the_part_and_both_counts() -> None:
    network = load("inception_v4")
    stage = network.stages["inception_b"]
    assert isinstance(stage, Repeat)
    fewer = remake(network, stages={**network.stages, "inception_b": stage.model_copy(update={"times": 6})})
    with pytest.raises(WeightsError, match=r"inception_b has another number of layers.* got 60; expected 70") as caught:
        entries(layers(lower(fewer)), "inception_v4", "timm")
    assert caught.value.path == "inception_b"


def test_names_are_by_the_base_of_a_dialect() -> None:
    found = layers_of("inception_v3")
    assert implementations("inception_v3@slim") == implementations("inception_v3")
    assert implementations("inception_v3") == ("torchvision", "timm", "fid", "keras", "slim")
    assert implementations("mine") == ()
    assert entries(found, "inception_v3@slim", "slim") == entries(found, "inception_v3", "slim")
    assert entries(found, "inception_v3", "timm") == entries(found, "inception_v3", "torchvision")
    with pytest.raises(UnknownNameError, match=r"unknown implementation of inception_v3, got 'torch'.*torchvision"):
        entries(found, "inception_v3", "torch")
    with pytest.raises(UnknownNameError, match="unknown network with weight names, got 'mine'"):
        part_names("mine", "slim")


def test_parts_of_paths() -> None:
    paths = {
        "mixed_5b.branches.0.conv.weight": "mixed_5b",
        "head.classifier": "head",
        "head.embedding.norm.bias": "head.embedding",
        "aux.aux1.hidden.0.linear": "aux.aux1",
    }
    assert {path: part_of(path) for path in paths} == paths


def test_kernels_named_by_slim_v4_are_those_of_the_graph() -> None:
    found = layers_of("inception_v4@slim")
    names = {entry.key: entry.name for entry in entries(found, "inception_v4", "slim")}
    for layer in found:
        if kernel := re.search(r"_(\d)x(\d)/weights", names[f"{layer.node}.weight"]):
            assert tuple(map(int, kernel.groups())) == layer.shape[2:]
        else:
            assert layer.path in ("head.classifier", "aux.aux.body.2", "aux.aux.classifier")


def test_an_entry_says_how_a_tensor_is_laid_out_and_whether_a_file_may_lack_it() -> None:
    found = layers_of("inception_v3")
    assert entries(found, "inception_v3", "slim")[:3] == (
        Entry("stem.0.conv.weight", "InceptionV3/Conv2d_1a_3x3/weights", "HWIO", False),
        Entry("stem.0.norm.weight", "InceptionV3/Conv2d_1a_3x3/BatchNorm/gamma", "same", True),
        Entry("stem.0.norm.bias", "InceptionV3/Conv2d_1a_3x3/BatchNorm/beta", "same", False),
    )
    keras = {entry.key: entry for entry in entries(found, "inception_v3", "keras")}
    assert keras["head.classifier.weight"] == Entry("head.classifier.weight", "predictions/kernel", "IO", False)
    assert keras["mixed_5b.branches.0.norm.bias"].name == "batch_normalization_5/beta"
    torch = {entry.key: entry for entry in entries(found, "inception_v3", "torchvision")}
    assert next(entry.key for entry in torch.values() if entry.optional) == "stem.0.norm.num_batches_tracked"
