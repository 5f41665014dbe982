"""What users of timm call on a model: another classifier, facts of its weights, names of classes; layers in print."""

from __future__ import annotations

import copy
import pickle
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

import inception_search as ins
from inception_search.errors import CompileError, ConfigError, ShapeError, SpecError, UnknownNameError
from inception_search.spec.transform import shrink
from tests.weights.small_network import SMALL, shaken
from tests.weights.their_weights import state_of

X = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


# The classifier ------------------------------------------------------------------------------------------------


def test_another_classifier_keeps_all_other_layers() -> None:
    module = shaken(ins.compile(SMALL, aux=True))
    trunk, hidden = dict(module.stem.named_parameters()), module.aux.aux1.hidden
    before = state_of(module)
    hidden_layer = hidden.get_submodule("0.linear")
    assert module.reset_classifier(3) is module
    assert (module.num_classes, module.network.head.classes, module.training) == (3, 3, False)
    assert isinstance(module.get_classifier(), nn.Linear)
    assert module.get_classifier().weight.shape == (3, 16)
    assert all(value is trunk[name] for name, value in module.stem.named_parameters())
    assert module.aux.aux1.get_submodule("hidden.0.linear") is hidden_layer
    after = module.state_dict()
    changed = {key for key in after if not torch.equal(after[key], before[key])}
    classifiers = {f"{where}classifier.{tensor}" for where in ("head.", "aux.aux1.") for tensor in ("weight", "bias")}
    assert changed == classifiers
    assert [out.shape for out in module.train()(X)] == [(2, 3), (2, 3)]
    assert ins.compile(SMALL, aux=True, num_classes=3, weights=module.state_dict()).loaded.fresh == ()


def test_no_classifier_gives_features_or_maps_and_one_can_come_back() -> None:
    module = shaken(ins.compile(SMALL))
    features = shaken(ins.compile(SMALL, num_classes=0))
    ins.load_weights(features, {k: v for k, v in module.state_dict().items() if "classifier" not in k})
    assert torch.equal(module.reset_classifier(0)(X), features(X))
    assert isinstance(module.get_classifier(), nn.Identity)
    assert (module.num_classes, module.num_features) == (0, 16)
    for word in ("none", ""):
        assert module.reset_classifier(0, word)(X).shape == (2, 16, 8, 8)  # type: ignore[arg-type]
    assert module.reset_classifier(4, "max")(X).shape == (2, 4)
    assert isinstance(module.head.pool, nn.AdaptiveMaxPool2d)
    with pytest.raises(ConfigError, match=r"not pooled.*num_classes=0"):
        module.reset_classifier(4, "none")
    with pytest.raises(SpecError):
        module.reset_classifier(-1)
    assert module(X).shape == (2, 4)


def test_same_classes_make_a_new_classifier_too() -> None:
    module = ins.compile(SMALL)
    old = module.get_classifier()
    assert module.reset_classifier(5).get_classifier() is not old


def test_a_new_classifier_is_of_the_models_dtype_and_trains() -> None:
    module = ins.compile(SMALL).double().train().freeze(until="top")
    module.reset_classifier(2)
    module(X.double()).sum().backward()
    assert module.get_classifier().weight.grad is not None
    assert module.stem.conv.weight.grad is None
    assert not module.stem.training


@pytest.mark.parametrize(
    ("name", "features", "layer"),
    [
        ("inception_v3", 2048, nn.Linear),
        ("inception_v4", 1536, nn.Linear),
        ("inception_resnet_v1@facenet", 512, nn.Identity),
        ("nin_cifar10", 192, nn.Module),
    ],
)
def test_features_of_known_networks(name: str, features: int, layer: type[nn.Module]) -> None:
    with torch.device("meta"):
        module = ins.compile(name)
    assert module.num_features == features
    assert isinstance(module.get_classifier(), layer)


# The two parts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size"), [(SMALL, 16), ("nin_cifar10", 32), ("inception_resnet_v1@facenet", 96), ("inception_v1", 64)]
)
def test_the_head_on_the_last_maps_is_the_network(name: str, size: int) -> None:
    module = ins.compile(name, input_size=size, seed=0).eval()
    x = torch.rand(2, 3, size, size)
    maps = module.forward_features(x)
    assert maps.shape[1:] == module.recall("shapes")[module.stages[-1]]
    assert torch.equal(module.forward_head(maps), module(x))
    features = module.forward_head(maps, pre_logits=True)
    assert features.shape == (2, module.num_features)
    assert torch.equal(features, module.reset_classifier(0)(x))
    assert torch.equal(module.forward_head(maps), features)


def test_the_head_follows_the_classifier_and_the_mode() -> None:
    module = shaken(ins.compile(SMALL, aux=True))
    maps = module.forward_features(X)
    module.forward_head(maps)
    assert module.reset_classifier(3).forward_head(maps).shape == (2, 3)
    module.train()
    assert isinstance(module(X), tuple)
    assert module.forward_head(module.forward_features(X)).shape == (2, 3)
    assert torch.equal(copy.deepcopy(module).eval().forward_head(maps), module.eval().forward_head(maps))
    with pytest.raises(
        ShapeError, match=r"not the maps of the last stage, got \(2, 3, 16, 16\); expected \(N, 16, H, W\)"
    ):
        module.forward_head(X)
    with pytest.raises(ConfigError, match="pre_logits"):
        module.forward_head(maps, pre_logits="yes")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["inception_v3", "inception_v4", "inception_resnet_v2"])
def test_the_last_feature_info_is_timms(name: str) -> None:
    from tests import torchvision_shim  # noqa: F401  (before torchvision)

    timm = pytest.importorskip("timm")
    with torch.device("meta"):
        ours, theirs = ins.compile(f"{name}@timm").feature_info, timm.create_model(name).feature_info
    known = {info["reduction"]: info["num_chs"] for info in theirs}
    assert [info["reduction"] for info in ours] == sorted({info["reduction"] for info in ours})
    assert all(known[info["reduction"]] == info["num_chs"] for info in ours[-2:])
    assert ours[-1]["reduction"] == 32


# The facts of the weights ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["inception_v3", "inception_v3@keras", "inception_v1", "inception_resnet_v1@facenet"])
def test_timms_transform_by_these_facts_does_what_prepare_images_does(name: str) -> None:
    from tests import torchvision_shim  # noqa: F401  (before torchvision)

    data = pytest.importorskip("timm.data")
    functional = pytest.importorskip("torchvision.transforms.functional")
    with torch.device("meta"):
        module = ins.compile(name)
    assert module.default_cfg == module.pretrained_cfg
    config = data.resolve_data_config({}, pretrained_cfg=module.pretrained_cfg, use_test_size=True)
    assert config["input_size"] == module.network.input.shape
    photo = torch.randint(0, 256, (1, 3, 360, 420), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    expected = data.create_transform(**config)(functional.to_pil_image(photo[0]))
    if module.pretrained_cfg["input_space"] == "BGR":
        photo = photo.flip(1)  # timm knows no order: its pictures are given as they are
    worst = (ins.prepare_images(photo, module)[0] - expected).abs().max() * max(module.pretrained_cfg["std"])
    assert worst <= 2 / 255  # Pillow rounds after each of two passes


def test_a_document_without_facts_has_none_of_them() -> None:
    facts = ins.compile(SMALL).pretrained_cfg
    assert facts["input_size"] == (3, 16, 16)
    assert facts["num_classes"] == 5
    assert facts["pool_size"] == (8, 8)
    assert (facts["first_conv"], facts["classifier"]) == ("stem.conv", "head.classifier")
    assert "mean" not in facts


def test_models_are_listed_by_pattern() -> None:
    found = ins.list_models("*v3*")
    assert found[0] == "inception_v3"
    assert "inception_v3@keras" in found
    assert all("v3" in name for name in found)
    assert set(ins.list_models(dialects=False)) < set(ins.list_models()) == set(ins.list_models(""))
    assert ins.list_models(["nin_*", "*@keras"], exclude_filters="*imagenet*") == [
        *("inception_resnet_v2@keras", "inception_v3@keras", "nin_cifar10", "nin_cifar10@paper", "nin_cifar10@caffe")
    ]
    assert ins.list_models("resnet50") == []
    for name in found:
        ins.load(name)
    with pytest.raises(ConfigError, match=r"filter: .*of list_models\(\), got 3 \(int\); expected text"):
        ins.list_models(3)  # type: ignore[arg-type]


# Names of classes ------------------------------------------------------------------------------------------------


NAMES = ("cat", "dog", "Käse", "a\nb", "🦆")


def test_names_of_classes_are_kept_in_saved_files(tmp_path: Path) -> None:
    module = shaken(ins.compile(SMALL))
    assert module.classes is None
    module.classes = list(NAMES)
    path = ins.save_model(module, tmp_path / "model.safetensors")
    assert ins.load_model(path).classes == module.classes == NAMES
    assert copy.deepcopy(module).classes == pickle.loads(pickle.dumps(module)).classes == NAMES
    assert ins.compile(path).classes == NAMES
    assert ins.compile(SMALL, weights=path).classes == NAMES
    assert ins.compile(SMALL, weights=path, num_classes=3).classes is None
    assert ins.compile(SMALL, weights=path, num_classes=0).classes is None
    assert module.reset_classifier(5).classes is None


@pytest.mark.parametrize("wrong", [["a"], [*"abcdef"], [1, 2, 3, 4, 5], "abcde"])
def test_names_that_are_not_those_of_the_logits_are_refused(wrong: list[str]) -> None:
    module = ins.compile(SMALL)
    with pytest.raises(ConfigError, match=r"not the names of the classes, got .*; expected 5 names, in the order"):
        module.classes = wrong
    assert module.classes is None


def test_damaged_names_in_a_file_are_no_names(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    state = ins.compile(SMALL).state_dict()
    for text in ("[", "3", "[1, 2, 3, 4, 5]", '["a"]', "[" * 100_000):
        save_file(state, tmp_path / "w.safetensors", {"inception_search.classes": text})
        assert ins.compile(SMALL, weights=tmp_path / "w.safetensors").classes is None


# Maps, print, scripts ----------------------------------------------------------------------------------------------


def test_features_are_by_default_those_of_the_last_stage_of_each_size() -> None:
    module = shaken(ins.compile(SMALL))
    assert {name: tuple(maps.shape[1:]) for name, maps in module.features(X).items()} == {
        "module": (12, 16, 16),
        "top": (16, 8, 8),
    }
    assert all(torch.equal(maps, module.features(X, name)[name]) for name, maps in module.features(X).items())
    with torch.device("meta"):
        maps = ins.compile("inception_v4").features(torch.empty(1, 3, 299, 299))
    assert {name: maps[name].shape[2] for name in maps} == {"inception_a": 35, "inception_b": 17, "inception_c": 8}


def lines(module: nn.Module) -> list[str]:
    return [line.strip() for line in repr(module).splitlines()]


def test_layers_print_as_what_they_are() -> None:
    with torch.device("meta"):
        module = ins.compile("inception_v4")
    printed = lines(module)
    assert printed[0] == "InceptionV4("
    for line in ("(inception_a): Stage(", "(0): InceptionA(", "(branches): Branches(", "(1): Branch(", "(2): RowCol("):
        assert line in printed
    assert "(0): ConvNormAct(" in printed
    assert lines(module.get_submodule("inception_a.0"))[0] == "InceptionA("


@pytest.mark.parametrize("name", ins.list_models(dialects=False))
def test_no_container_prints_as_a_bare_module(name: str) -> None:
    with torch.device("meta"):
        module = ins.compile(shrink(ins.load(name), 0.1, 0.1), aux=bool(ins.load(name).aux))
    for each in (module, copy.deepcopy(module), pickle.loads(pickle.dumps(module)), module.feature_extractor()):
        assert not any(line.endswith(": Module(") for line in lines(each))
    assert repr(copy.deepcopy(module)) == repr(pickle.loads(pickle.dumps(module))) == repr(module)


# With the other networks they have every kind of layer that a script sees.
SCRIPTED = ("nin_cifar10", "inception_v3", "inception_resnet_v1")


@pytest.mark.parametrize(
    "name",
    [
        name if name in SCRIPTED else pytest.param(name, marks=pytest.mark.slow)
        for name in ins.list_models(dialects=False)
    ],
)
def test_every_network_can_be_scripted(name: str, tmp_path: Path) -> None:
    module = ins.compile(shrink(ins.load(name), 0.1, 0.1), seed=0).eval()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*torch.jit.*")  # deprecated since torch 2.13, in two categories
        scripted = torch.jit.script(module)
        torch.jit.save(scripted, tmp_path / "m.pt")
        again = torch.jit.load(tmp_path / "m.pt")
    x = torch.randn(1, *module.network.input.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(again(x), module(x))
    assert again.state_dict().keys() == module.state_dict().keys()
    assert module.num_classes == module.network.head.classes  # its properties are still there


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*")
def test_auxiliary_classifiers_in_a_script_are_our_error() -> None:
    with pytest.raises(CompileError, match="cannot be scripted; save the model"):
        torch.jit.script(ins.compile(SMALL, aux=True))


def test_an_unknown_stage_is_still_named() -> None:
    with pytest.raises(UnknownNameError, match="unknown stage, got 'nope'"):
        ins.compile(SMALL).features(X, "nope")
