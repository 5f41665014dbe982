"""The facts of the catalogue are those of the installed packages that publish them, and each names its source."""

from __future__ import annotations

import inspect
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import inception_search as ins
from inception_search.errors import ConfigError, UnknownNameError
from inception_search.published import imagenet
from inception_search.published.catalogue import PublishedWeights, chosen, prepared_as

ROWS = ins.published_weights()
FACTS = ("dataset", "sha256", "md5", "megabytes", "licence", "preprocess")


def row(network: str, tag: str = "") -> PublishedWeights:
    return next(each for each in ROWS if each.network == network and tag in ("", each.tag))


def module(name: str) -> Any:
    """An installed package that publishes weights."""
    import tests.torchvision_shim  # noqa: F401 - torchvision is imported next to another torch

    return pytest.importorskip(name)


def test_every_row_is_a_dialect_with_a_tag_of_its_own() -> None:
    dialects = {f"{name}@{dialect}" for name in ins.list_models(dialects=False) for dialect in ins.list_dialects(name)}
    assert {each.network for each in ROWS} <= dialects
    assert len({(each.network, each.tag) for each in ROWS}) == len(ROWS) == 28


@pytest.mark.parametrize("each", ROWS, ids=lambda each: each.name)
def test_every_fact_has_a_source(each: PublishedWeights) -> None:
    known = {"url"} | {fact for fact in FACTS if getattr(each, fact) is not None}
    known |= {"accuracies"} if each.accuracies else set()
    assert known <= set(each.sources) <= known | {"classes"}
    assert all(each.sources.values())
    assert each.url.endswith(f"/{each.file}")
    assert each.sha256 is None or each.sha256 in each.file  # where the checksum is part of the name
    assert all(0 < value < 1 for value in each.accuracies.values())


@pytest.mark.parametrize("each", ROWS, ids=lambda each: each.name)
def test_classes_are_those_of_the_dialect_or_with_a_background(each: PublishedWeights) -> None:
    head = ins.load(each.network).head
    expected = {8631, 10575} if head.classifier == "none" else {head.classes, head.classes + 1}
    assert each.classes in expected


@pytest.mark.parametrize(
    ("network", "enum"),
    [("inception_v1@torchvision", "GoogLeNet_Weights"), ("inception_v3@torchvision", "Inception_V3_Weights")],
)
def test_torchvisions_facts(network: str, enum: str) -> None:
    theirs = getattr(module("torchvision.models"), enum).IMAGENET1K_V1
    ours, metrics = row(network), theirs.meta["_metrics"]["ImageNet-1K"]
    assert (ours.url, ours.tag, ours.megabytes) == (theirs.url, theirs.name, theirs.meta["_file_size"])
    assert ours.accuracies == {"top-1": pytest.approx(metrics["acc@1"] / 100), "top-5": metrics["acc@5"] / 100}
    assert ours.classes == len(theirs.meta["categories"])
    assert imagenet.class_names() == tuple(theirs.meta["categories"])


@pytest.mark.parametrize("each", [each for each in ROWS if each.network.endswith("@timm")], ids=lambda each: each.name)
def test_timms_facts(each: PublishedWeights) -> None:
    name = each.network.partition("@")[0]
    theirs = module(f"timm.models.{name}").default_cfgs[name].cfgs[each.tag]
    assert each.url == f"https://huggingface.co/{theirs.hf_hub_id}{name}.{each.tag}/resolve/main/{each.file}"
    assert each.file == module("timm.models._hub").HF_SAFE_WEIGHTS_NAME
    assert (each.classes, each.licence) == (theirs.num_classes, theirs.license)
    prepared = prepared_as(ins.load(each.network), each).preprocess
    assert prepared is not None
    assert (prepared.mean, prepared.std) == (theirs.mean, theirs.std)


def test_timms_files_are_all_listed() -> None:
    for name in ("inception_v3", "inception_v4", "inception_resnet_v2"):
        tags = list(module(f"timm.models.{name}").default_cfgs[name].cfgs)
        assert [each.tag for each in ins.published_weights(f"{name}@timm")] == tags


@pytest.mark.parametrize("name", ["bninception", "inceptionv4", "inceptionresnetv2"])
def test_cadenes_facts(name: str) -> None:
    settings = module(f"pretrainedmodels.models.{name}").pretrained_settings[name]
    (ours,) = [each for each in ROWS if each.url == settings["imagenet"]["url"]]
    assert ours.classes == max(each["num_classes"] for each in settings.values())


@pytest.mark.parametrize("name", ["inception_v3", "inception_resnet_v2"])
def test_keras_facts(name: str) -> None:
    keras = find_spec("keras")  # not imported, because that needs a backend
    if keras is None or keras.origin is None:
        pytest.skip("keras is not installed")
    path = Path(keras.origin).parent / "src" / "applications" / f"{name}.py"
    text = path.read_text(encoding="utf-8")
    ours = row(f"{name}@keras")
    joined = re.sub(r'"\s+"', "", text)
    assert ours.url in joined or ours.url.removesuffix(ours.file) in joined
    assert re.search(rf'{re.escape(ours.file)}".*?file_hash="{ours.md5}"', joined, re.DOTALL)


def test_facenets_and_fids_facts() -> None:
    source = inspect.getsource(module("facenet_pytorch.models.inception_resnet_v1"))
    for tag in ("vggface2", "casia-webface"):
        ours = row("inception_resnet_v1@facenet", tag)
        assert re.search(rf"name == '{tag}':\s+path = '{re.escape(ours.url)}'", source)
        assert re.search(rf"pretrained == '{tag}':\s+tmp_classes = {ours.classes}", source)
    assert row("inception_v3@fid").url == module("pytorch_fid.inception").FID_WEIGHTS_URL


@pytest.mark.parametrize(
    ("given", "tags"),
    [
        ("inception_v4", ["tf_in1k", "imagenet", "2016_09_09"]),
        ("inception_v4@cadene", ["imagenet"]),
        (ins.load("inception_v4"), ["tf_in1k"]),  # a document is one dialect: the default one
        (ins.load("inception_v3@fid"), ["2015-12-05"]),
        ("inception_v2", []),
        (ins.load("inception_v1"), []),
    ],
    ids=str,
)
def test_a_network_and_its_dialects_have_their_rows(given: Any, tags: list[str]) -> None:
    assert [each.tag for each in ins.published_weights(given)] == tags


@pytest.mark.parametrize(
    ("name", "words"), [("inception_v9", "unknown network"), ("inception_v3@x", "unknown dialect")]
)
def test_unknown_names_are_errors(name: str, words: str) -> None:
    with pytest.raises(UnknownNameError, match=words):
        ins.published_weights(name)


@pytest.mark.parametrize(
    ("network", "weights", "words"),
    [
        (
            "inception_v1",
            "pretrained",
            "expected one of inception_v1@torchvision, inception_v1@slim, inception_v1@lucid",
        ),
        ("inception_v2", "pretrained", "inception-search weights lists"),
        ("inception_v3", "pretrained:gluon", "did you mean 'gluon_in1k'"),
    ],
)
def test_weights_that_do_not_exist_are_errors(network: str, weights: str, words: str) -> None:
    with pytest.raises((ConfigError, UnknownNameError)) as caught:
        chosen(ins.load(network), weights)
    assert words in str(caught.value)


def test_the_first_file_of_a_dialect_is_its_default() -> None:
    net = ins.load("inception_v3")
    assert chosen(net, "pretrained").tag == "tv_in1k"
    assert chosen(net, "pretrained:gluon_in1k").tag == "gluon_in1k"
    assert prepared_as(net, chosen(net, "pretrained")) is net


def test_class_names() -> None:
    names = imagenet.class_names()
    assert len(set(names)) == 1000
    assert imagenet.names_for(1000) == names
    assert imagenet.names_for(1001) == ("background", *names)
    assert imagenet.names_for(1008) is None
    licence = Path(imagenet.__file__).with_name("imagenet_classes.LICENSE.txt").read_text(encoding="utf-8")
    assert licence.startswith("BSD 3-Clause License")
