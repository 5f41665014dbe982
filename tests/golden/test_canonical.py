"""The canonical networks: counts and shapes of the implementations they follow, ids that never change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inception_search.canonical.catalogue import load, module, names
from inception_search.errors import DocumentError, ShapeError, UnknownNameError
from inception_search.graph.cost_table import cost_table
from inception_search.lowering import lower
from inception_search.spec.documents.files import shipped_folder
from inception_search.spec.documents.parse import network_from_data, parse_network
from inception_search.spec.documents.to_yaml import network_text
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.identity.normal_form import normal_trunk
from inception_search.spec.step import Block, Concat, Repeat, Use
from inception_search.spec.transform import remake, scale_network_width, set_classes, set_input

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "canonical.json").read_text())["networks"]
DOCUMENTS = sorted((shipped_folder() / "canonical").glob("*.yaml"))


def test_every_shipped_network_has_its_golden_numbers() -> None:
    assert set(names()) == set(GOLDEN)
    assert [path.stem for path in DOCUMENTS] == list(names())


@pytest.mark.parametrize("name", GOLDEN)
def test_counts_are_those_of_the_source(name: str) -> None:
    golden, graph = GOLDEN[name], lower(load(name))
    cost = graph.cost()
    assert cost.params == golden["params"]
    assert cost.macs == golden["macs"]
    assert cost.params_with_aux == golden["params_with_aux"]
    assert cost.aux_macs == golden["macs_aux"]
    main = graph.main()
    assert sum(node.op.name == "conv" for i, node in enumerate(graph.nodes) if i in main) == golden["convolutions"]
    assert lower(load(name), aux=False).cost().params == golden["params"]


@pytest.mark.parametrize("name", GOLDEN)
def test_stages_have_the_shapes_of_the_source(name: str) -> None:
    rows = {row.path: row.type for row in cost_table(lower(load(name)))}
    assert list(GOLDEN[name]["stages"]) == list(load(name).stages)
    for stage, shape in GOLDEN[name]["stages"].items():
        assert list(rows[stage]) == shape, stage


@pytest.mark.parametrize("name", GOLDEN)
def test_ids_never_change(name: str) -> None:
    network = load(name)
    assert arch_id(network) == GOLDEN[name]["arch_id"]
    assert arch_id(parse_network(network_text(network))) == GOLDEN[name]["arch_id"]
    assert arch_id(network_from_data(network.to_dict())) == GOLDEN[name]["arch_id"]
    assert arch_id(remake(network, stages=normal_trunk(network), blocks={})) == GOLDEN[name]["arch_id"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_documents_are_short_and_name_their_source(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 95  # inception_v1 has seven dialects
    assert max(map(len, lines)) <= 140
    network = load(path)
    assert network.name == path.stem
    assert "arXiv" in network.source
    assert network.origin.file == str(path)


def test_v1_is_googlenet_without_batch_norm_and_with_ceil_pooling() -> None:
    graph = lower(load("inception_v1"))
    kinds = {node.op.name for node in graph.nodes}
    assert "batch_norm" not in kinds
    assert "lrn" in kinds
    assert all(node.op.attributes()["bias"] for node in graph.nodes if node.op.name == "conv")


def test_sizes_at_which_the_networks_are_used() -> None:
    # network, image side, classes, parameters (another classifier has 2048 or 1536 weights and a bias for each class)
    table = [
        ("inception_v3", 299, 10, 23_834_568 - 2_049_000 + 20_490),
        ("inception_v4", 299, 10, 42_679_816 - 1_537_000 + 15_370),
        ("inception_v3", 75, 1000, 23_834_568),  # the smallest image that fits
        ("inception_resnet_v2", 75, 1000, 55_843_464),
    ]
    for name, side, classes, params in table:
        network = set_classes(set_input(load(name), height=side, width=side), classes)
        assert lower(network, aux=False).cost().params == params
    with pytest.raises(ShapeError, match=r"inception_v3\.yaml:\d+: .* is larger than its"):
        lower(set_input(load("inception_v3"), height=74, width=74), aux=False)


def test_scaling_every_width_by_a_half_about_quarters_the_parameters() -> None:
    for name in names():
        whole, half = lower(load(name)).cost(), lower(scale_network_width(load(name), 0.5)).cost()
        assert 0.22 < half.params / whole.params < 0.32, name


def test_load_takes_a_name_a_path_and_a_text(tmp_path: Path) -> None:
    text = DOCUMENTS[0].read_text()
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    expected = load(DOCUMENTS[0].stem)
    assert load(file) == load(str(file)) == load(text) == expected
    assert load(DOCUMENTS[0].stem) is expected  # read once


# What is asked for, error, words.
BAD_NAMES: list[tuple[str | Path, type[Exception], str]] = [
    (
        "inception_v5",
        UnknownNameError,
        "unknown network, got 'inception_v5'; expected one of .*did you mean 'inception_v",
    ),
    ("Inception_V3", UnknownNameError, "did you mean 'inception_v3'"),
    ("", UnknownNameError, "unknown network, got ''"),
    ("resnet50", UnknownNameError, "expected one of bn_inception, inception_resnet_v1"),
    ("nowhere.yaml", DocumentError, "nowhere.yaml: no such file; check the path"),
    ("some/where", DocumentError, "no such file"),
    (Path("inception_v3"), DocumentError, "no such file"),
    ("../../etc/passwd\0", DocumentError, "cannot be read"),
    ("a: 1\nb: 2\n", DocumentError, "no schema line"),
]


@pytest.mark.parametrize(("name", "kind", "words"), BAD_NAMES, ids=[str(row[0]) for row in BAD_NAMES])
def test_load_says_what_it_does_not_know(name: str | Path, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        load(name)


def test_modules_are_found_by_reference() -> None:
    assert isinstance(module("inception_v1.inception_3a"), Concat)
    assert module("inception_v4.inception_a") == load("inception_v4").blocks["inception_a"]  # the block, not the stage
    assert isinstance(module("inception_resnet_v2.block17"), Block)
    assert not isinstance(module("inception_v4.stem"), Use | Repeat)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("inception_v4.inception_d", "unknown module of inception_v4, got 'inception_d'.*did you mean 'inception_"),
        ("inception_v4", "unknown module of inception_v4, got ''"),
        ("inception_v9.stem", "unknown network, got 'inception_v9'"),
    ],
)
def test_references_to_nothing_are_refused(reference: str, words: str) -> None:
    with pytest.raises(UnknownNameError, match=words):
        module(reference)
