"""The runtimes of plans compute the same numbers, from the same random weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from inception_search.api import load
from inception_search.graph.graph import Graph, GraphBuilder
from inception_search.graph.op import Op
from inception_search.graph.ops import (
    Act,
    AdaptivePool,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Flatten,
    GlobalPool,
    Input,
    Linear,
    Lrn,
    Narrow,
    Normalize,
    Pool,
    Scale,
    Zero,
)
from inception_search.graph.ops.act import ACTIVATIONS
from inception_search.graph.types import FeatureMap
from inception_search.measures.device_plan import part_of
from inception_search.measures.units import deployed
from inception_search.on_device.onnx_model import onnx_model
from inception_search.on_device.parts import Part, PlanError
from inception_search.on_device.runtime import open_runtime

OTHERS = ("onnxruntime", "openvino")
OPS: dict[str, tuple[Op, ...]] = {
    **{f"act {kind}": (Act(kind),) for kind in ACTIVATIONS},
    "conv": (Conv(5, (3, 3), (2, 2), (1, 1), bias=True),),
    "conv of unequal sides": (Conv(5, (1, 7), (1, 1), (0, 3)),),
    "conv padded by all of its kernel": (Conv(5, (2, 2), (1, 1), (2, 2)),),
    "conv with padding of tensorflow": (Conv(5, (3, 3), (2, 2), "tf"),),
    "dilated conv": (Conv(5, (3, 3), (1, 1), (2, 2), (2, 2)),),
    "grouped conv": (Conv(6, (3, 3), (1, 1), (1, 1), groups=3),),
    "norm": (BatchNorm(),),
    "norm without gamma": (BatchNorm(gamma=False),),
    "lrn": (Lrn(5),),
    "lrn of even size": (Lrn(4),),
    "max pool": (Pool("max", (3, 3), (2, 2), (1, 1)),),
    "max pool, rounded up": (Pool("max", (3, 3), (2, 2), ceil=True),),
    "max pool with padding of tensorflow": (Pool("max", (3, 3), (2, 2), "tf"),),
    "average pool": (Pool("avg", (3, 3), (1, 1), (1, 1)),),
    "average pool that counts its padding": (Pool("avg", (3, 3), (1, 1), (1, 1), count_pad=True),),
    "average pool, rounded up": (Pool("avg", (3, 3), (2, 2), ceil=True),),
    "average pool, padded, rounded up": (Pool("avg", (3, 3), (2, 2), (1, 1), count_pad=True, ceil=True),),
    "average pool with padding of tensorflow": (Pool("avg", (3, 3), (2, 2), "tf"),),
    "l2 pool": (Pool("l2", (3, 3), (2, 2)),),
    "adaptive average pool": (AdaptivePool((3, 2)),),
    "adaptive max pool": (AdaptivePool((3, 2), "max"),),
    "global average pool": (GlobalPool(),),
    "global max pool": (GlobalPool("max"),),
    "classifier": (Flatten(), Linear(4)),
    "normalize": (Flatten(), Normalize()),
    "scale": (Scale(0.3),),
    "zero": (Zero(),),
    "narrow": (Narrow(4, 1),),
}


def chain(ops: tuple[Op, ...]) -> Graph:
    builder = GraphBuilder()
    value = builder.add(Input(FeatureMap(6, 10, 8)), (), "input")
    for index, op in enumerate(ops):
        value = builder.add(op, (value,), f"op{index}")
    return builder.build(value)


def merged(op: Op) -> Graph:
    builder = GraphBuilder()
    left, right = (builder.add(Input(FeatureMap(6, 10, 8)), (), name) for name in ("left", "right"))
    return builder.build(builder.add(op, (left, right), "op"))


def computed(part: Part, runtime: str, batch_size: int = 2) -> Any:
    value = open_runtime(runtime, threads=1).prepare(part, batch_size)()
    return value.numpy() if runtime == "torch" else np.array(value)


def check(graph: Graph, other: str) -> None:
    pytest.importorskip(other)
    part = part_of(graph)
    expected, found = computed(part, "torch"), computed(part, other)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5 * max(1.0, float(np.abs(expected).max())))


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("ops", OPS.values(), ids=OPS)
def test_an_op_is_the_same_in_each_runtime(ops: tuple[Op, ...], other: str) -> None:
    check(chain(ops), other)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("op", [Add(), Add(0.2), Concat()], ids=repr)
def test_an_op_of_two_values_is_the_same_in_each_runtime(op: Op, other: str) -> None:
    check(merged(op), other)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("name", ["nin_cifar10", "inception_v1"])
def test_a_network_is_the_same_in_each_runtime(name: str, other: str) -> None:
    check(deployed(load(name)), other)


@pytest.mark.parametrize("ops", OPS.values(), ids=OPS)
def test_a_part_is_valid_onnx(ops: tuple[Op, ...]) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(onnx_model(part_of(chain(ops)), 3))
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    assert inferred.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 3


def test_an_unknown_operator_of_torch_is_named() -> None:
    part = {**part_of(chain((Act(),))), "calls": [["Fancy", ["x0"], "v0", {}]]}
    with pytest.raises(PlanError, match="torch cannot run the operator Fancy"):
        open_runtime("torch").prepare(part, 1)


def without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find: Callable[..., Any] = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda each, *rest: None if each == name else find(each, *rest))


def test_a_runtime_that_is_not_installed_names_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    without("openvino", monkeypatch)
    with pytest.raises(PlanError, match=r"openvino is not installed; give --runtime torch, or install it"):
        open_runtime("openvino")


@pytest.mark.parametrize(
    ("runtime", "device", "words"),
    [
        ("tflite", "cpu", "there is no runtime 'tflite'; there are torch, onnxruntime, openvino"),
        ("torch", "npu9", "torch has no device 'npu9'"),
        ("onnxruntime", "cuda", "on the device cpu only, not on 'cuda'"),
        ("openvino", "npu", "openvino has no device 'npu'; it has CPU"),
    ],
)
def test_an_unknown_device_or_runtime_is_named(runtime: str, device: str, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        open_runtime(runtime, device)
