"""Whose weights a file has, told by the names of its tensors."""

from __future__ import annotations

import re

import pytest

from inception_search.canonical.catalogue import load
from inception_search.canonical.weight_names import entries, recognise, renumbered
from inception_search.graph.layers import layers
from inception_search.lowering import lower
from tests.canonical.lists import lists, measured


@pytest.mark.parametrize("name", lists())
def test_a_list_is_recognised(name: str) -> None:
    network, implementation = name.split(".")
    names = list(measured(network, implementation))
    assert recognise(names) == (network, implementation)
    assert recognise([name for name in names if "num_batches" not in name]) == (network, implementation)
    trunk = [name for name in names if not re.match(r"aux|AuxLogits|fc|last_|classif|predictions|logits", name)]
    assert recognise(trunk) == (network, implementation)


def test_implementations_with_almost_the_same_names_are_told_apart() -> None:
    timm = list(measured("inception_resnet_v2", "timm"))
    assert recognise([name.replace("classif.", "last_linear.") for name in timm]) == ("inception_resnet_v2", "cadene")
    facenet = list(measured("inception_resnet_v2", "facenet_tf"))
    slim = [re.sub("/Bottleneck/.*", "/Logits/Logits/weights", name) for name in facenet]
    assert recognise(slim) == ("inception_resnet_v2", "slim")
    v4 = [entry.name for entry in entries(layers(lower(load("inception_v4"))), "inception_v4", "slim")]
    assert recognise(v4) == ("inception_v4", "slim")


def test_names_of_nothing_known_are_not_recognised() -> None:
    known = [*measured("inception_v4", "timm")][:100]
    assert recognise([]) is None
    assert recognise(["layer1.0.conv1.weight", "fc.weight", "fc.bias", "bn1.weight", "bn1.bias"]) is None
    assert recognise([*known, *(f"encoder.{name}" for name in known)]) == ("inception_v4", "timm")
    assert recognise([*known, "step", *(f"encoder.{name}" for name in known)]) is None


def test_keras_counts_on_when_it_built_another_model_before() -> None:
    assert renumbered(["conv2d_94/kernel", "conv2d_95/kernel", "batch_normalization_7/beta"]) == {
        "conv2d_94/kernel": "conv2d/kernel",
        "conv2d_95/kernel": "conv2d_1/kernel",
        "batch_normalization_7/beta": "batch_normalization/beta",
    }
    others = ["conv2d_1a.conv.weight", "conv_7b/kernel", "block35_1_conv/kernel", "conv2d_bn/kernel"]
    others += [f"conv2d_{number}/kernel" for number in ("0", "01", "9" * 5000)]  # never written by Keras
    assert renumbered(others) == {name: name for name in others}
