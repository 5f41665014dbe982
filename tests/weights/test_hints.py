"""What an error about weights that do not fit says to do: the hint is that of the cause, and it works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import inception_search as ins
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import WeightsError
from tests.weights.small_network import SMALL, shaken
from tests.weights.their_weights import weights

Weights = dict[str, Tensor]
V1 = "inception_v1@torchvision"


def ours(**options: Any) -> Callable[[], Weights]:
    return lambda: dict(ins.compile(SMALL, **options).state_dict())


def theirs(change: Callable[[Weights], Weights] = dict, of: tuple[str, str] = ("inception_v1", "torchvision")) -> Any:
    return lambda: change(weights(*of))


def without(*beginnings: str) -> Callable[[Weights], Weights]:
    return lambda tensors: {name: tensor for name, tensor in tensors.items() if not name.startswith(beginnings)}


def with_classes(number: int) -> Callable[[Weights], Weights]:
    return lambda t: {**t, "fc.weight": torch.zeros(number, 1024), "fc.bias": torch.zeros(number)}


def with_channels(number: int) -> Callable[[Weights], Weights]:
    return lambda t: {**t, "conv1.conv.weight": torch.zeros(64, number, 7, 7)}


def with_gamma(layer: str) -> Callable[[Weights], Weights]:
    return lambda t: {**t, f"{layer}/BatchNorm/gamma": torch.full((64,), 2.0)}


# The network, options of compile, the weights, the whole hint.
HINTS: dict[str, tuple[str, dict[str, Any], Callable[[], Weights], str]] = {
    "other classes": (
        V1,
        {},
        theirs(with_classes(10)),
        "num_classes=10 given to compile takes the file's classifier, num_classes=1000 starts a new one",
    ),
    "our own, other classes": (
        SMALL,
        {},
        ours(num_classes=7),
        "num_classes=7 given to compile takes the file's classifier, num_classes=5 starts a new one",
    ),
    "no classifier": (
        V1,
        {},
        theirs(without("fc.")),
        "num_classes=0 given to compile leaves the classifier out, num_classes=1000 starts a new one",
    ),
    "other channels": (
        V1,
        {},
        theirs(with_channels(1)),
        "in_channels=3 given to compile brings the first convolution to 3, in_channels=1 keeps it",
    ),
    "classes and channels": (
        V1,
        {},
        theirs(lambda t: with_channels(4)(with_classes(10)(t))),
        "num_classes=10 given to compile takes the file's classifier, num_classes=1000 starts a new one; "
        "in_channels=3 given to compile brings the first convolution to 3, in_channels=4 keeps it",
    ),
    "another width": (
        V1,
        {"width": 0.5},
        theirs(),
        "compile inception_v1@torchvision with their width, or check that the file is whole",
    ),
    "our own, another width": (
        SMALL,
        {"width": 0.5},
        ours(),
        "compile the network that they were saved from, with their width",
    ),
    "another dialect": ("inception_v1", {}, theirs(), "compile inception_v1@torchvision for them"),
    "another dialect and classes": (
        "inception_v1@slim",
        {},
        theirs(with_classes(10)),
        "compile inception_v1@torchvision for them; "
        "num_classes=10 given to compile takes the file's classifier, num_classes=1000 starts a new one",
    ),
    "a part of an auxiliary head": (
        V1,
        {"aux": True},
        theirs(without("aux1.conv")),
        "leave the auxiliary classifiers out (aux=False): the file has only a part of aux.aux1",
    ),
    "a layer less": (
        V1,
        {},
        theirs(without("conv2.conv")),
        "compile inception_v1@torchvision unchanged, or check that the file is whole",
    ),
    "our own, a layer less": (
        SMALL,
        {},
        lambda: without("top.")(ours()()),
        "compile the network that they were saved from, unchanged",
    ),
    "not numbers": (
        V1,
        {},
        theirs(lambda t: {**t, "fc.bias": torch.full((1000,), float("nan"))}),
        "check that the file is whole and holds floats that the network's dtype can hold",
    ),
    "gammas where the dialect has a sister": (
        "bn_inception@slim",
        {},
        theirs(with_gamma("InceptionV2/Conv2d_2b_1x1"), ("bn_inception", "slim")),
        "compile bn_inception@slim_gamma, which has gammas",
    ),
    "gammas where it has none": (
        "inception_v1@slim",
        {},
        theirs(with_gamma("InceptionV1/Conv2d_1a_7x7"), ("inception_v1", "slim")),
        "compile a network whose norms have gammas (conv_defaults: {norm: {gamma: true}})",
    ),
    "a depthwise stem": (
        "bn_inception@slim",
        {"in_channels": 1},
        theirs(of=("bn_inception", "slim")),
        "leave in_channels out (a depthwise first convolution keeps its channels), and a width of your own",
    ),
}


@pytest.mark.parametrize("name", HINTS)
def test_the_mend_is_that_of_the_cause(name: str) -> None:
    document, options, state, hint = HINTS[name]
    with pytest.raises(WeightsError) as caught:
        ins.compile(document, weights=state(), **options)
    assert caught.value.hint == hint
    assert f"compile {document} for them" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ({"num_classes": 10}, theirs(with_classes(10))),
        ({"num_classes": 1000}, theirs(with_classes(10))),
        ({"num_classes": 0}, theirs(without("fc."))),
        ({"num_classes": 1000}, theirs(without("fc."))),
        ({"in_channels": 3}, theirs(with_channels(1))),
        ({"in_channels": 1}, theirs(with_channels(1))),
        ({"aux": False}, theirs(without("aux1.conv"))),
    ],
)
def test_what_the_mends_say_works(options: dict[str, Any], state: Callable[[], Weights]) -> None:
    assert ins.compile(V1, weights=state(), **options).loaded.used


# Own files without gammas --------------------------------------------------------------------------------------

NORM_ALONE = SMALL.replace("  top: 3x3 16", "  top: [3x3 16 linear, norm]")
NO_GAMMA = {
    text: text.replace("blocks:", "conv_defaults: {norm: {gamma: false}}\nblocks:") for text in (SMALL, NORM_ALONE)
}


def gammas_of(module: NetworkModule) -> dict[str, Tensor]:
    norms = [key.removesuffix("running_mean") for key in module.state_dict() if key.endswith(".running_mean")]
    return {f"{norm}weight": module.state_dict()[f"{norm}weight"] for norm in norms}


@pytest.mark.parametrize("text", NO_GAMMA, ids=["norms of convolutions", "a norm alone"])
def test_an_own_file_without_any_gamma_fills_ones(text: str) -> None:
    plain = shaken(ins.compile(NO_GAMMA[text]))
    module = ins.compile(text, weights=plain.state_dict())
    gammas = gammas_of(module)
    assert gammas
    assert dict(module.loaded.filled) == dict.fromkeys(gammas, 1.0)
    assert all(bool((gamma == 1).all()) for gamma in gammas.values())
    assert f"filled {len(gammas)} gammas missing in the file with 1" in str(module.loaded)
    x = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(module.eval()(x), plain(x))
    back = ins.compile(NO_GAMMA[text], weights=module.state_dict())  # ones are none
    assert set(back.loaded.unused) == set(gammas)


def test_an_own_file_with_some_gammas_has_to_have_all() -> None:
    module = shaken(ins.compile(SMALL))
    state = dict(module.state_dict())
    first, *_ = gammas_of(module)
    del state[first]
    with pytest.raises(WeightsError, match=f"missing {first}"):
        ins.compile(SMALL, weights=state)
