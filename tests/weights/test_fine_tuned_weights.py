"""Weights of networks that others have fine-tuned: below unknown wrappers, with heads of other names and sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import inception_search as ins
from inception_search.errors import WeightsError
from inception_search.weights.checkpoint import read_checkpoint
from inception_search.weights.heads import linear_layers
from inception_search.weights.identify import made_for, network_of
from inception_search.weights.report import WeightsReport
from tests.conformance.keras_networks import import_keras
from tests.weights.small_network import SMALL, shaken
from tests.weights.their_weights import same_state, weights
from tests.weights.weight_files import write_numbered_h5

Weights = dict[str, Tensor]
HIDDEN = SMALL.replace("head: {classes: 5, dropout: 0.1}", "head: {hidden: [7], classes: 5}")
GENERATOR = torch.Generator().manual_seed(0)


def below(prefix: str, tensors: Weights) -> Weights:
    return {prefix + name: tensor for name, tensor in tensors.items()}


def linear(name: str, reads: int, width: int) -> Weights:
    return {
        f"{name}.weight": torch.randn(width, reads, generator=GENERATOR),
        f"{name}.bias": torch.randn(width, generator=GENERATOR),
    }


def trunk() -> Weights:
    """A network of ours without its classifier."""
    return {k: v for k, v in shaken(ins.compile(SMALL)).state_dict().items() if not k.startswith("head.")}


def filled_head(report: WeightsReport) -> dict[str, str]:
    return {key: name for key, name in report.used.items() if key.startswith("head.")}


# A head of another name ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "encoder.", "net.module."])
@pytest.mark.parametrize("name", ["my_head", "fc.1", "classifier.0.0"])
def test_a_head_of_another_name_is_found_by_its_shape(prefix: str, name: str) -> None:
    tensors = {**below(prefix, trunk()), **linear(name, 16, 5)}
    module = ins.compile(SMALL, weights=tensors)
    assert filled_head(module.loaded) == {
        "head.classifier.weight": f"{name}.weight",
        "head.classifier.bias": f"{name}.bias",
    }
    assert torch.equal(module.head.classifier.weight, tensors[f"{name}.weight"])
    assert module.loaded.below == prefix
    assert module.loaded.fresh == ()
    first = str(module.loaded).splitlines()[0]
    assert first.startswith(f"inception-search's weights of small below {prefix}: " if prefix else "inception-search's")


def test_a_head_of_other_classes_is_taken_or_replaced() -> None:
    tensors = {**below("encoder.", trunk()), **linear("my_head", 16, 3)}
    with pytest.raises(
        WeightsError, match=r"below encoder\.\).*my_head\.weight: \(3, 16\) for \(5, 16\).*num_classes=3"
    ):
        ins.compile(SMALL, weights=tensors)
    assert ins.compile(SMALL, weights=tensors, num_classes=3).loaded.fresh == ()
    for classes in (0, 7):
        report = ins.compile(SMALL, weights=tensors, num_classes=classes).loaded
        assert set(report.unused) == {"my_head.weight", "my_head.bias"}


def test_a_deeper_head_is_left_out_or_loaded_whole() -> None:
    head = {**linear("top.0", 16, 7), **linear("top.3", 7, 5)}
    tensors = {**below("encoder.", trunk()), **head}
    with pytest.raises(
        WeightsError, match=r"top\.0.*num_classes=0 .*a document with 'head: \{hidden: \[7\], classes: 5\}'"
    ):
        ins.compile(SMALL, weights=tensors)
    assert set(ins.compile(SMALL, weights=tensors, num_classes=0).loaded.unused) == set(head)
    module = ins.compile(HIDDEN, weights=tensors)
    assert len(filled_head(module.loaded)) == 4
    assert torch.equal(module.get_submodule("head.hidden.0.linear").weight, head["top.0.weight"])
    with pytest.raises(WeightsError, match="has no place"):
        ins.compile(HIDDEN.replace("[7]", "[8]"), weights=tensors)


def test_layers_sorted_by_name_are_put_in_the_order_of_their_shapes() -> None:
    given = {"my_head/kernel": torch.ones(7, 5), "my_head/bias": torch.ones(5)}
    given |= {"my_hidden/kernel": torch.ones(16, 7), "my_hidden/bias": torch.ones(7)}
    assert [layer.weight for layer in linear_layers(given, given)] == ["my_hidden/kernel", "my_head/kernel"]
    same = {f"{name}/kernel": torch.ones(4, 4) for name in "abcdefgh"}
    assert linear_layers(same, same) == []  # several orders, none of which counts
    assert linear_layers([*given, "norm/gamma"], {**given, "norm/gamma": torch.ones(5)}) == []


def test_what_is_no_head_is_not_left_out() -> None:
    for name, shape in (("stem.extra.weight", (4, 4)), ("module.0.more.bias", (4,))):
        with pytest.raises(WeightsError, match=f"{name}.* has no place"):
            ins.compile(SMALL, num_classes=0, weights={**trunk(), name: torch.ones(shape)})
    normed = {**below("encoder.", trunk()), "bn.weight": torch.ones(16), **linear("fc", 16, 5)}
    with pytest.raises(WeightsError, match=r"bn\.weight \(16,\) has no place.*num_classes=0"):
        ins.compile(SMALL, weights=normed)
    assert "bn.weight" in ins.compile(SMALL, weights=normed, num_classes=0).loaded.unused


# Wrappers ------------------------------------------------------------------------------------------------------


def test_averaged_models_have_a_counter_beside() -> None:
    model = torch.optim.swa_utils.AveragedModel(ins.compile(SMALL))
    report = ins.compile(SMALL, weights=model.state_dict()).loaded
    assert dict(report.unused) == {"n_averaged": "a counter beside the network"}


def test_two_networks_in_one_file_are_named() -> None:
    state = dict(ins.compile(SMALL).state_dict())
    both = {**below("teacher.", state), **below("student.", state)}
    with pytest.raises(WeightsError, match=r"several networks.*below teacher\. and below student\.; give a state dict"):
        ins.compile(SMALL, weights=both)


@pytest.mark.parametrize("prefix", ["encoder.", "functional/"])
def test_another_implementation_below_a_wrapper_with_a_head_beside(prefix: str) -> None:
    theirs = {k: v for k, v in weights("inception_v1", "torchvision").items() if not k.startswith(("fc.", "aux"))}
    tensors = {**below(prefix, theirs), **linear("projector", 1024, 9)}
    checkpoint = read_checkpoint(tensors)
    network = network_of(checkpoint)
    assert network.name == "inception_v1@torchvision"
    assert made_for(checkpoint, network).classes == 9
    module = ins.compile("inception_v1@torchvision", num_classes=9, weights=tensors)
    assert module.loaded.fresh == ()
    assert torch.equal(module.head.classifier.bias, tensors["projector.bias"])


# Keras ---------------------------------------------------------------------------------------------------------


def test_a_backbone_that_keras_calls_as_a_layer(tmp_path: Path) -> None:
    """Its group is ``functional``; numbers of automatic names go on where another model was made before."""
    theirs = weights("inception_v3", "keras")
    head = {"dense/kernel": theirs.pop("predictions/kernel")[:, :5], "dense/bias": theirs.pop("predictions/bias")[:5]}
    tensors = {**below("functional/", theirs), **head}
    module = ins.compile("inception_v3@keras", num_classes=5, weights=tensors)
    assert module.loaded.below == "functional/"
    assert torch.equal(module.head.classifier.weight, head["dense/kernel"].T)
    report = ins.compile("inception_v3@keras", num_classes=0, weights=tensors).loaded
    assert set(report.unused) == set(head)
    write_numbered_h5(tmp_path / "x.weights.h5", {"dense": [head["dense/kernel"].numpy(), head["dense/bias"].numpy()]})
    assert set(read_checkpoint(tmp_path / "x.weights.h5").tensors) == set(head)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in Keras itself, when it saves
@pytest.mark.parametrize("ending", ["h5", "weights.h5", "keras"])
@pytest.mark.parametrize("nested", [True, False])
def test_a_fine_tuned_file_of_keras_computes_the_same_here(tmp_path: Path, ending: str, nested: bool) -> None:
    keras: Any = import_keras()
    options = {"weights": None, "include_top": False, "input_shape": (75, 75, 3), "pooling": "avg"}
    base = keras.applications.InceptionV3(**options)
    x = keras.Input((75, 75, 3)) if nested else base.input
    features = base(x) if nested else base.output
    hidden = keras.layers.Dense(64, activation="relu", name="my_hidden")(features)
    model = keras.Model(x, keras.layers.Dense(5, name="my_head")(hidden))
    path = tmp_path / f"tuned.{ending}"
    (model.save_weights if ending == "weights.h5" else model.save)(path)
    network = ins.set_input(ins.load("inception_v3@keras"), height=75, width=75)
    with_head = ins.load(ins.to_yaml(network).replace("head: {classes: 1000}", "head: {hidden: [64], classes: 5}"))
    module = ins.compile(with_head, weights=path).eval()
    images = torch.randn(1, 3, 75, 75, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found, expected = module(images), model(images.permute(0, 2, 3, 1), training=False)
        assert float((found - expected).abs().max()) < 1e-4 * float(expected.abs().max())
        alone = ins.compile("inception_v3@keras", num_classes=0, input_size=75, weights=path).eval()(images)
        theirs = base(images.permute(0, 2, 3, 1), training=False)
        assert float((alone - theirs).abs().max()) < 1e-4 * float(theirs.abs().max())
    assert same_state(ins.compile(with_head, weights=path).state_dict(), module.state_dict())
