"""Stems for small images: every shipped network in every dialect, every layer kept; and strides that cannot be had."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import inception_search as ins
from inception_search.errors import SpecError
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.network import Network
from inception_search.spec.stem import stem_stages, stem_stride
from inception_search.spec.step import Conv, Depthwise, Pool

NAMES = [f"{name}@{dialect}" for name in ins.list_models(dialects=False) for dialect in ins.list_dialects(name)]
# stride, image; pools that round up (Caffe) fit beside convolutions that round down on some sizes only
SIZES = {1: 32, 2: 64, 4: 128}
CAFFE = {
    "bn_inception@caffe": {1: 33, 2: 66, 4: 100},
    "inception_resnet_v2@caffe": {1: 35, 2: 66, 4: 98},
    "inception_v3@caffe": {1: 35, 2: 66, 4: 98},
    "inception_v4@caffe": {1: 35, 2: 67, 4: 101},
}
NIN = {"nin_cifar10@paper": (1,), "nin_cifar10@caffe": (1,), "nin_imagenet@caffe": (1, 4)}  # strides that can be had


def layers(network: Network) -> dict[str, tuple[Any, ...]]:
    """The layers with weights: where they are, their kind and kernel, how many weights they have."""
    graph = ins.lower(network, aux=False)
    found = {}
    for node in graph.nodes:
        cost = node.op.cost(graph.input_types(node), node.type)
        if cost.params:
            found[node.path] = (node.op.name, getattr(node.op, "kernel", None), cost.params)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_stays_at_every_stride(name: str) -> None:
    network = ins.load(name)
    total = stem_stride(network)
    assert total == (max(NIN[name]) if name in NIN else 8)
    assert ins.set_stem_stride(network, total) == network
    for stride in NIN.get(name, (1, 2, 4)):
        side = CAFFE.get(name, SIZES)[stride]
        made = ins.set_stem_stride(ins.set_input(network, height=side, width=side), stride)
        assert stem_stride(made) == stride
        assert layers(made) == layers(network)
        last = stem_stages(network)[-1]
        stem = [node for node in ins.lower(made, aux=False).nodes if node.path.split(".")[0] == last]
        rows = stem[-1].type[1]
        assert side / stride - 12 <= rows <= side / stride + 1  # unpadded convolutions take some away


FAST = {f"{name}@{ins.load(name).dialect}" for name in ins.list_models(dialects=False)}


@pytest.mark.parametrize("name", [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in NAMES])
def test_small_images_go_through(name: str) -> None:
    side = CAFFE.get(name, SIZES)[1]
    module = ins.compile(name, stem_stride=1, input_size=side, width=0.25, seed=0).eval()
    with torch.no_grad():
        out = module(torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0)))
    assert out.shape[0] == 2
    assert torch.isfinite(out).all()
    assert (out[0] != out[1]).any()


def test_weights_of_the_whole_network_fit_the_small_one() -> None:
    whole = ins.compile("inception_v3@keras", width=0.25, seed=0)
    small = ins.compile("inception_v3@keras", width=0.25, stem_stride=1, input_size=32, weights=whole.state_dict())
    assert all(torch.equal(value, small.state_dict()[key]) for key, value in whole.state_dict().items())
    assert small.loaded is not None


@pytest.mark.parametrize(
    ("name", "stride", "expected"),
    [
        ("inception_v1", 0, "1, 2, 4, 8"),
        ("inception_v1", -2, "1, 2, 4, 8"),
        ("inception_v1", 3, "1, 2, 4, 8"),
        ("inception_v1", 16, "1, 2, 4, 8"),
        ("inception_v1", 2**40, "1, 2, 4, 8"),
        ("inception_v4", 5, "1, 2, 4, 8"),
        ("nin_imagenet", 2, "1, 4"),  # all of its stride is that of one convolution
        ("nin_cifar10", 2, "1"),
    ],
)
def test_a_stride_that_cannot_be_had_is_an_error_that_says_which_can(name: str, stride: int, expected: str) -> None:
    with pytest.raises(SpecError, match=f"the stem cannot have this stride, got .*; expected one of {expected}$"):
        ins.set_stem_stride(ins.load(name), stride)


def network(stages: str, more: str = "") -> Network:
    head = "schema: inception-search/network\nversion: 1\nname: n\ninput: 3x64x64\n"
    return parse_network(f"{head}stages: {{{stages}}}\n{more}")


# stages, the stages of the stem, their stride
STEMS = [
    ("stem: 3x3 8 s2, a: 3x3 8 s2", ("stem",), 2),  # the one of that name
    ("a: 3x3 8, stem: max 3x3 s2", ("stem",), 2),
    ("a: 3x3 8 s2, b: max 3x3 s2, c: {concat: [1x1 4, 3x3 4]}", ("a", "b"), 4),  # those before the first with branches
    ("a: 3x3 8 s2, b: {block: {body: 3x3 8}}", ("a",), 2),
    ("a: {concat: [1x1 4 s2, 3x3 4 s2]}, b: 3x3 8 s2", ("a",), 2),  # the first
    ("a: 3x3 8 s2, b: 3x3 8 s2", ("a",), 2),
    ("a: {conv: {kernel: 3x3, width: 8, stride: [1, 2]}}", ("a",), 2),
    ("a: [3x3 8 s2, {depthwise: {kernel: 3x3, stride: 3}}, {pool: {mode: avg, kernel: 2x2, stride: 2, padding: valid}}]", ("a",), 12),  # noqa: E501
    ("a: 3 x 3x3 8 s2", ("a",), 8),
    ("a: [1x1 8 s2, {concat: [max 3x3 s2, [3x3 4, 3x3 8 s2]]}, 3x3 8]", ("a",), 4),
]  # fmt: skip


@pytest.mark.parametrize(("stages", "stem", "stride"), STEMS, ids=[row[0] for row in STEMS])
def test_the_stem_is(stages: str, stem: tuple[str, ...], stride: int) -> None:
    made = network(stages)
    assert stem_stages(made) == stem
    assert stem_stride(made) == stride
    flat = ins.set_stem_stride(made, 1)
    assert stem_stride(flat) == 1
    assert layers(flat) == layers(made)
    outside = [name for name in made.stages if name not in stem]
    assert [flat.stages[name] for name in outside] == [made.stages[name] for name in outside]
    inner = [node for node in ins.lower(flat).nodes if node.path.split(".")[0] in stem]
    assert inner[-1].type[1:] == (64, 64)  # same padding, also where there was none


def test_strides_are_given_up_from_the_first_on() -> None:
    made = network("stem: [3x3 8 s2, 3x3 8, max 3x3 s2 valid, 3x3 8 s2 valid]")
    for stride, expected in ((8, (2, 1, 2, 2)), (4, (1, 1, 2, 2)), (2, (1, 1, 1, 2)), (1, (1, 1, 1, 1))):
        steps = ins.set_stem_stride(made, stride).stages["stem"].steps
        assert tuple(step.stride for step in steps) == expected
        paddings = [step.padding for step in steps]
        assert paddings == ["same", "same", "valid" if expected[2] == 2 else "same", "valid" if stride > 1 else "same"]


def test_blocks_that_the_stem_uses_lose_their_stride_there_only() -> None:
    """A block used in the stem and after it: one of stride 1 is added, for the stem."""
    blocks = "blocks: {down: [3x3 8 s2, max 3x3 s2], deep: [3x3 8, down], down_stride_1: relu}"
    for use, total in (("down", 4), ("[3x3 8 s2, down]", 8), ("[deep, 3x3 8 s2]", 8), ("2 x down", 16)):
        made = network(f"stem: {use}, a: down, b: down_stride_1", blocks)
        flat = ins.set_stem_stride(made, 1)
        assert (stem_stride(made), stem_stride(flat)) == (total, 1)
        assert layers(flat) == layers(made)
        assert {name: flat.blocks[name] for name in made.blocks} == made.blocks
        sides = [node.type[1] for node in ins.lower(flat).nodes if node.path.split(".")[0] == "stem"]
        assert sides == [64] * len(sides)
        assert parse_network(ins.to_yaml(flat)) == flat
    two = ins.set_stem_stride(network("stem: down", blocks), 2)
    assert [
        (type(node.op).__name__, node.op.stride) for node in ins.lower(two).nodes if hasattr(node.op, "stride")
    ] == [
        ("Conv", (1, 1)),
        ("Pool", (2, 2)),
    ]


def test_even_kernels_keep_the_size_of_the_map_too() -> None:
    even = "[{conv: {kernel: 4x4, width: 8, stride: 2, padding: [1, 1]}}, {depthwise: {kernel: 2x2, stride: 2, padding: valid}}, {pool: {mode: max, kernel: 2x2, stride: 2, padding: valid}}]"  # noqa: E501
    flat = ins.set_stem_stride(network(f"stem: {even}"), 1)
    kinds = [type(step) for step in flat.stages["stem"].steps]
    assert kinds == [Conv, Depthwise, Pool]
    assert ins.compile(flat, num_classes=0, global_pool="none")(torch.zeros(2, 3, 40, 41)).shape == (2, 8, 40, 41)


def test_a_stem_of_a_thousand_halvings_is_refused_at_once() -> None:
    with pytest.raises(SpecError, match="the stem cannot have this stride, got 3; expected one of 1, "):
        ins.set_stem_stride(network("stem: 1000 x max 3x3 s2"), 3)
