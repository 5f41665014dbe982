"""``ins.export``: the check of every format, refusals, and that nothing is left behind."""

from __future__ import annotations

import builtins
import errno
from pathlib import Path
from typing import Any

import pytest
import torch

import inception_search as ins
import tests.torchvision_shim  # noqa: F401 - before timm
from inception_search.backend.network_module import NetworkModule
from inception_search.data.dataset import Dataset
from inception_search.data.loader import DeviceData
from inception_search.errors import CompileError, ConfigError, MissingRequirementError, ShapeError, UnknownNameError
from inception_search.exports.formats import FORMATS
from inception_search.graph.ops import Act
from inception_search.spec.safetensors_header import read_metadata
from inception_search.training.trainer import Fidelity, train
from tests.passes.checks import unsettled
from tests.weights.small_network import SMALL


@pytest.fixture
def model() -> NetworkModule:
    return unsettled(ins.compile(ins.load(SMALL), seed=0)).eval()


def target(folder: Path, to: str) -> Path:
    return folder / f"m{FORMATS[to].suffix}"


@pytest.mark.parametrize("to", FORMATS)
def test_every_format_checks_itself(to: str, model: NetworkModule, tmp_path: Path) -> None:
    result = ins.export(model, to, target(tmp_path, to))
    assert result.difference is not None
    assert result.difference <= 1e-5
    assert result.path.exists()
    kind = FORMATS[to]
    assert {path.name for path in tmp_path.iterdir()} == {f"m{end}" for end in (kind.suffix, *kind.beside)}


@pytest.mark.parametrize("to", FORMATS)
def test_models_with_auxiliary_classifiers(to: str, tmp_path: Path) -> None:
    model = unsettled(ins.compile(ins.load(SMALL), aux=True, seed=0)).eval()
    assert ins.export(model, to, target(tmp_path, to)).difference is not None


@pytest.mark.parametrize("to", ["onnx", "openvino"])
def test_a_file_that_computes_something_else(
    to: str, model: NetworkModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Act, "to_onnx", lambda op, calls, values, inputs: calls.call("Tanh", *values))
    with pytest.raises(CompileError, match=r"computes something else .* first layer with other values is stem\.act"):
        ins.export(model, to, target(tmp_path, to))
    assert not list(tmp_path.iterdir())


def test_without_a_check_the_file_says_so(model: NetworkModule, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    result = ins.export(model, "onnx", tmp_path / "m.onnx", check=False)
    assert result.difference is None
    assert str(result).endswith("(not checked)")
    facts = {each.key: each.value for each in onnx.load(str(result.path)).metadata_props}
    assert facts["inception_search.check"] == "not checked"


@pytest.mark.parametrize(
    ("to", "name", "check", "words"),
    [
        ("safetensors", "m.safetensors", True, "inception-search "),
        ("safetensors", "m.safetensors", False, "not checked"),
        ("source", "m.py", True, "torch "),
        ("source", "m.py", False, "not checked"),
    ],
)
def test_a_safetensors_file_contains_the_result_of_the_check(
    model: NetworkModule, tmp_path: Path, to: str, name: str, check: bool, words: str
) -> None:
    ins.export(model, to, tmp_path / name, check=check)
    weights = tmp_path / "m.safetensors"  # with source, it is beside the file
    assert read_metadata(weights)["inception_search.check"].startswith(words)
    assert ins.load_model(weights).network == model.network


def test_images_of_the_user_are_compared(model: NetworkModule, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    ins.export(model, "onnx", tmp_path / "m.onnx", images=torch.rand(3, 3, 16, 16))
    facts = {each.key: each.value for each in onnx.load(str(tmp_path / "m.onnx")).metadata_props}
    assert facts["inception_search.check"].endswith("on 5 images")


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "unknown format": ({"to": "onx"}, UnknownNameError, "did you mean 'onnx'"),
    "unknown dtype": ({"dtype": "int4"}, ConfigError, "int4"),
    "option of another format": ({"to": "pt2", "path": "m.pt2", "keep_norms": True}, ConfigError, "onnx and openvino"),
    "another ending": ({"path": "m.pt"}, ConfigError, "ends in .onnx"),
    "no folder": ({"path": "nowhere/m.onnx"}, ConfigError, "no such folder"),
    "existing file": ({"path": "there.onnx"}, ConfigError, "force"),
    "existing second file": ({"to": "openvino", "path": "there.xml"}, ConfigError, r"there\.bin"),
    "a folder": ({"path": "folder.onnx", "force": True}, ConfigError, "is a folder"),
    "other images": ({"images": torch.zeros(1, 3, 8, 8)}, ShapeError, r"\(N, 3, 16, 16\)"),
    "no images": ({"images": torch.zeros(0, 3, 16, 16)}, ShapeError, r"\(N, 3, 16, 16\)"),
    "another module": ({"model": torch.nn.ReLU()}, ConfigError, "ReLU"),
    "int8 and float16": ({"int8": True, "dtype": "float16"}, ConfigError, "int8: cannot be combined with dtype"),
    "int8 and pixels": ({"int8": True, "preprocess": True}, ConfigError, "int8: cannot be combined with preprocess"),
    "images with nan": ({"images": torch.full((1, 3, 16, 16), torch.nan)}, ConfigError, "images: values .* not finite"),
    "a long name": ({"path": f"{'n' * 300}.onnx"}, ConfigError, "cannot be written, got File name too long"),
    "a null character": ({"path": "a\0b.onnx"}, ConfigError, "null character"),
    "no preprocessing": ({"preprocess": True}, ConfigError, "no preprocessing"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str, model: NetworkModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.onnx").write_text("mine")
    Path("there.bin").write_text("mine")
    Path("folder.onnx").mkdir()
    before = sorted(tmp_path.rglob("*"))
    options, kind, words = REFUSED[name]
    with pytest.raises(kind, match=words):
        ins.export(**{"model": model, "to": "onnx", "path": "m.onnx", **options})
    assert sorted(tmp_path.rglob("*")) == before
    assert Path("there.onnx").read_text() == "mine"


def test_a_model_in_training_mode(model: NetworkModule, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"call model\.eval\(\)"):
        ins.export(model.train(), "onnx", tmp_path / "m.onnx")


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_model_in_another_dtype(dtype: torch.dtype, model: NetworkModule, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"model\.stem\.\S+: weights in another dtype, got b?float\d+; .*model\.float"
    ):
        ins.export(model.to(dtype), "source", tmp_path / "m.py")
    assert not list(tmp_path.iterdir())


def test_a_model_on_another_device(model: NetworkModule, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="on another device, got meta"):
        ins.export(model.to("meta"), "onnx", tmp_path / "m.onnx")


@pytest.mark.parametrize("to", FORMATS)
def test_weights_that_are_not_finite(to: str, model: NetworkModule, tmp_path: Path) -> None:
    model.head.classifier.bias.data[1] = torch.inf
    with pytest.raises(ConfigError, match=r"model\.head\.classifier\.bias: weights that are not finite"):
        ins.export(model, to, target(tmp_path, to))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("to", FORMATS)
def test_a_model_that_computes_by_a_rewritten_graph(to: str, tmp_path: Path) -> None:
    model = unsettled(ins.compile(ins.load(SMALL), optimize="training", seed=0)).eval()
    rewrites = model.rewrites
    assert rewrites
    assert ins.export(model, to, target(tmp_path, to)).path.exists()
    assert model.rewrites == rewrites
    assert "forward" in vars(model)


@pytest.mark.parametrize("to", FORMATS)
def test_layers_that_share_a_tensor(to: str, tmp_path: Path) -> None:
    model = unsettled(ins.compile(ins.load(SMALL), seed=0)).eval()
    norms = [layer for layer in model.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    one, other = next((a, b) for a in norms for b in norms if a is not b and a.num_features == b.num_features)
    one.weight = other.weight
    assert ins.export(model, to, target(tmp_path, to)).path.exists()


def test_a_file_name_of_the_largest_length(model: NetworkModule, tmp_path: Path) -> None:
    name = f"{'n' * 250}.onnx"
    ins.export(model, "onnx", tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_openvino_keeps_one_result_of_the_check(model: NetworkModule, tmp_path: Path) -> None:
    ins.export(model, "openvino", tmp_path / "m.xml")
    text = (tmp_path / "m.xml").read_text()
    assert "unfinished" not in text
    assert text.count("largest relative difference") == 1


def test_a_model_with_another_layer(model: NetworkModule, tmp_path: Path) -> None:
    model.stem.act = torch.nn.Tanh().eval()
    with pytest.raises(CompileError, match=r"document any more, got another layer at stem\.act: Tanh"):
        ins.export(model, "onnx", tmp_path / "m.onnx")


@pytest.mark.parametrize(("to", "missing"), [("onnx", "onnx"), ("onnx", "onnxruntime"), ("openvino", "openvino")])
def test_a_missing_package(
    to: str, missing: str, model: NetworkModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **named: Any) -> Any:
        if name == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *args, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingRequirementError, match=f"needs {missing}, which is not installed; pip install"):
        ins.export(model, to, target(tmp_path, to))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("to", ["onnx", "pt2"])
def test_a_full_disk(to: str, model: NetworkModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:100])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ConfigError, match="cannot be written, got No space left on device; free some space"):
        ins.export(model, to, target(tmp_path, to))
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def trained() -> tuple[NetworkModule, Dataset]:
    """A small network after a few epochs on digits, and the digits."""
    data = ins.load_data("digits", image_size=12, limit=600)
    network = ins.set_classes(ins.set_input(ins.load(SMALL), channels=1, height=12, width=12), 10)
    model = ins.compile(network, seed=0)
    train(model, DeviceData(data, "cpu"), Fidelity(epochs=3, image_size=12, batch_size=32), seed=0)
    return model.eval(), data


@pytest.mark.parametrize("to", ["onnx", "openvino"])
def test_int8_keeps_the_accuracy(to: str, trained: tuple[NetworkModule, Dataset], tmp_path: Path) -> None:
    if to == "openvino":
        pytest.importorskip("nncf")
    model, data = trained
    whole = ins.export(model, to, tmp_path / f"whole{FORMATS[to].suffix}").path
    result = ins.export(model, to, target(tmp_path, to), int8=True, calibrate=data)
    assert result.accuracy is not None
    assert result.accuracy.images == len(data.validation)
    assert result.accuracy.before > 0.5
    assert result.accuracy.after > result.accuracy.before - 0.05
    assert "before" in str(result)
    weights = ".bin" if to == "openvino" else ".onnx"
    assert result.path.with_suffix(weights).stat().st_size != whole.with_suffix(weights).stat().st_size


def test_int8_in_the_metadata(trained: tuple[NetworkModule, Dataset], tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model, data = trained
    ins.export(model, "onnx", tmp_path / "m.onnx", int8=True, calibrate=data)
    written = onnx.load(str(tmp_path / "m.onnx"))
    facts = {each.key: each.value for each in written.metadata_props}
    assert "validation images" in facts["inception_search.int8"]
    assert "digits" in facts["inception_search.int8"]
    assert ins.load(facts["inception_search.document"]) == model.network
    assert "QuantizeLinear" in {node.op_type for node in written.graph.node}


def test_int8_without_or_with_other_images(trained: tuple[NetworkModule, Dataset], tmp_path: Path) -> None:
    model, _ = trained
    with pytest.raises(ConfigError, match="needs images for its calibration"):
        ins.export(model, "onnx", tmp_path / "m.onnx", int8=True)
    other = ins.load_data("digits", image_size=16, limit=100)
    with pytest.raises(ShapeError, match="image_size=12"):
        ins.export(model, "onnx", tmp_path / "m.onnx", int8=True, calibrate=other)
    assert not list(tmp_path.iterdir())


def test_force_replaces_a_file(model: NetworkModule, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_text("old")
    ins.export(model, "safetensors", tmp_path / "m.safetensors", force=True)
    assert ins.load_model(tmp_path / "m.safetensors").network == model.network
