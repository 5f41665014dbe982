"""The reference networks are what they claim to be, and fit to be compared with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tests.conformance.compare import probe_loss, relative_difference
from tests.conformance.images import images
from tests.conformance.measured import MEASURED, PAPER_SPECS
from tests.conformance.network import ReferenceNetwork
from tests.conformance.references import REFERENCES, Reference

ROOT = Path(__file__).parents[2]
NOT_INSTALLED = ("tf_slim", "facenet_tf", "caffe_soeaver")
EMBEDDING = 512
FAST = {"torchvision.googlenet", "cadene.bninception", "facenet_pytorch.inception_resnet_v1"}


class Built(NamedTuple):
    """A reference network and what the table says of it."""

    name: str
    reference: Reference
    network: ReferenceNetwork

    def figures(self) -> dict[str, Any]:
        """Measured on the implementation, or on the graph it implements."""
        return MEASURED.get(self.name) or PAPER_SPECS[self.reference.document]


@pytest.fixture(
    scope="module", params=[n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in REFERENCES]
)
def built(request: pytest.FixtureRequest) -> Built:
    reference = REFERENCES[request.param]
    return Built(request.param, reference, reference.build())


def test_every_network_that_can_be_installed_is_there() -> None:
    installable = {name for name in MEASURED if name.partition(".")[0] not in NOT_INSTALLED}
    assert REFERENCES.keys() - {"pytorch_fid.inception_v3"} == installable


def test_parameters_are_as_many_as_measured(built: Built) -> None:
    figures, heads = built.figures(), built.reference.heads
    sizes = {name: tensor.numel() for name, tensor in built.network.parameters().items()}
    assert sum(sizes.values()) == figures["params_with_aux"]
    main = [size for name, size in sizes.items() if name.partition(".")[0] not in heads]
    assert sum(main) == figures["params_without_aux"]
    assert (list(built.reference.input), built.reference.classes) == (figures["input"], figures["classes"])


def test_state_has_as_many_tensors_as_measured(built: Built) -> None:
    state = built.network.state_dict()
    # the FID graph was not measured; it has the layers of the network it patches
    same_layers = MEASURED["timm.inception_v3"]
    assert len(state) == built.figures().get("state_tensors", same_layers["state_tensors"])
    assert state.keys() >= built.network.parameters().keys()
    assert all(tensor.dtype == torch.float64 for tensor in state.values() if tensor.is_floating_point())


def test_outputs_are_alive_and_repeatable(built: Built) -> None:
    x = images(built.reference.input)
    before = {name: tensor.clone() for name, tensor in built.network.state_dict().items()}
    with torch.no_grad():
        once, again = built.network.outputs(x), built.network.outputs(x)
    assert [y.shape for y in once] == [(len(x), built.reference.classes or EMBEDDING)] * (
        1 + len(built.reference.heads)
    )
    for y, same in zip(once, again, strict=True):
        assert torch.equal(y, same)  # no dropout
        assert torch.isfinite(y).all()
        assert 1e-2 < y.std() < 1e3
        assert relative_difference(y[1], y[0]) > 1e-2  # the images make a difference
    assert all(torch.equal(before[name], tensor) for name, tensor in built.network.state_dict().items())


def test_gradients_reach_every_parameter_and_the_images(built: Built) -> None:
    x = images(built.reference.input).requires_grad_()
    probe_loss(built.network.outputs(x)).backward()
    gradients = {name: tensor.grad for name, tensor in built.network.parameters().items()} | {"x": x.grad}
    dead = [name for name, g in gradients.items() if g is None or not torch.isfinite(g).all() or not g.any()]
    assert not dead


class _Dtypes(TorchDispatchMode):
    """Notes the type of every tensor of real numbers that is computed while it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.met: set[torch.dtype] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.is_floating_point():
            self.met.add(result.dtype)
        return result


def test_nothing_is_computed_in_single_precision(built: Built) -> None:
    x = images(built.reference.input, batch=1)
    with torch.no_grad(), _Dtypes() as dtypes:
        built.network.outputs(x)
    assert dtypes.met == {torch.float64}


def test_keras_names_do_not_depend_on_what_was_built_before() -> None:
    first, second = (REFERENCES["keras.InceptionV3"].build().state_dict() for _ in range(2))
    assert list(first) == list(second)
    assert next(iter(first)) == "conv2d/kernel"
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_googlenet_pytorchs_heads_are_in_the_order_of_torchvisions() -> None:
    """The two packages are one network; googlenet_pytorch names the results of its heads the wrong way round."""
    x = images(REFERENCES["torchvision.googlenet"].input, batch=1)
    with torch.no_grad():
        theirs = REFERENCES["googlenet_pytorch.googlenet"].build().outputs(x)
        expected = REFERENCES["torchvision.googlenet"].build().outputs(x)
    assert all(relative_difference(one, other) < 1e-12 for one, other in zip(theirs, expected, strict=True))


@pytest.mark.slow
def test_keras_leaves_the_home_folder_and_the_environment_alone(tmp_path: Path) -> None:
    code = (
        "import os; before = dict(os.environ)\n"
        "from tests.conformance.keras_networks import import_keras\n"
        "keras = import_keras()\n"
        "print(keras.backend.backend(), keras.config.floatx(), dict(os.environ) == before)"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["torch", "float32", "True"]
    assert not (tmp_path / ".keras").exists()
