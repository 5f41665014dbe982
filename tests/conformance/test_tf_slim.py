"""Our networks compute what TensorFlow computes with the originals of the dialects ``slim`` and ``facenet_tf``.

The arrays they are compared with come from ``tf_slim_networks.py``, which runs where TensorFlow is installed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import inception_search as ins
from inception_search.backend.network_module import NetworkModule
from tests.conformance.compare import relative_difference

FOLDER = "INCEPTION_SEARCH_TF_ARRAYS"
DOCUMENTS = (
    "inception_v1@slim",
    "bn_inception@slim",
    "inception_v3@slim",
    "inception_v4@slim",
    "inception_resnet_v2@slim",
    "inception_resnet_v1@facenet_tf",
    "inception_resnet_v2@facenet_tf",
)
TOLERANCES = {torch.float64: 1e-10, torch.float32: 2e-5}

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("document", DOCUMENTS)
def test_outputs_stages_and_gradient_are_those_of_tensorflow(document: str) -> None:
    arrays = read(document)
    tolerance = TOLERANCES[arrays["output:logits"].dtype]
    found = differences(document, arrays)
    gradient = found.pop("gradient")
    assert {name: value for name, value in found.items() if value > tolerance} == {}
    assert gradient <= 100 * tolerance


def test_the_background_class_is_the_one_that_is_dropped() -> None:
    arrays = read("inception_v3@slim")
    module = ins.compile("inception_v3@slim", weights=group(arrays, "variable")).double().eval()
    with torch.no_grad():
        logits = module(arrays["images"].double())
    assert logits.shape[1] == 1000
    assert relative_difference(logits, arrays["output:logits"][:, 1:].double()) <= 2e-5


def differences(document: str, arrays: Mapping[str, Tensor]) -> dict[str, float]:
    """The largest relative difference of every output, every stage and the gradient at the images."""
    expected, probes, maps = group(arrays, "output"), group(arrays, "probe"), group(arrays, "endpoint")
    module = compiled(document, arrays).to(expected["logits"].dtype).eval()
    if "aux" in expected:
        module.get_submodule("aux").training = True  # that one switch only: norms and dropout below it stay off
    x = arrays["images"].to(expected["logits"].dtype).requires_grad_()
    outputs = module(x)
    found = dict(zip(expected, outputs if isinstance(outputs, tuple) else (outputs,), strict=True))
    torch.stack([(found[name] * probes[name]).sum() for name in found]).sum().backward()
    assert x.grad is not None
    with torch.no_grad():
        features = module.features(x, maps)
    return {
        **{f"output:{name}": relative_difference(found[name], expected[name]) for name in expected},
        **{f"endpoint:{name}": relative_difference(features[name], maps[name]) for name in maps},
        "gradient": relative_difference(x.grad, arrays["gradient"]),
    }


def compiled(document: str, arrays: Mapping[str, Tensor]) -> NetworkModule:
    """The document with TensorFlow's variables, all of them used; of FaceNet's the classifier is not built."""
    classes = arrays["output:logits"].shape[1] if document.endswith("@slim") else None
    module = ins.compile(document, num_classes=classes, aux="output:aux" in arrays, weights=group(arrays, "variable"))
    assert module.loaded.fresh == ()
    assert set(module.loaded.unused) == (set() if classes else {"Logits/weights", "Logits/biases"})
    return module


def read(document: str) -> dict[str, Tensor]:
    """The arrays of a network; all but the variables, which are as TensorFlow has them, with the channels first."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        pytest.skip(f"{FOLDER} names no folder of arrays; tests/conformance/tf_slim_networks.py writes them")
    path = Path(folder) / f"{document}.npz"
    if not path.is_file():
        pytest.skip(f"{path.name} is not in {FOLDER}")
    with np.load(path) as file:
        tensors = {name: torch.from_numpy(file[name]) for name in file.files}
    return {
        name: t.movedim(-1, 1).contiguous() if t.ndim == 4 and not name.startswith("variable:") else t
        for name, t in tensors.items()
    }


def group(arrays: Mapping[str, Tensor], kind: str) -> dict[str, Tensor]:
    """The arrays called ``<kind>:<name>``, by name."""
    return {name.partition(":")[2]: tensor for name, tensor in arrays.items() if name.startswith(f"{kind}:")}
