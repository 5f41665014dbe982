"""Whose weights a file has: names that several share, names with a prefix, and what another network computes."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import inception_search as ins
from inception_search.errors import WeightsError
from inception_search.weights.checkpoint import read_checkpoint
from inception_search.weights.dialect_check import Sides, what_differs, what_differs_from
from inception_search.weights.identify import network_of
from inception_search.weights.load import DialectWarning
from inception_search.weights.source import classes_in, origin_of
from tests.canonical.lists import measured
from tests.weights.small_network import SMALL, shaken
from tests.weights.their_weights import same_state, weights

Weights = dict[str, Tensor]
ONE_STAGE = "schema: inception-search/network\nversion: 1\nname: one\nstages: {model: 3x3 4}\nhead: {classifier: none}"


def names_of_v3(classes: int | None) -> Weights:
    """The names that torchvision, timm and the FID network share, with the classifier's shape alone."""
    found = {name: torch.empty(1) for name in measured("inception_v3", "torchvision") if not name.startswith("fc.")}
    return found if classes is None else {**found, "fc.weight": torch.empty(classes, 2048), "fc.bias": torch.empty(1)}


# Implementations with the same names -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "dialect", "implementations"),
    [
        (1008, "", ("fid",)),
        (1008, "timm", ("fid",)),
        (1000, "", ("torchvision", "timm")),
        (1000, "timm", ("timm", "torchvision")),
        (1000, "fid", ("torchvision", "timm")),
        (7, "", ("torchvision", "timm", "fid")),
        (7, "fid", ("fid", "torchvision", "timm")),
        (None, "timm", ("timm", "torchvision", "fid")),
    ],
)
def test_the_number_of_classes_tells_first_then_the_dialect(
    classes: int | None, dialect: str, implementations: tuple[str, ...]
) -> None:
    origin = origin_of(names_of_v3(classes), dialect)
    assert origin is not None
    assert (origin.network, origin.implementations) == ("inception_v3", implementations)


def test_a_classifier_of_no_shape_tells_nothing() -> None:
    for shape in ((), (0,)):
        tensors = {**names_of_v3(7), "fc.weight": torch.empty(shape)}
        assert classes_in(tensors, "inception_v3", "timm") in (None, 0)
        assert origin_of(tensors) == ("inception_v3", ("torchvision", "timm", "fid"))
    slim = {name: torch.empty(shape) for name, shape in measured("inception_v1", "slim").items()}
    assert classes_in(slim, "inception_v1", "slim") == 1000
    slim["InceptionV1/Logits/Conv2d_0c_1x1/weights"] = torch.empty(3)
    assert classes_in(slim, "inception_v1", "slim") is None


@pytest.mark.parametrize(("classes", "name"), [(1008, "inception_v3@fid"), (1000, "inception_v3@torchvision")])
def test_a_file_is_of_the_network_of_its_classes(classes: int, name: str) -> None:
    assert network_of(read_checkpoint(names_of_v3(classes))).name == name


def test_weights_of_the_fid_network_in_another_dialect_warn() -> None:
    theirs = ins.export_weights(ins.compile("inception_v3@fid"), "fid")
    assert ins.compile("inception_v3@fid", weights=theirs).loaded.implementation == "fid"
    with pytest.warns(DialectWarning, match=r"fid's weights in inception_v3@torchvision.*write inception_v3@fid"):
        ins.compile("inception_v3@torchvision", num_classes=5, weights=theirs)
    with pytest.raises(WeightsError, match=r"compile inception_v3@fid for them; num_classes=1008 given"):
        ins.compile("inception_v3", weights=theirs)


def test_an_export_is_compared_with_the_implementation_that_was_named() -> None:
    module = ins.compile("inception_v3@fid")
    message = (
        r"torchvision will compute something else .* than inception_v3@fid: .* has count_pad False in "
        r"inception_v3@fid and True in inception_v3@torchvision; no conversion removes this difference. Use the "
        r"weights in inception_v3@fid, or train inception_v3@torchvision for torchvision"
    )
    with pytest.warns(DialectWarning, match=message):
        ins.export_weights(module, "torchvision")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ins.export_weights(module, "fid")


# Another function, at a size that the other does not take ------------------------------------------------------


def test_a_network_for_images_too_small_for_theirs_is_compared_at_their_size() -> None:
    theirs = ins.load("inception_v3@timm")
    small = ins.set_input(ins.load(ins.to_yaml(theirs).replace(" valid", "")), height=32, width=32)
    ins.lower(small)
    with pytest.raises(ins.InceptionSearchError):
        ins.lower(ins.set_input(theirs, height=32, width=32))
    difference = what_differs(small, "inception_v3", ("timm",))
    assert difference is not None
    assert difference.dialect == "inception_v3@timm"
    assert "padding" in difference.what
    assert f" in {small.name} and " in difference.what
    assert what_differs_from(small, theirs, Sides(f"in {small.name}", "in inception_v3@timm")) == difference.what
    strided = ins.set_stem_stride(small, 1)
    assert what_differs_from(strided, ins.load("inception_v3@keras")) is not None
    assert what_differs_from(small, small) is None


@pytest.mark.parametrize("stride", [1, 3])
def test_a_stem_that_theirs_cannot_have_is_a_difference_not_an_error(stride: int) -> None:
    text = "schema: inception-search/network\nversion: 1\nname: n\ninput: 3x24x24\nstages: {stem: 3x3 4 s%d}"
    one, other = ins.load(text % stride), ins.load(text % 2)
    what = what_differs_from(one, other)
    assert what is None if stride == 1 else what == "stem.conv has stride (3, 3) here and (2, 2) there"


def test_own_weights_of_a_document_that_does_not_fit_the_size_still_warn(tmp_path: Path) -> None:
    text = "schema: inception-search/network\nversion: 1\nname: n\ninput: 3x24x24\nstages: {a: 7x7 4 valid}"
    path = ins.save_model(ins.compile(text), tmp_path / "n.safetensors")
    with pytest.warns(DialectWarning, match=r"another document.*a\.conv has padding"):
        ins.compile(text.replace(" valid", "").replace("24x24", "4x4"), weights=path)


def test_what_a_saved_model_expects_of_images_comes_along(tmp_path: Path) -> None:
    said = "preprocess: {mean: [0.1, 0.2, 0.3], std: [0.5, 0.5, 0.5]}\n"
    path = ins.save_model(ins.compile(SMALL + said, seed=0), tmp_path / "small.safetensors")
    expected = ins.load(SMALL + said).preprocess
    assert ins.compile(SMALL, weights=path, num_classes=3).network.preprocess == expected
    assert ins.compile(SMALL, weights=path, in_channels=1).network.preprocess is None  # there is a mean a channel
    with pytest.warns(
        DialectWarning, match=r"prepared differently: mean \(0.0, 0.2, 0.3\) here and \(0.1, 0.2, 0.3\) in"
    ):
        other = ins.compile(SMALL + said.replace("0.1", "0.0"), weights=path)
    assert other.network.preprocess.mean == (0.0, 0.2, 0.3)


# Prefixes ------------------------------------------------------------------------------------------------------


def prefixed(tensors: Weights, prefix: str) -> Weights:
    return {prefix + name: tensor for name, tensor in tensors.items()}


PREFIXES = [
    *("model.", "net.", "network.", "backbone.", "module.model.", "model.module.", "model.backbone."),
    *("encoder.", "trunk.", "net.module.", "0.", "a.b.c.d.e.f.", "tower/", "module/net."),
]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_training_scripts_put_before_all_names_is_taken_off(tmp_path: Path, prefix: str) -> None:
    ours = shaken(ins.compile(SMALL, aux=True))
    state = prefixed(dict(ours.state_dict()), prefix)
    save_file(state, tmp_path / "w.safetensors")
    for source in (state, {"state_dict": state}, tmp_path / "w.safetensors"):
        assert same_state(ins.compile(SMALL, aux=True, weights=source).state_dict(), ours.state_dict())
    theirs = prefixed(weights("inception_v1", "torchvision"), prefix)
    assert network_of(read_checkpoint(theirs)).name == "inception_v1@torchvision"


@pytest.mark.parametrize("prefix", ["model.", "module.model.", "tower/"])
def test_a_prefix_before_the_names_of_another_implementation(prefix: str) -> None:
    theirs = weights("inception_v1", "torchvision")
    module = ins.compile("inception_v1@torchvision", aux=True, weights=prefixed(theirs, prefix))
    assert set(module.loaded.used.values()) <= set(theirs)
    assert torch.equal(module.state_dict()["conv1.conv.weight"], theirs["conv1.conv.weight"])


def test_a_prefix_that_is_the_networks_own_stays(tmp_path: Path) -> None:
    module = shaken(ins.compile(ONE_STAGE))
    assert all(name.startswith("model.") for name in module.state_dict())
    for source in (
        module.state_dict(),
        prefixed(dict(module.state_dict()), "model."),
        ins.save_model(module, tmp_path / "m.safetensors"),
    ):
        assert same_state(ins.compile(ONE_STAGE, weights=source).state_dict(), module.state_dict())


def test_a_prefix_of_strangers_is_named_as_it_is() -> None:
    with pytest.raises(WeightsError, match=r"got model\.encoder\.weight"):
        ins.compile(SMALL, weights={"model.encoder.weight": torch.zeros(1)})
    with pytest.raises(
        WeightsError, match=r"small \(inception-search's names below model\.\).*step \(1,\) has no place"
    ):
        ins.compile(SMALL, weights={**prefixed(dict(ins.compile(SMALL).state_dict()), "model."), "step": torch.ones(1)})


# What the file holds besides -------------------------------------------------------------------------------------


def test_what_lies_beside_the_weights_is_reported() -> None:
    state = ins.compile(SMALL).state_dict()
    saved = {"epoch": 3, "state_dict": state, "state_dict_ema": dict(state), "optimizer": {}, "bad\x1b[31m": 1}
    report = ins.compile(SMALL, weights=saved).loaded
    assert report.left_out == ("epoch", "state_dict_ema", "optimizer", "bad\x1b[31m")
    last = str(report).splitlines()[-1]
    assert last == r"not read, because they are not weights: epoch, state_dict_ema, optimizer, bad\x1b[31m"
    plain = ins.compile(SMALL, weights=state).loaded
    assert plain.left_out == ()
    assert "besides" not in str(plain)


def test_a_report_names_the_implementations_that_have_the_same_names() -> None:
    """torchvision and timm share theirs for Inception v3; Inception v1 is torchvision's alone."""
    theirs = ins.export_weights(ins.compile("inception_v3@timm"), "timm")
    for dialect, first, other in (
        ("timm", "timm's or torchvision's", "torchvision"),
        ("keras", "torchvision's or timm's", "timm"),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report = ins.compile(f"inception_v3@{dialect}", weights=theirs).loaded
        assert report.alike == (f"inception_v3@{other}",)
        lines = str(report).splitlines()
        assert lines[0].startswith(f"{first} weights of inception_v3: ")
        assert lines[1].startswith(f"the names are the same; compile inception_v3@{other} if that is their source")
    assert ins.compile("inception_v1@torchvision", weights=weights("inception_v1", "torchvision")).loaded.alike == ()


def test_another_network_is_named_with_the_dialect_that_fits() -> None:
    with pytest.raises(WeightsError, match=r"of another network, .*; compile inception_v1@torchvision for them"):
        ins.compile("inception_v3", weights=weights("inception_v1", "torchvision"))


def test_a_pickled_model_is_told_how_to_be_saved(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pth")
    with pytest.raises(WeightsError, match=r"save your own model with torch\.save\(model\.state_dict\(\)"):
        ins.compile(SMALL, weights=tmp_path / "whole.pth")
