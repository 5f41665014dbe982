"""Every kind of weight file comes back as the tensors that were written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from inception_search.errors import WeightsError
from inception_search.spec.safetensors_header import read_metadata
from inception_search.weights.checkpoint import Checkpoint, read_checkpoint
from inception_search.weights.files.keras_order import layer_configs, own_names
from tests.weights.weight_files import (
    KERNEL,
    TABLE_END,
    VECTORS,
    WRITERS,
    fake_tensorflow,
    tensors,
    write_keras,
    write_legacy_h5,
    write_numbered_h5,
)


def same(found: Checkpoint, expected: dict[str, Any]) -> None:
    assert set(found.tensors) == set(expected)
    for name, value in expected.items():
        wanted = torch.as_tensor(value)
        assert found.tensors[name].dtype == wanted.dtype, name
        assert torch.equal(found.tensors[name], wanted), name


@pytest.mark.parametrize(
    ("name", "kind"), [("model.safetensors", "safetensors"), ("model.pth", "torch"), ("legacy.pth", "torch")]
)
def test_tensors_come_back_in_the_order_of_the_file(tmp_path: Path, name: str, kind: str) -> None:
    torch.manual_seed(0)
    expected = tensors()
    path = tmp_path / name
    torch.manual_seed(0)
    WRITERS[name](path)
    found = read_checkpoint(path)
    same(found, expected)
    assert (found.file, found.kind, found.left_out) == (str(path), kind, ())
    assert found.metadata == ({"made_by": "a test"} if kind == "safetensors" else {})
    if kind == "torch":
        assert list(found.tensors) == list(expected)


def test_the_extension_says_nothing(tmp_path: Path) -> None:
    for name, kind in (("model.pth", "torch"), ("legacy.h5", "keras"), ("model.safetensors", "safetensors")):
        WRITERS[name](tmp_path / "weights.bin")
        assert read_checkpoint(str(tmp_path / "weights.bin")).kind == kind


# State dicts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict", "state_dict_ema"])
def test_what_training_wraps_around_is_taken_off(tmp_path: Path, key: str) -> None:
    plain = {"a.weight": torch.ones(2), "b.bias": torch.zeros(3)}
    saved = {"epoch": 3, key: {f"_orig_mod.module.{name}": value for name, value in plain.items()}, "optimizer": {}}
    torch.save(saved, tmp_path / "checkpoint.pth")
    for source in (saved, tmp_path / "checkpoint.pth"):
        found = read_checkpoint(source)
        same(found, plain)
        assert found.left_out == ("epoch", "optimizer")


def test_a_prefix_that_not_all_names_have_stays() -> None:
    found = read_checkpoint({"module.a": torch.ones(1), "b": torch.ones(1)})
    assert list(found.tensors) == ["module.a", "b"]
    assert (found.file, found.kind) == (None, "state_dict")


def test_a_module_gives_its_parameters_without_gradients() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    found = read_checkpoint(model.state_dict(keep_vars=True))
    same(found, model.state_dict())
    assert not any(tensor.requires_grad for tensor in found.tensors.values())


def test_numpy_arrays_of_any_layout() -> None:
    values = {
        "big endian": KERNEL.astype(">f4"),
        "backwards": KERNEL[..., ::-1],
        "transposed": KERNEL.T,
        "scalar": np.int64(3),
        "bool": np.array([True, False]),
    }
    read_only = KERNEL.copy()
    read_only.flags.writeable = False
    found = read_checkpoint({**values, "read only": read_only})
    same(
        found,
        {
            **{name: np.array(value, np.asarray(value).dtype.newbyteorder("=")) for name, value in values.items()},
            "read only": KERNEL,
        },
    )


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ({"epoch": 3, "weights": {}}, r"epoch: this entry is not a tensor, got 'builtins.int'"),
        ({"a": torch.ones(1), "b": None}, r"b: this entry is not a tensor"),
        ({1: torch.ones(1)}, "the names of tensors must be text, got 1"),
        ({"a": np.array(["x"])}, "a: the values are not numbers"),
        ({"a": torch.ones(1, dtype=torch.complex64)}, "a: the dtype cannot be read, got torch.complex64"),
        ({}, "there are no weights in it"),
        ({"state_dict": {}}, "there are no weights in it"),
        (torch.nn.Linear(1, 1), r"weights cannot be read from this, got 'Linear'; give a path or model.state_dict\(\)"),
    ],
)
def test_what_is_no_state_dict_is_refused(source: Any, text: str) -> None:
    with pytest.raises(WeightsError, match=text):
        read_checkpoint(source)


def test_more_than_max_bytes_is_refused(tmp_path: Path) -> None:
    for name, write in WRITERS.items():
        write(tmp_path / name)
        with pytest.raises(WeightsError, match=r"too large|unpacks to too much") as caught:
            read_checkpoint(tmp_path / name, max_bytes=50)
        assert "50 bytes" in str(caught.value)
    with pytest.raises(WeightsError, match="raise max_bytes"):
        read_checkpoint({"a": torch.ones(100)}, max_bytes=399)


# Safetensors ------------------------------------------------------------------------------------------------


def test_metadata_without_torch(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "plain.safetensors")
    WRITERS["model.safetensors"](tmp_path / "model.safetensors")
    assert read_metadata(tmp_path / "plain.safetensors") == {}
    code = (
        "from inception_search.spec.safetensors_header import read_metadata; import sys;"
        f"print(read_metadata({str(tmp_path / 'model.safetensors')!r}), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{'made_by': 'a test'} False"


# Keras ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["keras1", "keras2", "graph", "keras3.0", "keras3", "sequential"])
@pytest.mark.parametrize("root", ["model_weights", ""])
def test_the_old_layout(tmp_path: Path, style: str, root: str) -> None:
    write_legacy_h5(tmp_path / "model.h5", style, root)
    found = read_checkpoint(tmp_path / "model.h5")
    same(
        found,
        {
            "conv2d_3/kernel": KERNEL,
            "conv2d_3/bias": VECTORS[0],
            "batch_normalization_3/beta": VECTORS[0],
            "batch_normalization_3/moving_mean": VECTORS[1],
            "batch_normalization_3/moving_variance": VECTORS[2],
        },
    )
    assert (found.kind, found.left_out) == ("keras", ("optimizer_weights",) if root else ())


def test_a_model_inside_a_model_in_the_old_layout(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["layer_names0"] = [b"inner"]  # Keras splits long lists
        file.create_group("inner").attrs["weight_names"] = [b"conv2d/kernel:0", b"conv2d_1/kernel:0"]
        file["inner/conv2d/kernel:0"] = file["inner/conv2d_1/kernel:0"] = KERNEL
    assert list(read_checkpoint(tmp_path / "model.h5").tensors) == ["inner/conv2d/kernel", "inner/conv2d_1/kernel"]


def test_numbered_variables_are_named_by_rank_and_count(tmp_path: Path) -> None:
    odd = [KERNEL, KERNEL, KERNEL]
    layers = {
        "conv2d": [KERNEL],
        "conv2d_1": [KERNEL, VECTORS[0]],
        "batch_normalization": VECTORS[:3],
        "batch_normalization_1": VECTORS,
        "odd": odd,
        "activation": [],
    }
    write_numbered_h5(tmp_path / "model.weights.h5", layers)
    three = ("beta", "moving_mean", "moving_variance")
    expected = {"conv2d/kernel": KERNEL, "conv2d_1/kernel": KERNEL, "conv2d_1/bias": VECTORS[0]}
    expected |= {f"batch_normalization/{name}": value for name, value in zip(three, VECTORS[:3], strict=True)}
    expected |= {f"batch_normalization_1/{n}": value for n, value in zip(("gamma", *three), VECTORS, strict=True)}
    expected |= {f"odd/{i}": KERNEL for i in range(3)}
    same(read_checkpoint(tmp_path / "model.weights.h5"), expected)


@pytest.mark.parametrize("container", ["layers", "_layer_checkpoint_dependencies"])
def test_models_in_models_and_training_state(tmp_path: Path, container: str) -> None:
    with h5py.File(tmp_path / "model.weights.h5", "w") as file:
        file[f"{container}/functional/{container}/conv2d/vars/0"] = KERNEL
        file[f"{container}/functional/vars/0"] = VECTORS[0]
        file[f"{container}/dropout/seed_generator/vars/0"] = np.uint32(3)
        file["optimizer/vars/0"] = 3
    found = read_checkpoint(tmp_path / "model.weights.h5")
    assert set(found.tensors) == {"functional/0", "functional/conv2d/kernel"}
    assert set(found.left_out) == {"optimizer", "dropout/seed_generator"}


def test_bfloat16_of_keras(tmp_path: Path) -> None:
    """HDF5 has no such type: Keras writes two opaque bytes."""
    value = torch.tensor([1.0, -2.5])
    write_numbered_h5(tmp_path / "model.weights.h5", {"scale": [value.bfloat16().view(torch.int16).numpy().view("V2")]})
    same(read_checkpoint(tmp_path / "model.weights.h5"), {"scale/0": value.bfloat16()})


def test_a_keras_file_takes_names_from_its_config(tmp_path: Path) -> None:
    """The order of the config is that of the groups; some versions skip numbers."""

    def layer(kind: str, name: str) -> dict[str, Any]:
        return {"class_name": kind, "config": {"name": name}}

    convs = [("conv2d_9", 0), ("stem", 2), ("conv2d_1", 10)]
    listed = [layer("InputLayer", "in"), *(layer("Conv2D", name) for name, _ in convs), layer("Dense", "top")]
    groups = {f"conv2d_{n}" if n else "conv2d": [np.full((1, 1), float(n))] for _, n in convs}
    write_keras(tmp_path / "model.keras", groups, {"config": {"layers": listed}})
    same(read_checkpoint(tmp_path / "model.keras"), {f"{name}/kernel": np.full((1, 1), float(n)) for name, n in convs})


@pytest.mark.parametrize("config", [None, {}, [], {"config": {"layers": [3, {"class_name": None}]}}, {"config": 3}])
def test_a_config_of_no_use_is_passed_over(tmp_path: Path, config: Any) -> None:
    write_keras(tmp_path / "model.keras", {"conv2d_4": [KERNEL]}, config)
    assert list(read_checkpoint(tmp_path / "model.keras").tensors) == ["conv2d_4/kernel"]


def test_without_names_the_two_networks_of_keras_are_known_by_their_counts() -> None:
    """Every layer gets one name of its own; real Keras checks the order (a slow test)."""
    for convs, norms, named in ((94, 94, {"conv2d"}), (244, 204, {"conv_7b", "block35_10_conv", "block8_1_conv"})):
        groups = [f"conv2d_{i}" if i else "conv2d" for i in range(convs)]
        groups += [f"batch_normalization_{i}" if i else "batch_normalization" for i in range(norms)] + ["dense"]
        names = {group: config.name for group, config in own_names(groups, []).items()}
        assert len(set(names.values())) == len(groups) == len(names)
        assert named | {"predictions"} <= set(names.values())
        assert names["conv2d_12"] == "conv2d_15"
    assert own_names(["conv2d_5"], layer_configs(None))["conv2d_5"].name == "conv2d_5"


# TensorFlow -------------------------------------------------------------------------------------------------

TENSORFLOW = {
    "InceptionV1/Conv2d_1a_7x7/weights": KERNEL,
    "InceptionV1/Conv2d_1a_7x7/weights/RMSProp_1": KERNEL,
    "InceptionV1/Conv2d_1a_7x7/BatchNorm/beta": VECTORS[0],
    "InceptionV1/Conv2d_1a_7x7/BatchNorm/beta/ExponentialMovingAverage": VECTORS[1],
    "InceptionV1/Conv2d_1a_7x7/BatchNorm/beta/Momentum": VECTORS[1],
    "InceptionV1/Logits/Conv2d_0c_1x1/biases": VECTORS[2],
    "global_step": np.int64(5),
    "save_counter/.ATTRIBUTES/VARIABLE_VALUE": np.int64(5),
    "_CHECKPOINTABLE_OBJECT_GRAPH": np.bytes_(b"x"),
}


def write_tensorflow(folder: Path) -> dict[str, str]:
    """Files that look like checkpoints; every path that means one, and the prefix it means."""
    for name in ("v1.ckpt", "v2.ckpt-7.index", "v2.ckpt-7.data-00000-of-00001"):
        (folder / name).write_bytes(b"something" + TABLE_END)
    (folder / "checkpoint").write_text('model_checkpoint_path: "/elsewhere/v2.ckpt-7"\n')
    new = str(folder / "v2.ckpt-7")
    names = ("v2.ckpt-7", "v2.ckpt-7.index", "v2.ckpt-7.data-00000-of-00001", ".")
    return {**{str(folder / name): new for name in names}, str(folder / "v1.ckpt"): str(folder / "v1.ckpt")}


def test_tensorflow_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = fake_tensorflow(monkeypatch, TENSORFLOW)
    for path, prefix in write_tensorflow(tmp_path).items():
        found = read_checkpoint(path)
        kept = [name for name in TENSORFLOW if name.endswith(("weights", "beta", "biases"))]
        same(found, {name: TENSORFLOW[name] for name in kept})
        assert (found.kind, len(found.left_out), asked.pop()) == ("tensorflow", len(TENSORFLOW) - 3, prefix)
        assert list(found.tensors) == sorted(kept)


def test_tensorflow_says_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = next(iter(write_tensorflow(tmp_path)))
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(WeightsError, match=r"pip install tensorflow, or .*'\.\[tensorflow\]'; or convert") as caught:
        read_checkpoint(path)
    assert str(caught.value).startswith(path)
    fake_tensorflow(monkeypatch, RuntimeError("Data loss: checksum does not match"))
    with pytest.raises(WeightsError, match="damaged or incomplete, got RuntimeError: Data loss"):
        read_checkpoint(path)
    fake_tensorflow(monkeypatch, {"w": np.broadcast_to(np.float32(0), (1 << 30,))})
    with pytest.raises(WeightsError, match="claims more than its files can hold"):
        read_checkpoint(path)
    fake_tensorflow(monkeypatch, {"w": np.bytes_(b"x")})
    with pytest.raises(WeightsError, match="w: the values are not numbers"):
        read_checkpoint(path)


def test_without_h5py_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("legacy.h5", "model.keras"):
        WRITERS[name](tmp_path / name)
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, "h5py", None)
            with pytest.raises(WeightsError, match=r"pip install h5py, or .* pip install '\.\[keras\]'"):
                read_checkpoint(tmp_path / name)


# Real Keras -------------------------------------------------------------------------------------------------


def keras_model(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A network of Keras' applications with other numbers in every variable, its layers named from the start."""
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    keras.backend.clear_session()
    model = getattr(keras.applications, name)(weights=None)
    numbers = np.random.default_rng(0)
    model.set_weights([numbers.standard_normal(value.shape, np.float32) for value in model.get_weights()])
    return model


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["InceptionV3", "InceptionResNetV2"])
def test_files_of_keras_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """All kinds of file, with the own names in them and without as older versions write them."""
    model = keras_model(name, monkeypatch)
    expected = {
        f"{layer.name}/{variable.name}": np.array(variable) for layer in model.layers for variable in layer.weights
    }
    weights = tmp_path / "model.weights.h5"
    model.save_weights(weights)
    for path in (tmp_path / "model.h5", tmp_path / "model.keras"):
        model.save(path)
        same(read_checkpoint(path), expected)
        path.unlink()
    same(read_checkpoint(weights), expected)
    with h5py.File(weights) as file:
        groups = {name: [layer["vars"][i][()] for i in sorted(layer["vars"])] for name, layer in file["layers"].items()}
    write_keras(tmp_path / "again.keras", groups, json.loads(model.to_json()))
    same(read_checkpoint(tmp_path / "again.keras"), expected)
