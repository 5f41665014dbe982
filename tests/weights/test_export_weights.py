"""Exported weights are what the other implementation has, and it computes the same with them."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

import inception_search as ins
from inception_search.backend.network_module import NetworkModule
from inception_search.canonical.weight_names import renumbered
from inception_search.errors import ArgumentError, ConfigError, UnknownNameError, WeightsError
from inception_search.weights.export import write_weights
from inception_search.weights.load import DialectWarning
from tests.conformance.images import images
from tests.conformance.references import REFERENCES, Reference
from tests.conformance.torch_networks import TorchNetwork
from tests.weights.small_network import SMALL, shaken
from tests.weights.their_weights import ROWS, Row, weights


def from_zero(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """With Keras' automatic names counted from zero, as an export has them."""
    return {name: tensors[given] for given, name in renumbered(tensors).items()}


@pytest.mark.parametrize("row", ROWS)
def test_an_export_is_the_file_that_was_loaded(row: Row) -> None:
    theirs = weights(row.network, row.implementation)
    module = ins.compile(row.document, aux=row.aux, weights=theirs)
    expected = from_zero({name: tensor for name, tensor in theirs.items() if name not in module.loaded.unused})
    found = ins.export_weights(module, row.implementation)
    assert set(found) == set(expected)
    for name, tensor in found.items():
        assert torch.equal(tensor, expected[name]), name
        assert tensor.is_contiguous()


def test_an_export_is_a_copy() -> None:
    module = ins.compile("inception_v1@torchvision")
    found = ins.export_weights(module, "torchvision")
    with torch.no_grad():
        found["conv1.conv.weight"].fill_(7)
    assert not (module.get_parameter("conv1.conv.weight") == 7).any()


# Two implementations at work -------------------------------------------------------------------------------------

FAST = {"torchvision.googlenet", "cadene.bninception", "facenet_pytorch.inception_resnet_v1"}
STRICT = [
    *sorted(FAST),
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in (
            "torchvision.inception_v3",
            "timm.inception_v3_aux",
            "timm.inception_v4",
            "timm.inception_resnet_v2",
            "cadene.inceptionv4",
            "facenet_pytorch.inception_resnet_v1_classify1000",
        )
    ),
]


def ours(reference: Reference) -> NetworkModule:
    classes = reference.classes or None
    module = ins.compile(reference.document, num_classes=classes, aux=reference.aux, seed=1)
    for name, value in module.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_(0, 0.1)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
    return module.eval()


@pytest.mark.parametrize("dtype", [pytest.param(torch.float32, marks=pytest.mark.slow), torch.float64])
@pytest.mark.parametrize("name", STRICT)
def test_the_implementation_loads_an_export_strictly_and_computes_the_same(name: str, dtype: torch.dtype) -> None:
    reference = REFERENCES[name]
    module = ours(reference).to(dtype)
    theirs = reference.build()
    assert isinstance(theirs, TorchNetwork)
    network = theirs.module.to(dtype)
    network.load_state_dict(ins.export_weights(module, reference.implementation), strict=True)
    if reference.aux:
        module.get_submodule("aux").training = True
    x = images(reference.input)[:1].to(dtype)
    with torch.no_grad():
        expected, found = theirs.outputs(x), module(x)
    found = found if isinstance(found, tuple) else (found,)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert (one - other).abs().max() <= (1e-4 if dtype == torch.float32 else 1e-10) * other.abs().max()


# What has no place there ----------------------------------------------------------------------------------------


def test_gammas_of_another_value_are_refused_where_norms_have_none() -> None:
    module = ins.compile("inception_v1@torchvision")
    with torch.no_grad():
        module.get_parameter("inception_3a.branches.0.norm.weight")[2] = 1.5
    with pytest.raises(WeightsError, match=r"3a\.branches\.0\.norm\.weight: slim's norms have no gamma.*1\.5"):
        ins.export_weights(module, "slim")
    with torch.no_grad():
        module.get_parameter("inception_3a.branches.0.norm.weight").fill_(1)
    with pytest.warns(DialectWarning, match="slim") as caught:  # its padding is another
        assert set(ins.export_weights(module, "slim")) == set(weights("inception_v1", "slim"))
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("document", "options", "implementation", "words"),
    [
        ("inception_v1@torchvision", {"aux": True}, "slim", ["slim has no place", "aux.aux1, aux.aux2", "without aux"]),
        ("inception_v1@torchvision", {"width": 0.5}, "torchvision", ["(32, 3, 7, 7) for (64, 3, 7, 7)", "unchanged"]),
        ("inception_v1", {}, "torchvision", ["conv1.conv.weight is not there", "inception_v1@torchvision"]),
        ("bn_inception@dense", {}, "cadene", ["conv1_7x7_s2.bias is not there", "bn_inception@cadene"]),
        ("bn_inception", {}, "slim", ["conv1 has another number of layers", "slim"]),
        (SMALL, {}, "timm", ["no other implementation of small", "inception_v4", "save"]),
    ],
)
def test_what_has_no_place_there_is_refused(
    document: str, options: dict[str, float], implementation: str, words: list[str]
) -> None:
    with pytest.raises(WeightsError) as caught:
        ins.export_weights(ins.compile(document, **options), implementation)  # type: ignore[arg-type]
    assert [word for word in words if word not in str(caught.value)] == []
    assert caught.value.hint


@pytest.mark.parametrize("options", [{"num_classes": 7}, {"in_channels": 1}, {"num_classes": 0}, {"input_size": 64}])
def test_classes_channels_and_size_are_the_users(options: dict[str, int]) -> None:
    found = ins.export_weights(ins.compile("inception_v1@torchvision", **options), "torchvision")  # type: ignore[arg-type]
    assert ("fc.weight" in found) == (options.get("num_classes") != 0)
    again = ins.compile("inception_v1@torchvision", weights=found, **options)  # type: ignore[arg-type]
    assert again.loaded.fresh == ()


def test_names_are_suggested_and_modules_checked() -> None:
    module = ins.compile("inception_v1@torchvision")
    with pytest.raises(UnknownNameError, match=r"implementation of inception_v1.*did you mean 'torchvision'"):
        ins.export_weights(module, "torchvison")
    with pytest.raises(ArgumentError, match=r"expected a model made by compile.*; give the module that compile"):
        ins.export_weights(torch.nn.Linear(1, 1), "torchvision")  # type: ignore[arg-type]


# Files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "w.pt"])
def test_written_files_are_read_by_the_libraries_themselves(tmp_path: Path, name: str) -> None:
    module = shaken(ins.compile(SMALL)).bfloat16()
    state = module.state_dict()
    path = write_weights(state, tmp_path / name)
    plain = path.suffix == ".safetensors"
    found = safetensors.torch.load_file(path) if plain else torch.load(path, weights_only=True)
    assert set(found) == set(state)
    assert all(torch.equal(found[key], state[key]) and found[key].dtype == state[key].dtype for key in state)


@pytest.mark.parametrize("name", ["w", "w.onnx", "w.h5", "w.keras", "w.safetensors.gz"])
def test_another_ending_is_refused_and_nothing_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"\.safetensors, \.pt, \.pth, \.weights\.h5"):
        write_weights({"a": torch.zeros(1)}, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
