"""ONNX files: every op, network and option gives in ONNX Runtime what the model gives."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor

import inception_search as ins
from inception_search.backend.build import build
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import CompileError, ShapeError
from inception_search.exports.onnx_writer import Writer
from inception_search.graph.graph import Graph, GraphBuilder
from inception_search.graph.op import Op
from inception_search.graph.ops import Input
from inception_search.graph.types import FeatureMap
from inception_search.spec.transform import shrink
from tests.execution.test_generated_code import OPS, graph_of
from tests.passes.checks import distance, unsettled
from tests.passes.test_all_passes import SPACES, graph_of_point
from tests.weights.small_network import SMALL

LIMIT = 1e-5  # relative, in float32
MORE_OPS = {
    "average pool that counts its padding and rounds up": """
        %1 p = pool(%0, mode='avg', kernel=(3, 3), stride=(2, 2), padding=(1, 1), count_pad=True, ceil=True) : 3x5x4
        return %1""",
    "average pool that reaches beyond its padding": """
        %1 p = pool(%0, mode='avg', kernel=(2, 2), stride=(2, 2), count_pad=True, ceil=True) : 3x5x4
        %2 q = pool(%0, mode='avg', kernel=(2, 2), stride=(2, 2), ceil=True) : 3x5x4
        %3 c = concat(%1, %2) : 6x5x4
        return %3""",
    "L2 pool that rounds up": """
        %1 p = pool(%0, mode='l2', kernel=(2, 2), stride=(2, 2), ceil=True) : 3x5x4
        return %1""",
    "tf L2 pool": "%1 p = pool(%0, mode='l2', kernel=(3, 3), stride=(2, 2), padding='tf') : 3x5x4\nreturn %1",
    "tf pool that counts its padding": """
        %1 p = pool(%0, mode='avg', kernel=(3, 3), stride=(2, 2), padding='tf', count_pad=True) : 3x5x4
        return %1""",
    "lrn of even size": "%1 n = lrn(%0, size=4, alpha=0.5) : 3x9x7\nreturn %1",
    "adaptive pools of uneven windows": """
        %1 p = adaptive_pool(%0, size=(5, 4)) : 3x5x4
        %2 q = adaptive_pool(%0, size=(5, 4), mode='max') : 3x5x4
        %3 c = concat(%1, %2) : 6x5x4
        return %3""",
}


def images_of(shape: Any, count: int = 2) -> Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(0))


def run(content: bytes, images: Any) -> np.ndarray[Any, Any]:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    found: np.ndarray[Any, Any] = session.run(None, {"images": np.asarray(images)})[0]
    return found


def check_graph(graph: Graph, model: torch.nn.Module) -> None:
    state = {key: value.detach().numpy() for key, value in model.state_dict().items()}
    written = Writer(graph, state.__getitem__, "float32").model("result")
    onnx.checker.check_model(written, full_check=True)
    x = images_of(graph.nodes[0].type)
    with torch.inference_mode():
        expected = model(x)
    found = torch.from_numpy(run(written.SerializeToString(), x))
    assert found.shape == expected.shape
    assert distance([found], [expected]) <= LIMIT


@pytest.mark.parametrize("text", [*OPS.values(), *MORE_OPS.values()], ids=[*OPS, *MORE_OPS])
def test_every_op(text: str) -> None:
    graph = graph_of(text)
    check_graph(graph, unsettled(build(graph, name="x", seed=0)).eval())


def export(model: NetworkModule, folder: Path, **options: Any) -> onnx.ModelProto:
    result = ins.export(model, "onnx", folder / "m.onnx", force=True, **options)
    assert result.difference is not None
    return onnx.load(str(result.path))


def check_network(model: NetworkModule, folder: Path) -> None:
    model = unsettled(model).eval()
    written = export(model, folder)
    with torch.inference_mode():
        for count in (1, 3):
            x = images_of(model.recall("graph").nodes[0].type, count)
            assert distance([torch.from_numpy(run(written.SerializeToString(), x))], [model(x)]) <= LIMIT


NARROW = ("inception_v1@slim", "inception_v3@keras", "inception_resnet_v2@slim", "nin_cifar10", "bn_inception")


@pytest.mark.parametrize("name", NARROW)
def test_narrow_networks(name: str, tmp_path: Path) -> None:
    network = shrink(ins.load(name), 0.0625, 0.1)
    check_network(ins.compile(network, num_classes=7, seed=0), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ins.list_models())
def test_every_network(name: str, tmp_path: Path) -> None:
    check_network(ins.compile(name, seed=0), tmp_path)


@pytest.mark.parametrize("space", SPACES)
def test_a_point_of_each_space(space: str) -> None:
    graph = graph_of_point(space, random.Random(space).randrange(1000))
    check_graph(graph, unsettled(build(graph, name="x", seed=0)).eval())


@pytest.mark.slow
@pytest.mark.parametrize("space", SPACES)
def test_points_of_each_space(space: str) -> None:
    for seed in range(100):
        graph = graph_of_point(space, seed)
        check_graph(graph, unsettled(build(graph, name="x", seed=seed)).eval())


@pytest.fixture
def model() -> NetworkModule:
    made = unsettled(ins.compile(ins.load(SMALL), seed=0)).eval()
    made.classes = [f"class {number}" for number in range(made.num_classes)]
    return made


def test_names_shapes_and_metadata(model: NetworkModule, tmp_path: Path) -> None:
    written = export(model, tmp_path)
    paths = {node.path for node in ins.lower(model.network).nodes}
    names = {node.name for node in written.graph.node if "/" not in node.name}
    assert names <= paths
    assert {path for path in paths if path.endswith(".conv")} <= names
    dims = {
        each.name: [d.dim_param or d.dim_value for d in each.type.tensor_type.shape.dim] for each in written.graph.input
    }
    assert dims == {"images": ["N", 3, 16, 16]}
    inferred = onnx.shape_inference.infer_shapes(written, check_type=True, strict_mode=True)
    assert len(inferred.graph.value_info) == len(written.graph.node) - 1
    facts = {each.key: each.value for each in written.metadata_props}
    assert json.loads(facts["inception_search.classes"]) == list(model.classes or ())
    assert ins.load(facts["inception_search.document"]) == model.network
    assert facts["inception_search.check"].startswith("ONNX Runtime ")


def test_norms_are_folded_unless_they_are_kept(model: NetworkModule, tmp_path: Path) -> None:
    assert "BatchNormalization" not in {node.op_type for node in export(model, tmp_path).graph.node}
    norms = sum(node.op.name == "batch_norm" for node in ins.lower(model.network).nodes)
    kept = export(model, tmp_path, keep_norms=True)
    assert sum(node.op_type == "BatchNormalization" for node in kept.graph.node) == norms > 0


@pytest.mark.parametrize(("dtype", "limit"), [("float16", 1e-2), ("bfloat16", 3e-2)])
def test_small_dtypes(model: NetworkModule, tmp_path: Path, dtype: str, limit: float) -> None:
    whole = export(model, tmp_path).ByteSize()
    written = export(model, tmp_path, dtype=dtype)
    weights = [each for each in written.graph.initializer if each.name.endswith((".weight", ".weight/bfloat16"))]
    assert {each.data_type for each in weights} == {getattr(onnx.TensorProto, dtype.upper())}
    assert written.ByteSize() < 0.9 * whole
    x = images_of((3, 16, 16))
    with torch.inference_mode():
        assert distance([torch.from_numpy(run(written.SerializeToString(), x))], [model(x)]) <= limit


def test_pixels_in_and_probabilities_out(model: NetworkModule, tmp_path: Path) -> None:
    facts = {"mean": [0.5, 0.25, 0.125], "std": [0.5, 1.0, 0.25], "order": "bgr"}
    network = ins.load(SMALL.rstrip("\n") + f"\npreprocess: {json.dumps(facts)}\n")
    model = unsettled(ins.compile(network, seed=0)).eval()
    written = export(model, tmp_path, preprocess=True)
    photo = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    with torch.inference_mode():
        expected = model(ins.prepare_images(photo, model)).softmax(1)
    found = torch.from_numpy(run(written.SerializeToString(), photo))
    assert [each.name for each in written.graph.output] == ["probabilities"]
    assert distance([found], [expected]) <= LIMIT


@pytest.mark.parametrize("name", ["inception_v3", "inception_v3@keras", "inception_v4@slim"])
def test_images_of_other_sizes(name: str, tmp_path: Path) -> None:
    model = unsettled(ins.compile(name, width=0.0625, input_size=107, num_classes=5, seed=0)).eval()
    content = export(model, tmp_path, dynamic_size=True).SerializeToString()
    with torch.inference_mode():
        for size in ((107, 107), (128, 139)):
            x = images_of((3, *size))
            assert distance([torch.from_numpy(run(content, x))], [model(x)]) <= LIMIT


def test_a_network_for_one_size(tmp_path: Path) -> None:
    network = ins.load(SMALL.replace("head: {", "head: {pool: none, "))
    with pytest.raises(ShapeError, match="one size only"):
        export(ins.compile(network, seed=0).eval(), tmp_path, dynamic_size=True)


class Unknown(Op):
    """An op of another package without a form in ONNX."""

    name = "unknown"


def test_an_op_without_a_form() -> None:
    builder = GraphBuilder()
    image = builder.add(Input(FeatureMap(3, 8, 8)), (), "input")
    graph = builder.build(builder.add(Unknown(), (image,), "stem.odd"))
    with pytest.raises(CompileError, match="no form in ONNX") as error:
        Writer(graph, {}.__getitem__, "float32").model("result")
    assert error.value.place is not None
    assert "stem.odd" in str(error.value)
    assert "to_onnx" in str(error.value)


def test_the_same_model_gives_the_same_file(model: NetworkModule, tmp_path: Path) -> None:
    assert export(model, tmp_path).SerializeToString() == export(model, tmp_path).SerializeToString()
