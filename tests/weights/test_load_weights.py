"""Loading weights: every tensor in its place or in the report; what does not fit is refused and changes nothing."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

import inception_search as ins
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import ArgumentError, WeightsError
from inception_search.weights.fit import Allowed
from inception_search.weights.load import DialectWarning
from inception_search.weights.report import WeightsReport
from tests.weights.small_network import SMALL, shaken
from tests.weights.their_weights import ROWS, Row, by_hand, same_state, state_of, weights

Weights = dict[str, Tensor]
STEM = "InceptionV1/Conv2d_1a_7x7"
LOGITS = "InceptionV1/Logits/Conv2d_0c_1x1"


@pytest.fixture(scope="module")
def slim() -> NetworkModule:
    """One of TF-slim's networks, holding its weights; tests leave it as it is."""
    return ins.compile("inception_v1@slim", weights=weights("inception_v1", "slim"))


@pytest.fixture(scope="module")
def small() -> NetworkModule:
    return shaken(ins.compile(SMALL, aux=True))


def accounts(report: WeightsReport, tensors: Weights, module: NetworkModule) -> bool:
    """Whether the report has every tensor of the file and every key of the module exactly once."""
    theirs, keys = [*report.used.values(), *report.unused], [*report.used, *report.filled, *report.fresh]
    return sorted(theirs) == sorted(tensors) and sorted(keys) == sorted(module.state_dict())


# What is loaded ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS)
def test_every_tensor_lands_where_it_belongs_or_is_reported(row: Row) -> None:
    theirs = weights(row.network, row.implementation)
    module = ins.compile(row.document, aux=row.aux, weights=theirs)
    report, state = module.loaded, module.state_dict()
    assert accounts(report, theirs, module)
    assert (report.network, report.implementation, report.file) == (row.network, row.implementation, None)
    assert (report.adapted, report.fresh) == ({}, ())
    for key, name in report.used.items():
        assert torch.equal(state[key], by_hand(theirs[name], name, state[key].shape)), name
    for key, value in report.filled.items():
        assert value == (1 if key.endswith(".norm.weight") else 0)
        assert torch.equal(state[key], torch.full_like(state[key], value)), key
    assert bool(report.filled) == (row.implementation in ("slim", "keras", "facenet_tf"))


def test_a_depthwise_stem_computes_what_its_tensor_says() -> None:
    """TensorFlow: output i * M + m is input i filtered by [:, :, i, m]."""
    theirs = weights("bn_inception", "slim")
    kernel = theirs["InceptionV2/Conv2d_1a_7x7/depthwise_weights"]
    module = ins.compile("bn_inception@slim", weights=theirs)
    x = torch.randn(1, 3, 21, 21)
    maps = [functional.conv2d(x[:, i : i + 1], kernel[:, :, i, m][None, None]) for i in range(3) for m in range(8)]
    conv = module.get_submodule("conv1.0.conv")
    assert torch.allclose(functional.conv2d(x, conv.weight, groups=3), torch.cat(maps, 1), atol=1e-5)


@pytest.mark.parametrize("row", [row for row in ROWS if row.values[0].aux])
def test_auxiliary_heads_that_are_not_built_are_reported(row: Row) -> None:
    theirs = weights(row.network, row.implementation)
    report = ins.compile(row.document, weights=theirs).loaded
    assert report.unused
    assert all("aux" in name.lower() for name in report.unused)
    assert not [name for name in report.used.values() if "aux" in name.lower()]
    assert {why.partition(",")[2] for why in report.unused.values()} == {" which is not built"}
    assert "not used, of aux." in str(report)


def test_auxiliary_heads_that_the_file_lacks_start_anew() -> None:
    theirs = {n: t for n, t in weights("inception_v1", "torchvision").items() if not n.startswith("aux1")}
    report = ins.compile("inception_v1@torchvision", aux=True, weights=theirs).loaded
    assert {".".join(key.split(".")[:2]) for key in report.fresh} == {"aux.aux1"}
    assert report.unused == {}


@pytest.mark.parametrize("aux", [False, True])
def test_other_classes_start_anew_and_the_rest_is_kept(aux: bool) -> None:
    theirs = weights("inception_v1", "torchvision")
    module = ins.compile("inception_v1@torchvision", aux=aux, num_classes=7, weights=theirs, seed=3)
    heads = ["head", "aux.aux1", "aux.aux2"] if aux else ["head"]
    classifiers = [f"{head}.classifier.{tensor}" for head in heads for tensor in ("weight", "bias")]
    assert sorted(module.loaded.fresh) == sorted(classifiers)
    assert accounts(module.loaded, theirs, module)
    blank = ins.compile("inception_v1@torchvision", aux=aux, num_classes=7, seed=3).state_dict()
    assert all(torch.equal(module.state_dict()[key], blank[key]) for key in classifiers)
    assert torch.equal(module.state_dict()["conv1.conv.weight"], theirs["conv1.conv.weight"])


def test_parts_that_start_anew_are_initialised_as_without_weights() -> None:
    """He initialisation too: the auxiliary heads of a network without norms."""
    plain = SMALL.replace("blocks:", "conv_defaults: {norm: none, bias: true}\nblocks:")
    with_aux = ins.compile(plain, aux=True, seed=4, weights=ins.compile(plain, seed=1).state_dict())
    blank = ins.compile(plain, aux=True, seed=4).state_dict()
    assert {key.partition(".")[0] for key in with_aux.loaded.fresh} == {"aux"}
    assert all(torch.equal(with_aux.state_dict()[key], blank[key]) for key in with_aux.loaded.fresh)


def background_added(tensors: Weights, name: str, axis: int) -> Weights:
    tensor = tensors[name]
    return {**tensors, name: torch.cat([torch.full_like(tensor.narrow(axis, 0, 1), 99.0), tensor], axis)}


@pytest.mark.parametrize(
    ("row", "names"),
    [
        pytest.param(Row("inception_v1@slim", "slim"), {f"{LOGITS}/weights": 3, f"{LOGITS}/biases": 0}, id="slim"),
        pytest.param(
            Row("inception_v4@cadene", "cadene"),
            {"last_linear.weight": 0, "last_linear.bias": 0},
            marks=pytest.mark.slow,
            id="cadene",
        ),
    ],
)
def test_the_background_of_1001_classes_is_dropped_and_said_so(row: Row, names: dict[str, int]) -> None:
    without = weights(row.network, "timm" if row.implementation == "cadene" else row.implementation)
    theirs = dict(without)
    for name, axis in names.items():
        theirs = background_added(theirs, name, axis)
    module = ins.compile(row.document, weights=theirs)
    assert same_state(module.state_dict(), ins.compile(row.document, weights=without).state_dict())
    assert set(module.loaded.adapted) == {"head.classifier.weight", "head.classifier.bias"}
    assert "background" in str(module.loaded)
    whole = ins.compile(row.document, num_classes=1001, weights=theirs)
    assert whole.loaded.adapted == {}
    assert (whole.state_dict()["head.classifier.bias"][0], whole.loaded.fresh) == (99.0, ())


@pytest.mark.parametrize("channels", [1, 2, 4, 5, 6, 7])
def test_images_of_equal_channels_get_the_same_response_whatever_their_number(channels: int) -> None:
    theirs = weights("inception_v1", "torchvision")
    before = ins.compile("inception_v1@torchvision", input_size=48, weights=theirs).eval()
    after = ins.compile("inception_v1@torchvision", input_size=48, in_channels=channels, weights=theirs).eval()
    assert after.loaded.adapted == {"conv1.conv.weight": f"from 3 to {channels} input channels"}
    grey = torch.randn(2, 1, 48, 48)
    with torch.no_grad():
        maps = [m.features(grey.expand(-1, c, -1, -1), "conv1")["conv1"] for m, c in ((before, 3), (after, channels))]
    assert torch.allclose(*maps, rtol=1e-4, atol=1e-5)
    assert maps[0].std() > 0.1


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "_orig_mod.module."])
def test_prefixes_of_wrappers_are_taken_off(small: NetworkModule, prefix: str) -> None:
    state = {prefix + key: value for key, value in small.state_dict().items()}
    assert same_state(ins.compile(SMALL, aux=True, weights=state).state_dict(), small.state_dict())


def test_a_stage_that_is_called_like_a_prefix_keeps_its_name(tmp_path: Path) -> None:
    text = "schema: inception-search/network\nversion: 1\nname: one\nstages: {module: 3x3 4}\nhead: {classifier: none}"
    module = shaken(ins.compile(text))
    assert all(key.startswith("module.") for key in module.state_dict())
    save_file(module.state_dict(), tmp_path / "one.safetensors")
    for source in (module.state_dict(), tmp_path / "one.safetensors"):
        assert same_state(ins.compile(text, weights=source).state_dict(), module.state_dict())


def test_half_precision_files_and_double_precision_modules(slim: NetworkModule) -> None:
    theirs = {name: tensor.half() for name, tensor in weights("inception_v1", "slim").items()}
    module = ins.compile("inception_v1@slim").double()
    report = ins.load_weights(module, theirs)
    assert {value.dtype for value in module.state_dict().values()} == {torch.float64, torch.int64}
    assert accounts(report, theirs, module)
    for key, name in report.used.items():
        value = module.state_dict()[key]
        assert torch.equal(value, by_hand(theirs[name], name, value.shape).double()), name


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_files_load_as_state_dicts_do(tmp_path: Path, slim: NetworkModule, suffix: str) -> None:
    path = tmp_path / f"slim{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(weights("inception_v1", "slim"), path)
    module = ins.compile("inception_v1@slim", weights=path)
    assert same_state(module.state_dict(), slim.state_dict())
    assert module.loaded.file == str(path)


def test_gammas_of_ones_are_reported_where_there_are_none() -> None:
    theirs = weights("inception_v1", "slim")
    gammas = {name.replace("beta", "gamma"): torch.ones_like(t) for name, t in theirs.items() if name.endswith("beta")}
    module = ins.compile("inception_v1@slim", weights={**theirs, **gammas})
    assert set(module.loaded.unused) == set(gammas)
    assert set(module.loaded.unused.values()) == {"a gamma of ones, as norms without gamma have"}


# What is refused ---------------------------------------------------------------------------------------------


def changed(**tensors: Tensor | None) -> Callable[[Weights], Weights]:
    """Some of TF-slim's tensors replaced (or, None, left out), by name without the first part."""

    def change(theirs: Weights) -> Weights:
        both = {**theirs, **{f"InceptionV1/{name}": tensor for name, tensor in tensors.items()}}
        return {name: tensor for name, tensor in both.items() if tensor is not None}

    return change


def with_number(value: float) -> Callable[[Weights], Weights]:
    def change(theirs: Weights) -> Weights:
        beta = theirs[f"{STEM}/BatchNorm/beta"].clone()
        beta[3] = value
        return {**theirs, f"{STEM}/BatchNorm/beta": beta}

    return change


LOGITS_10 = {
    "Logits/Conv2d_0c_1x1/weights": torch.zeros(1, 1, 1024, 10),
    "Logits/Conv2d_0c_1x1/biases": torch.zeros(10),
}
WRONG: dict[str, tuple[Callable[[Weights], Weights], list[str]]] = {
    "missing": (changed(**{"Conv2d_2b_1x1/weights": None}), ["missing InceptionV1/Conv2d_2b_1x1/weights"]),
    "missing statistics": (
        changed(**{"Conv2d_2b_1x1/BatchNorm/moving_mean": None}),
        ["missing InceptionV1/Conv2d_2b_1x1/BatchNorm/moving_mean"],
    ),
    "unknown": (
        changed(**{"Conv2d_9z_1x1/weights": torch.zeros(1, 1, 2, 3)}),
        ["InceptionV1/Conv2d_9z_1x1/weights (1, 1, 2, 3) has no place"],
    ),
    "narrower": (
        changed(**{"Conv2d_1a_7x7/weights": torch.zeros(7, 7, 3, 32)}),
        [f"{STEM}/weights: (32, 3, 7, 7) for (64, 3, 7, 7) of conv1.conv.weight"],
    ),
    "of another rank": (
        changed(**{"Conv2d_1a_7x7/weights": torch.zeros(7, 3, 64)}),
        [f"{STEM}/weights: (7, 3, 64), which is not HWIO, for (64, 3, 7, 7) of conv1.conv.weight"],
    ),
    "a scalar": (changed(**{"Conv2d_1a_7x7/BatchNorm/beta": torch.tensor(1.0)}), ["() for (64,) of conv1.norm.bias"]),
    "not a number": (with_number(float("nan")), [f"{STEM}/BatchNorm/beta: not all finite"]),
    "infinite": (with_number(float("-inf")), [f"{STEM}/BatchNorm/beta: not all finite"]),
    "integers": (
        changed(**{"Conv2d_1a_7x7/BatchNorm/beta": torch.zeros(64, dtype=torch.int64)}),
        [f"{STEM}/BatchNorm/beta: torch.int64 for torch.float32"],
    ),
    "a gamma": (
        changed(**{"Conv2d_1a_7x7/BatchNorm/gamma": torch.full((64,), 0.5)}),
        [f"{STEM}/BatchNorm/gamma is a gamma, which the norm conv1.norm does not have"],
    ),
    "other classes": (changed(**LOGITS_10), ["(10, 1024) for (1000, 1024)", "(10,) for (1000,)", "num_classes"]),
    "many": (lambda t: {n: v[..., 1:] for n, v in t.items()}, ["in 230 places", "(63, 3, 7, 7) for (64, 3, 7, 7)"]),
    "another network": (
        lambda _: weights("inception_resnet_v1", "facenet"),
        ["another network", "inception_resnet_v1", "compile inception_resnet_v1@facenet for them"],
    ),
    "another dialect": (lambda _: weights("inception_v1", "torchvision"), ["inception_v1", "a gamma", "conv1.norm"]),
    "strangers": (
        lambda _: {"encoder.weight": torch.zeros(1)},
        ["no implementation that is known", "encoder.weight", "conv1.conv.weight", "inception_v1", "check"],
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_does_not_fit_is_refused_and_nothing_changes(tmp_path: Path, slim: NetworkModule, wrong: str) -> None:
    change, words = WRONG[wrong]
    path = tmp_path / "weights.safetensors"
    theirs = {name: tensor.contiguous() for name, tensor in change(weights("inception_v1", "slim")).items()}
    save_file(theirs, path)
    before, loaded = state_of(slim), slim.loaded
    with pytest.raises(WeightsError) as caught:
        ins.load_weights(slim, path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert [word for word in words if word not in text] == []
    assert caught.value.hint
    assert same_state(before, slim.state_dict())
    assert slim.loaded is loaded


def test_the_first_mismatches_are_named_in_the_order_of_the_network(small: NetworkModule) -> None:
    state = {key: value.reshape(-1)[:-1] for key, value in small.state_dict().items() if value.ndim}
    with pytest.raises(WeightsError, match=r"stem\.conv\.weight: \(323,\) for \(12, 3, 3, 3\)"):
        ins.load_weights(copy.deepcopy(small), state)


@pytest.mark.parametrize(
    ("document", "theirs", "words"),
    [
        ("bn_inception", ("bn_inception", "slim"), ["conv1 has another number of layers", "slim", "dialect"]),
        ("inception_v1", ("inception_v1", "torchvision"), ["missing", "compile inception_v1@torchvision for them"]),
        (SMALL, ("inception_v1", "slim"), ["inception_v1", "slim"]),
    ],
    ids=["another structure", "no norms", "an own document"],
)
def test_the_wrong_network_for_a_file_is_refused(
    tmp_path: Path, document: str, theirs: tuple[str, str], words: list[str]
) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(weights(*theirs), path)
    with pytest.raises(WeightsError) as caught:
        ins.compile(document, weights=path)
    assert str(caught.value).startswith(f"{path}: ")
    assert [word for word in words if word not in str(caught.value)] == []
    assert caught.value.hint


def test_an_edited_network_is_refused_with_the_part_that_was_edited() -> None:
    text = ins.to_yaml(ins.load("inception_v1@slim"))
    edited = text.replace("pool3:", "more: 3x3 480\n  pool3:")
    assert edited != text
    with pytest.raises(WeightsError, match=r"missing more\.conv\.weight"):
        ins.compile(edited, weights=weights("inception_v1", "slim"))
    with pytest.raises(WeightsError, match=r"weights: \(64, 3, 7, 7\) for \(32, 3, 7, 7\) of conv1\.conv\.weight"):
        ins.compile("inception_v1@slim", width=0.5, weights=weights("inception_v1", "slim"))


@pytest.mark.parametrize("channels", [1, 4])
def test_a_depthwise_stem_cannot_take_other_channels_and_the_error_says_so(channels: int) -> None:
    with pytest.raises(WeightsError, match=r"pointwise_weights: \(64, 24, 1, 1\) for \(64, \d+, 1, 1\).*depthwise"):
        ins.compile("bn_inception@slim", in_channels=channels, weights=weights("bn_inception", "slim"))


@pytest.mark.parametrize("shape", [(), (12,), (12, 0, 3, 3), (12, 3, 3), (0, 3, 3, 3), (12, 3, 3, 5)])
def test_what_may_differ_still_has_to_have_the_right_form(small: NetworkModule, shape: tuple[int, ...]) -> None:
    state = {**small.state_dict(), "stem.conv.weight": torch.zeros(shape)}
    with pytest.raises(WeightsError, match=r"stem\.conv\.weight: \(.*\) for \(12, 1, 3, 3\)"):
        ins.compile(SMALL, aux=True, in_channels=1, num_classes=2, weights=state)
    state = {**small.state_dict(), "head.classifier.bias": torch.zeros(shape)}
    if len(shape) != 1:
        with pytest.raises(WeightsError, match=r"head\.classifier\.bias: \(.*\) for \(2,\)"):
            ins.compile(SMALL, aux=True, num_classes=2, weights=state)


def test_numbers_too_large_for_the_module_are_refused() -> None:
    module = ins.compile(SMALL).half()
    state = {key: value.float() if value.is_floating_point() else value for key, value in module.state_dict().items()}
    state["stem.norm.bias"] = torch.full((12,), 70_000.0)
    before = state_of(module)
    with pytest.raises(WeightsError, match=r"stem\.norm\.bias: not all finite as torch\.float16"):
        ins.load_weights(module, state)
    assert same_state(before, module.state_dict())


def test_weights_go_into_compiled_networks_only(small: NetworkModule) -> None:
    wrapped = torch.nn.DataParallel(small)
    with pytest.raises(ArgumentError, match=r"\(DataParallel\); expected a model.*; give the module that compile"):
        ins.load_weights(wrapped, small.state_dict())  # type: ignore[arg-type]


# Any file at all ---------------------------------------------------------------------------------------------


@st.composite
def damage(draw: st.DrawFn, names: list[str]) -> Callable[[Weights], Weights]:
    """Some tensors left out, reshaped or renamed."""
    some = st.lists(st.sampled_from(names), max_size=3)
    dropped, reshaped, renamed = draw(some), draw(some), draw(some)
    shape = draw(st.lists(st.integers(0, 3), max_size=5))
    new = draw(st.sampled_from(names) | st.text("abc./_1", min_size=1, max_size=12))

    def apply(tensors: Weights) -> Weights:
        found = {name: tensor for name, tensor in tensors.items() if name not in dropped}
        found.update({name: torch.ones(shape) for name in reshaped if name in found})
        for name in renamed:
            if name in found:
                found[new] = found.pop(name)
        return found

    return apply


def loads_with_a_full_report_or_not_at_all(module: NetworkModule, tensors: Weights, allowed: Allowed) -> None:
    before, loaded = state_of(module), module.loaded
    report: WeightsReport | None = None
    with contextlib.suppress(WeightsError):
        report = ins.load_weights(module, tensors, allowed=allowed)
    if report is None:
        assert same_state(before, module.state_dict())
        assert module.loaded is loaded
        return
    assert accounts(report, tensors, module)
    assert module.loaded is report
    state = module.state_dict()
    whole = {key: name for key, name in report.used.items() if key not in report.adapted}
    assert all(torch.equal(state[key], tensors[name]) for key, name in whole.items())


OURS = ins.compile(SMALL, aux=True, seed=1).state_dict()


@given(data=st.data(), allowed=st.builds(Allowed, classes=st.booleans(), channels=st.booleans()))
def test_any_damage_to_our_own_weights_is_told(data: st.DataObject, allowed: Allowed) -> None:
    change = data.draw(damage(list(OURS)))
    loads_with_a_full_report_or_not_at_all(ins.compile(SMALL, aux=True, seed=2), change(OURS), allowed)


@given(data=st.data(), allowed=st.builds(Allowed, classes=st.booleans(), channels=st.booleans()))
@settings(max_examples=25, deadline=None)
@pytest.mark.slow
def test_any_damage_to_others_weights_is_told(data: st.DataObject, allowed: Allowed) -> None:
    theirs = weights("inception_v1", "torchvision")
    change = data.draw(damage(list(theirs)))
    module = ins.compile("inception_v1@torchvision", aux=True, seed=2)
    loads_with_a_full_report_or_not_at_all(module, change(theirs), allowed)


# Another function --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_weights_of_keras_in_timms_network_warn_and_name_their_own() -> None:
    theirs = weights("inception_v3", "keras")
    with pytest.warns(DialectWarning, match=r"count_pad.*inception_v3@keras") as caught:
        ins.compile("inception_v3", weights=theirs)
    assert caught[0].filename == __file__
    ins.compile("inception_v3@keras", weights=theirs)


@pytest.mark.slow
def test_a_dropout_more_is_no_other_function() -> None:
    theirs = {n: t for n, t in weights("inception_v3", "torchvision").items() if not n.startswith("AuxLogits")}
    module = ins.compile("inception_v3@torchvision", weights=theirs)  # a warning would be an error
    assert module.loaded.implementation in ("torchvision", "timm")
    ins.compile("inception_v3@timm", weights=theirs)


def test_another_padding_or_epsilon_warns_at_the_callers_line() -> None:
    theirs = weights("inception_v1", "slim")
    with pytest.warns(DialectWarning, match=r"slim's weights.*inception_v1@slim") as caught:
        ins.load_weights(ins.compile("inception_v1@torchvision"), theirs)
    assert caught[0].filename == __file__
    text = ins.to_yaml(ins.load("bn_inception")).replace("1.0e-05", "0.001").replace("1e-05", "0.001")
    with pytest.warns(DialectWarning, match=r"eps 0\.001 in bn_inception and 1e-05 in bn_inception@cadene") as caught:
        ins.compile(text, weights=weights("bn_inception", "cadene"))
    assert caught[0].filename == __file__


def test_a_warning_made_an_error_leaves_the_module_as_it_was() -> None:
    module = ins.compile("inception_v1@torchvision")
    before = state_of(module)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DialectWarning)
        with pytest.raises(DialectWarning):
            ins.load_weights(module, weights("inception_v1", "slim"))
    assert same_state(before, module.state_dict())
    assert module.loaded is None
