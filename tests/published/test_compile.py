"""``weights="pretrained"`` in ``compile`` and in ``convert``, with the published names and random numbers."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import inception_search as ins
from inception_search.errors import ConfigError, WeightsError
from inception_search.published import catalogue, imagenet
from inception_search.weights.load import DialectWarning
from tests.cli.conftest import Command
from tests.cli.conftest import command as command
from tests.downloads.server import Server
from tests.weights.their_weights import weights

NETWORK = "inception_v1@torchvision"


@pytest.fixture(scope="module")
def content() -> bytes:
    """A file like torchvision's: its names and shapes."""
    file = io.BytesIO()
    torch.save(weights("inception_v1", "torchvision"), file)
    return file.getvalue()


@pytest.fixture
def published(home: Path, server: Server, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server with the file of the dialect."""
    digest = hashlib.sha256(content).hexdigest()[:8]
    row = replace(ins.published_weights(NETWORK)[0], url=server.put("/g.pth", content), sha256=digest)
    monkeypatch.setattr(catalogue, "_rows", lambda: (row,))
    return server


def test_weights_are_downloaded_once_and_classes_have_names(published: Server) -> None:
    with pytest.raises(WeightsError, match="permit the download with download=True"):
        ins.compile(NETWORK, weights="pretrained")
    assert published.requests == []
    model = ins.compile(NETWORK, weights="pretrained", download=True)
    assert model.classes == imagenet.class_names()
    assert not model.loaded.fresh
    again = ins.compile(NETWORK, weights="pretrained:IMAGENET1K_V1")
    assert len(published.requests) == 1
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True))


def test_a_new_classifier_has_no_names(published: Server) -> None:
    model = ins.compile(NETWORK, weights="pretrained", download=True, num_classes=1001)
    assert model.loaded.fresh
    assert model.classes is None
    assert ins.compile(NETWORK, weights="pretrained", num_classes=0).classes is None


def test_a_wrong_network_for_the_file_is_refused(published: Server) -> None:
    with pytest.raises(WeightsError):
        ins.compile(NETWORK, weights="pretrained", download=True, width=0.5)


def test_download_is_for_published_weights_only() -> None:
    with pytest.raises(ConfigError, match="only published weights are downloaded, got download=True"):
        ins.compile("nin_cifar10", download=True)


def test_images_are_prepared_as_the_file_expects() -> None:
    """gluon's weights in timm expect another normalisation than the dialect's others."""
    net = ins.load("inception_v3@timm")
    prepared = catalogue.prepared_as(net, catalogue.chosen(net, "pretrained:gluon_in1k"))
    assert prepared.preprocess is not None
    assert net.preprocess is not None
    assert prepared.preprocess.mean == (0.485, 0.456, 0.406)
    assert prepared.preprocess.resize == net.preprocess.resize


def test_facenets_file_with_its_classifier_fits_the_dialect_without_one() -> None:
    theirs = weights("inception_resnet_v1", "facenet")
    row = ins.published_weights("inception_resnet_v1@facenet")[0]
    theirs |= {"logits.weight": torch.zeros(row.classes, 512), "logits.bias": torch.zeros(row.classes)}
    with warnings.catch_warnings():
        warnings.simplefilter("error", DialectWarning)
        model = ins.compile(row.network, weights=theirs)
    assert set(model.loaded.unused) == {"logits.weight", "logits.bias"}


def test_a_background_class_is_dropped_and_the_names_remain(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = weights("inception_v1", "torchvision")
    theirs |= {"fc.weight": torch.randn(1001, 1024), "fc.bias": torch.randn(1001)}
    row = ins.published_weights(NETWORK)[0]
    row = replace(row, sha256=None)
    row.location.parent.mkdir(parents=True)
    torch.save(theirs, row.location)
    monkeypatch.setattr(catalogue, "_rows", lambda: (row,))
    model = ins.compile(NETWORK, weights="pretrained")
    assert model.num_classes == 1000
    assert model.classes == imagenet.class_names()
    whole = ins.compile(NETWORK, weights="pretrained", num_classes=1001)
    assert whole.classes == ("background", *imagenet.class_names())


def test_convert_downloads_with_the_option(published: Server, command: Command, tmp_path: Path) -> None:
    said = command("convert", "pretrained", "--network", NETWORK, "-o", str(tmp_path / "m.safetensors"))
    assert said.code != 0
    assert "permit the download with --download" in said.err
    said = command("convert", "pretrained", "--network", NETWORK, "--download", "-o", str(tmp_path / "m.safetensors"))
    assert said.code == 0, said.err
    assert f"downloading googlenet-1378be20.pth from {published.url}/g.pth" in said.err
    assert ins.load_model(tmp_path / "m.safetensors").classes == imagenet.class_names()


def test_export_downloads_with_the_option(published: Server, command: Command, tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    words = ("export", NETWORK, "--weights", "pretrained", "--to", "safetensors", "-o", out, "--no-check")
    assert "permit the download with --download" in command(*words).err
    said = command(*words, "--download")
    assert said.code == 0, said.err
    assert out.is_file()
    assert "write --weights 'pretrained' too" in command("export", NETWORK, "--to", "safetensors", "--download").err


def test_convert_needs_the_name_of_the_network(command: Command) -> None:
    assert "add --network" in command("convert", "pretrained").err
    assert (
        "--download is for published weights, got 'x.pth'; write pretrained in its place"
        in command("convert", "x.pth", "--download").err
    )


def test_the_verb_lists_and_downloads(published: Server, command: Command) -> None:
    assert "IMAGENET1K_V1" in command("weights", "inception_v1").out
    assert command("weights", "inception_v1", "--download", "--json").code == 0
    assert '"path": null' not in command("weights", NETWORK, "--json").out
    assert len(published.requests) == 1
    for words, error in {
        ("inception_v2",): "no weights are published for inception_v2",
        (NETWORK, "--tag", "x"): "with the tag x; expected one of inception_v1@torchvision (IMAGENET1K_V1)",
        ("--download",): "--download needs a network",
    }.items():
        said = command("weights", *words)
        assert said.code == 2
        assert error in said.err
