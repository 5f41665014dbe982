"""Compiled modules: what a user may rely on."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import fx, nn

import inception_search as ins
from inception_search.errors import CompileError, InceptionSearchError, ShapeError, WeightsError
from tests.weights.small_network import SMALL


@pytest.fixture(scope="module")
def net() -> ins.Network:
    return ins.load(SMALL)


def test_it_is_a_graph_module_with_the_documents_paths(net: ins.Network) -> None:
    model = ins.compile(net, aux=True)
    assert isinstance(model, fx.GraphModule)
    keys = set(model.state_dict())
    expected = {
        "stem.conv.weight",
        "stem.norm.running_mean",
        "module.0.body.branches.0.conv.weight",
        "module.1.body.branches.1.1.col.norm.bias",
        "module.1.project.conv.bias",
        "head.classifier.weight",
        "aux.aux1.body.1.conv.weight",
        "aux.aux1.hidden.0.linear.bias",
        "aux.aux1.classifier.weight",
    }
    assert expected <= keys
    params = sum(p.numel() for p in model.parameters())
    assert params == ins.lower(net).cost().params_with_aux
    paths = {node.path for node in ins.lower(net).nodes}
    assert {name.rpartition(".")[0] for name, _ in model.named_parameters()} <= paths


def test_auxiliary_heads_compute_in_training_only(net: ins.Network) -> None:
    model = ins.compile(net, aux=True)
    x = torch.randn(3, 3, 16, 16)
    main, aux = model(x)
    assert main.shape == aux.shape == (3, 5)
    assert model.eval()(x).shape == (3, 5)
    assert ins.compile(net)(x).shape == (3, 5)
    assert not [key for key in ins.compile(net).state_dict() if key.startswith("aux")]


@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
def test_copies_are_whole_and_independent(net: ins.Network, how: str) -> None:
    model = ins.compile(net, aux=True, seed=1)
    twin = copy.deepcopy(model) if how == "deepcopy" else pickle.loads(pickle.dumps(model))
    assert list(twin.state_dict()) == list(model.state_dict())
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(twin.eval()(x), model.eval()(x))
    with torch.no_grad():
        twin.get_parameter("aux.aux1.classifier.weight").zero_()
        twin.get_parameter("aux.aux1.classifier.bias").fill_(3.0)
    assert torch.equal(twin.train()(x)[1], torch.full((2, 5), 3.0))  # the copy runs on its own weights
    assert not torch.equal(model.train()(x)[1], torch.full((2, 5), 3.0))


def test_state_dict_round_trip_through_a_file(net: ins.Network) -> None:
    model = ins.compile(net, seed=1).eval()
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    buffer.seek(0)
    other = ins.compile(net, weights=torch.load(buffer, weights_only=True)).eval()
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(model(x), other(x))


def test_weights_that_do_not_fit_are_refused(net: ins.Network) -> None:
    state = ins.compile(net).state_dict()
    state["stem.conv.weight"] = torch.zeros(1, 3, 3, 3)
    state.pop("head.classifier.bias")
    state["stranger"] = torch.zeros(1)
    with pytest.raises(WeightsError) as caught:
        ins.compile(net, weights=state)
    for words in (
        "missing head.classifier.bias",
        "stranger (1,) has no place",
        "stem.conv.weight: (1, 3, 3, 3) for (12, 3, 3, 3)",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize(("channels", "classes", "size"), [(1, 2, 16), (4, 11, 33), (3, 1000, (20, 24))])
def test_channels_classes_and_size(net: ins.Network, channels: int, classes: int, size: int | tuple[int, int]) -> None:
    model = ins.compile(net, in_channels=channels, num_classes=classes, input_size=size).eval()
    height, width = (size, size) if isinstance(size, int) else size
    assert model(torch.randn(2, channels, height, width)).shape == (2, classes)


def test_v4_on_another_input_size() -> None:
    model = ins.compile("inception_v4", num_classes=7, in_channels=1, input_size=(107, 139)).eval()
    with torch.no_grad():
        assert model(torch.randn(1, 1, 107, 139)).shape == (1, 7)


def test_googlenet_has_both_auxiliary_classifiers() -> None:
    model = ins.compile("inception_v1", aux=True, num_classes=10)
    outputs = model(torch.randn(2, 3, 224, 224))
    assert [tuple(o.shape) for o in outputs] == [(2, 10)] * 3


def test_a_seed_makes_weights_repeatable_and_leaves_the_global_state(net: ins.Network) -> None:
    before = torch.get_rng_state()
    one, two, other = (ins.compile(net, seed=s).state_dict() for s in (5, 5, 6))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert not torch.equal(one["stem.conv.weight"], other["stem.conv.weight"])


def test_too_large_is_refused_before_allocation() -> None:
    wide = ins.parse_step("7x7 65536")
    net = ins.load(SMALL)
    huge = net.model_copy(update={"stages": {"a": wide, "b": wide}, "aux": {}})
    with pytest.raises(CompileError, match="too large to build"):
        ins.compile(huge)


def test_too_small_an_input_is_a_shape_error() -> None:
    with pytest.raises(ShapeError, match=r"inception_v4\.yaml:\d+: .*kernel 3x3 is larger than its"):
        ins.compile("inception_v4", input_size=60)


def test_relu_in_place_never_touches_a_value_read_elsewhere() -> None:
    text = """
schema: inception-search/network
version: 1
name: shared
input: 2x8x8
conv_defaults: {norm: none, act: none}
stages:
  stem: 3x3 4
  branches: {concat: [relu, identity, [relu, 1x1 4]]}
head: {classes: 2}
"""
    model = ins.compile(text, seed=0).eval()
    stem, seen = model.get_submodule("stem.conv"), {}
    stem.register_forward_hook(lambda _m, _i, output: seen.update(before=output.clone(), kept=output))
    model(torch.randn(2, 2, 8, 8))
    assert torch.equal(seen["before"], seen["kept"])


def test_gradients_reach_every_parameter(net: ins.Network) -> None:
    model = ins.compile(net, aux=True)
    sum(output.square().sum() for output in model(torch.randn(4, 3, 16, 16))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_module_code_is_readable(net: ins.Network) -> None:
    model = ins.compile(net)
    assert isinstance(model, fx.GraphModule)
    assert "stem_conv = self.stem.conv(x)" in model.code


def test_export(net: ins.Network) -> None:
    model = ins.compile(net).eval()
    x = torch.randn(2, 3, 16, 16)
    program = torch.export.export(model, (x,))
    assert torch.allclose(program.module()(x), model(x), atol=1e-6)


def test_errors_are_ours() -> None:
    for bad in ("nothing", "no/such.yaml", "a:\n- b"):
        with pytest.raises(InceptionSearchError):
            ins.compile(bad)


NO_HEADS = (
    "schema: inception-search/network\nversion: 1\nname: plain\ninput: 3x8x8\nstages: {a: 3x3 4}\nhead: {classes: 2}"
)

# The network, an option that it cannot have, what is said.
OPTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("inception_v3@keras", {"aux": True}, r"aux=True for inception_v3@keras.*inception_v3@timm, .*inception_v3@slim;"),
    ("inception_v4", {"aux": True}, r"no auxiliary.*one of inception_v4@slim_gamma, inception_v4@slim; leave out aux"),
    ("bn_inception", {"aux": True, "num_classes": 0}, "got aux=True for bn_inception; leave out aux"),
    (NO_HEADS, {"aux": True}, "got aux=True for plain; leave out aux, or write some under 'aux:' in the document"),
    ("inception_v3", {"depth": 2.0}, "the network has no repeats.*got depth 2 for inception_v3; use width"),
    (NO_HEADS, {"depth": 0.5}, r"no repeats.*got depth 0\.5 for plain"),
    (SMALL, {"depth": "2"}, "depth: .*expected a number or None; write depth=2, without quotes"),
    (SMALL, {"width": "half"}, "width: .*got 'half'"),
    (SMALL, {"width": True}, "width: .*got True"),
    (SMALL, {"width": (1, 2)}, r"width: .*got \(1, 2\) \(tuple\); expected a number"),
    (SMALL, {"seed": 1.5}, r"seed: .*got 1\.5 \(float\); expected a whole number"),
    (SMALL, {"seed": "7"}, "seed: .*write seed=7, without quotes"),
    (SMALL, {"seed": True}, "seed: .*got True"),
    (SMALL, {"seed": 2**64}, "seed cannot be used"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "options", "words"), OPTIONS)
def test_options_that_cannot_be_are_told(document: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InceptionSearchError, match=words):
        ins.compile(document, **options)


def test_options_that_change_nothing_because_they_need_not_are_taken(net: ins.Network) -> None:
    assert ins.compile(NO_HEADS, depth=1).network == ins.load(NO_HEADS)
    assert ins.compile(net, width=np.float32(0.5), depth=np.int64(2), seed=np.int64(3)).network.stages
    assert not ins.compile(net, aux=True, num_classes=0).network.aux  # auxiliary heads go with the head


def test_convolutions_without_norm_are_he_initialised() -> None:
    text = SMALL.replace("blocks:", "conv_defaults: {norm: none, bias: true}\nblocks:")
    wide = ins.compile(ins.scale_width(ins.load(text), 16), seed=0)
    conv = wide.get_submodule("module.0.body.branches.0.conv")
    assert isinstance(conv, nn.Conv2d)
    assert conv.bias is not None
    assert conv.weight.std().item() == pytest.approx((2 / conv.weight[0].numel()) ** 0.5, rel=0.1)
    assert conv.bias.abs().sum() == 0
