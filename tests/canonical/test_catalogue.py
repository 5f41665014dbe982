"""Finding networks: what their dialects are, and paths that are of something else."""

from __future__ import annotations

from pathlib import Path

import pytest

import inception_search as ins
from inception_search.errors import ArgumentError, DocumentError, SpecError, UnknownNameError

OWN = """\
schema: inception-search/network
version: 1
name: own
source: the one
dialect: main
stages: {a: 3x3 4}
dialects:
  wide: {source: the wide one, stages: {a: 3x3 8}}
"""
OF_OWN = {"main": "the one", "wide": "the wide one"}


@pytest.mark.parametrize("name", ["inception_v3", "inception_v3@keras", "inception_v3@timm"])
def test_a_dialect_has_the_dialects_of_its_network(name: str) -> None:
    assert list(ins.list_dialects(name)) == ["timm", "torchvision", "caffe", "slim", "keras", "fid"]


def test_a_document_on_disk_has_dialects_too(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(OWN)
    for network in (path, str(path), f"{path}@wide", f"{path}@main"):
        assert ins.list_dialects(network) == OF_OWN
    assert ins.load(f"{path}@wide").dialect in ins.list_dialects(path)
    (tmp_path / "best.yaml").write_text(OWN)  # a run folder
    assert ins.list_dialects(tmp_path) == OF_OWN
    plain = tmp_path / "plain.yaml"
    plain.write_text("schema: inception-search/network\nversion: 1\nname: n\nstages: {a: 3x3 4}\n")
    assert ins.list_dialects(plain) == {}


def test_a_saved_model_has_the_dialects_of_its_document(tmp_path: Path) -> None:
    path = ins.save_model(ins.compile(OWN.partition("dialects:")[0]), tmp_path / "own.safetensors")
    assert ins.list_dialects(path) == {"main": "the one"}


@pytest.mark.parametrize(
    ("network", "error", "words"),
    [
        ("inception_v3@kears", UnknownNameError, r"dialect of inception_v3.*did you mean 'keras'"),
        ("inception_v9", UnknownNameError, r"unknown network.*did you mean 'inception_v.'.*"),
        ("no/such.yaml", DocumentError, "no/such.yaml: no such file"),
        ("weights.pth", SpecError, "weights.pth: this is a file of weights"),
        (7, ArgumentError, r"network: .*got 7 \(int\); expected text or a path"),
    ],
)
def test_dialects_of_nothing_are_refused(network: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        ins.list_dialects(network)


def test_dialects_of_another_document_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text("schema: inception-search/space\nversion: 1\nname: n\n")
    with pytest.raises(DocumentError, match=r"space\.yaml.*unknown schema"):
        ins.list_dialects(path)


@pytest.mark.parametrize("name", ["x.pth", "a/x.pt", "x.bin", "x.weights.h5", "x.keras", "x.ckpt"])
def test_weights_in_place_of_a_network_are_told_apart(tmp_path: Path, name: str) -> None:
    for network in (name, tmp_path / name):
        with pytest.raises(SpecError) as caught:
            ins.load(network)
        said = str(caught.value)
        assert said.startswith(f"{network}: this is a file of weights, not a network; ")
        assert f"compile(NETWORK, weights={str(network)!r})" in said
        assert f"inception-search convert {network}" in said


def test_a_run_folder_called_like_weights_is_still_one(tmp_path: Path) -> None:
    run = tmp_path / "run.pt"
    run.mkdir()
    (run / "best.yaml").write_text(OWN)
    assert ins.load(run).name == "own"
