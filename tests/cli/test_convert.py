"""``inception-search convert``: whose weights a file has, and the same weights for others."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import inception_search as ins
from inception_search.cli.main import FAILED
from inception_search.cli.main import REFUSED as NOT_POSSIBLE
from inception_search.spec.safetensors_header import DOCUMENT
from inception_search.weights.model_file import DIGEST, digest
from tests.cli.conftest import Command
from tests.weights.small_network import SMALL, shaken
from tests.weights.their_weights import same_state, weights

USAGE = 2


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each of the files below is written once."""
    return tmp_path_factory.mktemp("shelf")


def take(shelf: Path, name: str, folder: Path) -> None:
    """Put the file of that name into ``folder``; nothing writes to it there."""
    if not (shelf / name).exists():
        FILES[name](shelf / name)
    os.link(shelf / name, folder / name)


@pytest.fixture
def googlenet(command: Command, tmp_path: Path, shelf: Path) -> dict[str, Tensor]:
    """torchvision's weights, in ``googlenet.pth``."""
    take(shelf, "googlenet.pth", tmp_path)
    return weights("inception_v1", "torchvision")


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return set(one) == set(other) and all(torch.equal(one[name], other[name]) for name in one)


def test_without_an_output_it_only_reports(command: Command, googlenet: dict[str, Tensor], tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    said = command("convert", "googlenet.pth")
    assert said.code == 0
    assert said.out == "googlenet.pth: torchvision's weights of inception_v1: 364 tensors used\n"
    assert said.err == ""
    assert sorted(tmp_path.iterdir()) == before


def test_to_a_model_of_ours_and_back(command: Command, googlenet: dict[str, Tensor], tmp_path: Path) -> None:
    said = command("convert", "googlenet.pth", "-o", "model.safetensors")
    assert (said.code, said.out.splitlines()[-1]) == (0, "model.safetensors")
    model = ins.load_model(tmp_path / "model.safetensors")
    assert model.network == ins.load("inception_v1@torchvision")
    direct = ins.compile("inception_v1@torchvision", aux=True, weights=googlenet)
    assert same_state(model.state_dict(), direct.state_dict())
    assert command("convert", "model.safetensors", "--to", "torchvision", "-o", "back.pth").code == 0
    assert same(torch.load(tmp_path / "back.pth", weights_only=True), googlenet)
    assert command("convert", "model.safetensors", "--to", "torchvision", "-o", "back.safetensors").code == 0
    assert same(load_file(tmp_path / "back.safetensors"), googlenet)


def test_without_aux(command: Command, googlenet: dict[str, Tensor], tmp_path: Path) -> None:
    said = command("convert", "googlenet.pth", "--no-aux", "-o", "model.safetensors")
    assert said.code == 0
    assert "not used, of aux.aux1, which is not built: aux1.conv.conv.weight" in said.out
    assert not ins.load(tmp_path / "model.safetensors").aux


def test_other_classes(command: Command, googlenet: dict[str, Tensor], tmp_path: Path) -> None:
    said = command("convert", "googlenet.pth", "--no-aux", "--classes", "7", "-o", "model.safetensors")
    assert said.code == 0
    assert "left as initialised: head.classifier.weight, head.classifier.bias" in said.out
    assert ins.load(tmp_path / "model.safetensors").head.classes == 7


def test_no_classes_drop_the_head(command: Command, googlenet: dict[str, Tensor], tmp_path: Path) -> None:
    said = command("convert", "googlenet.pth", "--classes", "0", "-o", "model.safetensors")
    assert said.code == 0
    assert "not used, of head, which is not built: fc.weight, fc.bias" in said.out
    network = ins.load(tmp_path / "model.safetensors")
    assert (network.head.classifier, dict(network.aux)) == ("none", {})


@pytest.mark.parametrize("channels", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_other_channels(command: Command, googlenet: dict[str, Tensor], tmp_path: Path, channels: int) -> None:
    said = command("convert", "googlenet.pth", "--in-channels", str(channels), "-o", "model.safetensors")
    assert said.code == 0
    assert f"adapted conv1.conv.weight: from 3 to {channels} input channels" in said.out
    assert ins.load(tmp_path / "model.safetensors").input.channels == channels


def test_classes_and_channels_are_those_of_the_file(command: Command, tmp_path: Path) -> None:
    tuned = ins.compile("inception_v1@torchvision", num_classes=7, in_channels=1, aux=True, seed=1)
    theirs = ins.export_weights(tuned, "torchvision")
    torch.save({f"model.{name}": tensor for name, tensor in theirs.items()}, tmp_path / "tuned.pth")
    said = command("convert", "tuned.pth", "-o", "model.safetensors")
    assert (said.code, said.err) == (0, "")
    assert "initialised" not in said.out
    model = ins.load_model(tmp_path / "model.safetensors")
    assert (model.network.head.classes, model.network.input.channels) == (7, 1)
    assert same(model.state_dict(), tuned.state_dict())
    said = command("convert", "tuned.pth", "--classes", "3", "--in-channels", "3", "-o", "model.safetensors")
    network = ins.load(tmp_path / "model.safetensors")
    assert (network.head.classes, network.input.channels) == (3, 3)
    assert "left as initialised: head.classifier.weight" in said.out


@pytest.mark.parametrize("channels", [2, *(pytest.param(many, marks=pytest.mark.slow) for many in (1, 5))])
def test_the_channels_of_a_depthwise_stem_are_counted(command: Command, tmp_path: Path, channels: int) -> None:
    theirs = ins.export_weights(ins.compile("bn_inception@slim", in_channels=channels), "slim")
    save_file(theirs, tmp_path / "slim.safetensors")
    said = command("convert", "slim.safetensors", "-o", "model.safetensors")
    assert (said.code, said.err) == (0, "")
    assert ins.load(tmp_path / "model.safetensors").input.channels == channels


def test_a_file_without_a_classifier_is_a_network_without(command: Command, tmp_path: Path) -> None:
    theirs = {n: t for n, t in weights("inception_v1", "torchvision").items() if not n.startswith(("fc.", "aux"))}
    torch.save(theirs, tmp_path / "trunk.pth")
    assert command("convert", "trunk.pth", "-o", "model.safetensors").code == 0
    assert ins.load(tmp_path / "model.safetensors").head.classifier == "none"
    assert command("convert", "trunk.pth", "--classes", "5", "-o", "model.safetensors").code == 0
    assert ins.load(tmp_path / "model.safetensors").head.classes == 5


def test_names_that_several_implementations_have_are_warned_of(command: Command, tmp_path: Path) -> None:
    theirs = ins.export_weights(ins.compile("inception_v3@timm", num_classes=7, seed=0), "timm")
    torch.save(theirs, tmp_path / "flowers.pth")
    said = command("convert", "flowers.pth", "-o", "model.safetensors")
    assert said.code == 0
    assert said.err.startswith("warning: the tensors have the names of torchvision, and of timm and fid as well; ")
    assert "(torchvision: resize 342, interpolation bilinear; timm: resize 341, interpolation bicubic; " in said.err
    assert "use --network inception_v3@torchvision, inception_v3@timm or inception_v3@fid" in said.err
    stated = command("convert", "flowers.pth", "--network", "inception_v3@timm", "-o", "timm.safetensors")
    assert (stated.code, stated.err) == (0, "")
    assert ins.load(tmp_path / "timm.safetensors").preprocess == ins.load("inception_v3@timm").preprocess


def test_the_background_of_1001_classes_is_still_dropped(command: Command, tmp_path: Path) -> None:
    theirs = weights("inception_v1", "slim")
    for name in ("weights", "biases"):
        whole = f"InceptionV1/Logits/Conv2d_0c_1x1/{name}"
        theirs[whole] = torch.cat([theirs[whole][..., :1], theirs[whole]], -1)
    save_file({name: tensor.contiguous() for name, tensor in theirs.items()}, tmp_path / "slim.safetensors")
    said = command("convert", "slim.safetensors", "-o", "model.safetensors")
    assert "background" in said.out
    assert ins.load(tmp_path / "model.safetensors").head.classes == 1000


def test_faces_stay_embeddings(command: Command, shelf: Path, tmp_path: Path) -> None:
    take(shelf, "facenet.pth", tmp_path)
    said = command("convert", "facenet.pth")
    assert "not used, of head, which is not built: logits.weight, logits.bias" in said.out


def test_auxiliary_weights_for_a_network_that_has_no_such_heads(
    command: Command, googlenet: dict[str, Tensor], tmp_path: Path
) -> None:
    text = ins.to_yaml(ins.load("inception_v1@torchvision")).partition("\naux:")[0]
    (tmp_path / "headless.yaml").write_text(text)
    said = command("convert", "googlenet.pth", "--network", "headless.yaml", "-o", "model.safetensors")
    assert said.code == 0
    assert "not used, of aux.aux1, which is not built" in said.out


def test_an_own_network_by_its_document(command: Command, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    module = shaken(ins.compile(SMALL, aux=True))
    torch.save(module.state_dict(), tmp_path / "state.pth")
    assert command("convert", "state.pth", "--network", "small.yaml", "-o", "model.safetensors").code == 0
    assert same_state(ins.load_model(tmp_path / "model.safetensors").state_dict(), module.state_dict())
    assert command("convert", "model.safetensors", "-o", "again.safetensors").code == 0
    assert same_state(ins.load_model(tmp_path / "again.safetensors").state_dict(), module.state_dict())


def test_a_network_that_computes_something_else_is_warned_of(command: Command, shelf: Path, tmp_path: Path) -> None:
    take(shelf, "slim.safetensors", tmp_path)
    said = command("convert", "slim.safetensors", "--network", "inception_v1@torchvision")
    assert said.code == 0
    assert said.err.startswith("warning: slim's weights in inception_v1@torchvision compute something else")
    assert said.err.count("\n") == 1
    said = command("convert", "slim.safetensors", "--to", "torchvision", "-o", "torchvision.pth")
    assert said.code == 0
    assert said.err.startswith(
        "warning: torchvision will compute something else with these weights than inception_v1@slim"
    )
    assert command("convert", "slim.safetensors").err == ""


@pytest.mark.slow
def test_keras_to_timm_and_back(command: Command, tmp_path: Path) -> None:
    theirs = weights("inception_v3", "keras")
    save_file(theirs, tmp_path / "keras.safetensors")
    said = command("convert", "keras.safetensors", "--to", "timm", "-o", "timm.pth")
    assert said.code == 0
    assert "count_pad" in said.err
    said = command("convert", "timm.pth", "--network", "inception_v3@timm", "--to", "keras", "-o", "keras.weights.h5")
    assert said.code == 0
    assert "warning" in said.err
    back = ins.compile("inception_v3@keras", weights=tmp_path / "keras.weights.h5")
    assert same_state(back.state_dict(), ins.compile("inception_v3@keras", weights=theirs).state_dict())


# What is refused ---------------------------------------------------------------------------------------------


class Bomb:
    """Pickles as a call that leaves a file behind."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch canary",)


def model_with(document: str) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        state = {key: value.contiguous() for key, value in ins.compile(SMALL).state_dict().items()}
        save_file(state, path, {DOCUMENT: document, DIGEST: digest(state)})

    return write


FILES: dict[str, Callable[[Path], object]] = {
    "bomb.pth": lambda path: torch.save({"weight": torch.ones(1), "x": Bomb()}, path),
    "googlenet.pth": lambda path: torch.save(weights("inception_v1", "torchvision"), path),
    "slim.safetensors": lambda path: save_file(weights("inception_v1", "slim"), path),
    "strange.pth": lambda path: torch.save({"encoder.weight": torch.ones(1)}, path),
    "facenet.pth": lambda path: torch.save(
        weights("inception_resnet_v1", "facenet")
        | {"logits.weight": torch.zeros(9, 512), "logits.bias": torch.zeros(9)},
        path,
    ),
    "slim.pth": lambda path: torch.save(weights("inception_v1", "slim"), path),
    "text.pth": lambda path: path.write_text("hello"),
    "empty.pth": lambda path: path.write_bytes(b""),
    "path.safetensors": model_with("inception_v1"),
    "broken.safetensors": model_with("schema: inception-search/network\nversion: 1\nname: 7\n"),
}
REFUSED: list[tuple[list[str], list[str]]] = [
    (["missing.pth"], ["missing.pth"]),
    (["bomb.pth"], ["bomb.pth"]),
    (["text.pth"], ["text.pth"]),
    (["empty.pth"], ["empty.pth"]),
    (["strange.pth"], ["strange.pth", "encoder.weight", "name the network with --network"]),
    (["strange.pth", "--network", "inception_v1"], ["strange.pth", "encoder.weight", "inception_v1"]),
    (["slim.pth", "--network", "inception_v9"], ["unknown network", "did you mean 'inception_v"]),
    (["slim.pth", "--network", "none.yaml"], ["none.yaml"]),
    (["slim.pth", "--network", "inception_v1@slym"], ["dialect", "did you mean 'slim'"]),
    (
        ["facenet.pth", "--network", "inception_v1"],
        ["facenet.pth", "another network", "use --network inception_resnet_v1@facenet for them"],
    ),
    (["slim.pth", "--network", "inception_v1"], ["slim.pth", "use --network inception_v1@slim for them"]),
    (["slim.pth", "-o", "model.bin"], ["'model.bin'", "expected 'model.safetensors'", "--to"]),
    (["slim.pth", "--to", "slim", "-o", "out.onnx"], ["'out.onnx'", ".safetensors", ".pth"]),
    (["slim.pth", "--to", "slym", "-o", "out.pth"], ["implementation of inception_v1", "did you mean 'slim'"]),
    (["slim.pth", "--to", "keras", "-o", "out.pth"], ["implementation of inception_v1", "slim, torchvision"]),
    (["slim.pth", "-o", "no/such/out.safetensors"], ["there is no such folder to write to, got 'no/such'; make it"]),
    (["none.pth", "-o", "no/such/out.safetensors"], ["there is no such folder"]),  # before anything is read
    (["slim.pth", "--to", "slim", "-o", "no/such/out.pth"], ["there is no such folder"]),
    (["slim.pth", "--network", "slim.pth"], ["this is a file of weights, not a network"]),
    (["path.safetensors"], ["path.safetensors"]),
    (["broken.safetensors"], ["broken.safetensors"]),
]


# Files and networks that are there and do not go together; all else is a value that cannot be.
UNUSABLE = {
    ("strange.pth", "--network", "inception_v1"),
    ("facenet.pth", "--network", "inception_v1"),
    ("slim.pth", "--network", "inception_v1"),
    ("slim.pth", "--network", "slim.pth"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED, ids=[" ".join(arguments) for arguments, _ in REFUSED])
def test_bad_input_is_one_paragraph(
    command: Command, shelf: Path, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    if arguments[0] in FILES:
        take(shelf, arguments[0], tmp_path)
    before = sorted(tmp_path.iterdir())
    said = command("convert", *arguments)
    unusable = (len(arguments) == 1 and arguments[0] in FILES) or tuple(arguments) in UNUSABLE
    assert said.code == (FAILED if unusable else NOT_POSSIBLE)
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    assert [word for word in words if word not in said.err] == []
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [["x.pth", "--classes", "-1"], ["x.pth", "--classes", "many"], ["--frm", "x"], ["x.pth", "--in-channels", "0"]],
)
def test_wrong_usage(command: Command, arguments: list[str]) -> None:
    assert command("convert", *arguments).code == USAGE
