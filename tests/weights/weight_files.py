"""Small weight files of every kind, written as the frameworks write them."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

KERNEL = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
VECTORS = tuple(np.full(4, value, dtype=np.float32) for value in (1, 2, 3, 4))
TABLE_END = 0xDB4775248B80FB57.to_bytes(8, "little")


def tensors() -> dict[str, torch.Tensor]:
    """A few tensors of different dtypes, names not in alphabetical order."""
    return {
        "stem.conv.weight": torch.arange(24, dtype=torch.float32).reshape(2, 3, 2, 2),
        "stem.bn.num_batches_tracked": torch.tensor(7),
        "fc.weight": torch.randn(3, 5, dtype=torch.float64),
        "a.half": torch.ones(3, dtype=torch.float16),
        "a.brain": torch.full((2, 2), 1.5, dtype=torch.bfloat16),
    }


def write_legacy_h5(path: Path, style: str = "keras2", root: str = "model_weights") -> None:
    """A convolution and a normalization in the old layout, with the names of variables in one of its styles."""
    values = (
        {"kernel": KERNEL, "bias": VECTORS[0]},
        dict(zip(("beta", "moving_mean", "moving_variance"), VECTORS[:3], strict=True)),
    )
    with h5py.File(path, "w") as file:
        group = file.create_group(root) if root else file
        layers = ("conv2d_3", "batch_normalization_3", "activation")
        group.attrs["layer_names"] = [layer.encode() for layer in layers]
        for layer, variables in zip(layers, (*values, {}), strict=True):
            inside = group.create_group(layer)
            names = [_styled(layer, name, style) for name in variables]
            inside.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, variables.values(), strict=True):
                inside.create_dataset(name, data=value)
        if root:
            file.create_group("optimizer_weights").create_dataset("adam/iteration", data=3)


def _styled(layer: str, name: str, style: str) -> str:
    keras1 = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"}
    return {
        "keras1": f"{layer}_{keras1.get(name, name)}",
        "keras2": f"{layer}/{name}:0",
        "graph": f"{layer}_1/{name}:0",
        "keras3.0": name,
        "keras3": f"{layer}/{name}",
        "sequential": f"sequential/{layer}/{name}",
    }[style]


def write_numbered_h5(target: Path | io.BytesIO, layers: Mapping[str, Sequence[Any]]) -> None:
    """Groups of numbered variables, with an own name beside that nothing reads, as Keras writes it since 3.6."""
    with h5py.File(target, "w") as file:
        for group, values in layers.items():
            inside = file.create_group(f"layers/{group}/vars")
            inside.attrs["name"] = f"own_{group}"
            for i, value in enumerate(values):
                inside[str(i)] = value


def write_keras(path: Path, layers: Mapping[str, Sequence[Any]], config: Any) -> None:
    """A ``.keras`` file."""
    weights = io.BytesIO()
    write_numbered_h5(weights, layers)
    entries = {"metadata.json": b"{}", "model.weights.h5": weights.getvalue()}
    if config is not None:
        entries["config.json"] = config if isinstance(config, bytes) else json.dumps(config).encode()
    write_zip(path, entries)


def write_zip(path: Path, entries: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    """A zip file."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def zip_entries(path: Path) -> dict[str, bytes]:
    """The content of a zip file."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


NUMBERED = {"conv2d": [KERNEL], "batch_normalization": VECTORS[:3]}
WRITERS: dict[str, Callable[[Path], object]] = {
    "model.safetensors": lambda path: save_file(tensors(), path, {"made_by": "a test"}),
    "model.pth": lambda path: torch.save(tensors(), path),
    "legacy.pth": lambda path: torch.save(tensors(), path, _use_new_zipfile_serialization=False),
    "legacy.h5": write_legacy_h5,
    "model.weights.h5": lambda path: write_numbered_h5(path, NUMBERED),
    "model.keras": lambda path: write_keras(path, NUMBERED, {}),
}


def fake_tensorflow(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, Any] | Exception) -> list[str]:
    """Put a module in the place of tensorflow that finds ``variables`` in every checkpoint; the prefixes asked for."""
    asked: list[str] = []

    def load_checkpoint(prefix: str) -> Any:
        asked.append(prefix)
        if isinstance(variables, Exception):
            raise variables
        return SimpleNamespace(
            get_variable_to_shape_map=lambda: {name: list(np.shape(value)) for name, value in variables.items()},
            get_variable_to_dtype_map=lambda: {
                n: SimpleNamespace(size=np.asarray(v).itemsize) for n, v in variables.items()
            },
            get_tensor=variables.__getitem__,
        )

    module = ModuleType("tensorflow")
    module.train = SimpleNamespace(load_checkpoint=load_checkpoint)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tensorflow", module)
    return asked
