"""Model files: what is saved comes back whole, or not at all."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

import inception_search as ins
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import ArgumentError, ConfigError, DocumentError, LimitError, WeightsError
from inception_search.spec.safetensors_header import DOCUMENT
from inception_search.weights.checkpoint import DIGEST, digest
from inception_search.weights.export import write_weights
from inception_search.weights.load import DialectWarning
from tests.weights.small_network import SMALL, shaken
from tests.weights.their_weights import same_state

ONE_STAGE = "schema: inception-search/network\nversion: 1\nname: one\nstages: {module: 3x3 4}\nhead: {classifier: none}"


def made(text: str = SMALL, **options: object) -> NetworkModule:
    return shaken(ins.compile(text, **options))  # type: ignore[arg-type]


def metadata(path: Path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        found: dict[str, str] = file.metadata()
    return found


def write(path: Path, tensors: dict[str, Tensor], document: str) -> Path:
    """A model file that anyone could write: with a right digest."""
    save_file(tensors, path, {DOCUMENT: document, DIGEST: digest(tensors)})
    return path


# There and back --------------------------------------------------------------------------------------------------

MODELS: dict[str, Callable[[], NetworkModule]] = {
    "a document": made,
    "auxiliary heads": lambda: made(aux=True),
    "scaled": lambda: made(aux=True, width=0.5, depth=2.0, num_classes=3, in_channels=1, input_size=(20, 24)),
    "no head": lambda: made(num_classes=0, global_pool="none"),
    "a stage like a prefix": lambda: made(ONE_STAGE),
    "no gamma": lambda: made(SMALL.replace("blocks:", "conv_defaults: {norm: {gamma: false}}\nblocks:")),
    "a dialect": lambda: made("inception_v1@slim", width=0.125, input_size=64, stem_stride=2),
    "frozen": lambda: made(aux=True).freeze(until="module"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_whole(tmp_path: Path, name: str) -> None:
    module = MODELS[name]()
    found = ins.load_model(ins.save_model(module, tmp_path / "model.safetensors"))
    assert found.network == module.network
    assert same_state(found.state_dict(), module.state_dict())
    assert not found.training
    x = torch.randn(2, *module.network.input.shape)
    assert torch.equal(found(x), module(x))
    if module.network.aux:
        found.get_submodule("aux").training = module.get_submodule("aux").training = True
        assert all(torch.equal(one, other) for one, other in zip(found(x), module(x), strict=True))
        assert isinstance(found(x), tuple)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_dtype_comes_back_too(tmp_path: Path, dtype: torch.dtype) -> None:
    module = made(aux=True).to(dtype)
    module.get_submodule("head.classifier").float()  # one part of another
    found = ins.load_model(ins.save_model(module, tmp_path / "model.safetensors"))
    assert same_state(found.state_dict(), module.state_dict())
    whole = made().to(dtype)
    found = ins.load_model(ins.save_model(whole, tmp_path / "whole.safetensors"))
    x = torch.randn(2, 3, 16, 16, dtype=dtype)
    assert torch.equal(found(x), whole(x))


def test_the_file_is_plain_safetensors_under_our_keys(tmp_path: Path) -> None:
    module = made(aux=True)
    path = ins.save_model(module, tmp_path / "model.safetensors")
    assert all(torch.equal(t, module.state_dict()[k]) for k, t in safetensors.torch.load_file(path).items())
    assert ins.load(metadata(path)[DOCUMENT]) == module.network


def test_the_report_names_the_file(tmp_path: Path) -> None:
    path = ins.save_model(made(), tmp_path / "model.safetensors")
    report = ins.load_model(path).loaded
    assert (report.file, report.fresh, dict(report.unused)) == (str(path), (), {})


def test_the_document_is_read_without_torch(tmp_path: Path) -> None:
    path = ins.save_model(made(), tmp_path / "model.safetensors")
    code = f"import sys, inception_search as ins; print(ins.load({str(path)!r}).name, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["small", "False"]


def test_compile_takes_a_model_with_its_weights(tmp_path: Path) -> None:
    module = made()
    path = ins.save_model(module, tmp_path / "model.safetensors")
    assert same_state(ins.compile(path).state_dict(), module.state_dict())
    tuned = ins.compile(str(path), num_classes=2)
    assert set(tuned.loaded.fresh) == {"head.classifier.weight", "head.classifier.bias"}
    assert torch.equal(tuned.state_dict()["stem.conv.weight"], module.state_dict()["stem.conv.weight"])
    other = ins.compile(SMALL, seed=5)
    assert same_state(ins.compile(path, weights=other.state_dict()).state_dict(), other.state_dict())


def test_equal_models_are_equal_files(tmp_path: Path) -> None:
    module = made()
    files = [ins.save_model(module, tmp_path / f"{number}.safetensors").read_bytes() for number in range(4)]
    assert len(set(files)) == 1


def test_the_names_of_classes_come_back(tmp_path: Path) -> None:
    """Also into a network with auxiliary classifiers, which the file does not have."""
    names = ("été", "no UTF-8: \udcff")  # as Python reads the names of such folders
    model = ins.compile("inception_v1", num_classes=2, width=0.05)
    model.classes = names
    file = ins.save_model(model, tmp_path / "model.safetensors")
    assert ins.load_model(file).classes == names
    assert ins.compile("inception_v1", num_classes=2, width=0.05, aux=True, weights=file).classes == names


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ins.save_model(made(), tmp_path / "model.safetensors")
    old = path.read_bytes()

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", broken)
        with pytest.raises(ins.InceptionSearchError):
            ins.save_model(made(num_classes=2), path)
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]
    ins.save_model(made(num_classes=2), path)
    assert ins.load_model(path).network.head.classes == 2


@pytest.mark.parametrize("folder", ["missing", "a/file"])
def test_a_folder_that_is_none_is_named(tmp_path: Path, folder: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_text("")
    path = tmp_path / folder / "x.safetensors"
    for write_it in (lambda: ins.save_model(made(), path), lambda: write_weights({"a": torch.zeros(1)}, path)):
        with pytest.raises(WeightsError, match="there is no such folder to write to, got") as caught:
            write_it()
        assert caught.value.found == str(path.parent)
        assert "run" not in str(caught.value).replace(str(path), "").replace(str(path.parent), "")


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_refuses_is_no_matter_of_run_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def broken(*_: object) -> None:
        raise OSError(code, "refused")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(WeightsError) as caught:
        ins.save_model(made(), tmp_path / "x.safetensors")
    assert str(caught.value).startswith(f"{tmp_path / 'x.safetensors'}: ")
    assert "run folder" not in str(caught.value)
    assert "search" not in str(caught.value)


def test_only_compiled_networks_are_saved(tmp_path: Path) -> None:
    with pytest.raises(
        ArgumentError, match=r"of save_model\(\), .*expected a model.*give the module that compile returned"
    ):
        ins.save_model(torch.nn.Linear(1, 1), tmp_path / "x.safetensors")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


# Damaged, foreign, hostile ---------------------------------------------------------------------------------------


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return ins.save_model(made(aux=True), tmp_path / "model.safetensors")


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.1, 0.5, 0.9, 0.9999])
def test_a_truncated_file_is_refused(model: Path, kept: float) -> None:
    content = model.read_bytes()
    model.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(WeightsError) as caught:
        ins.load_model(model)
    assert str(caught.value).startswith(str(model))


@pytest.mark.parametrize("place", [0.2, 0.5, 0.8, 0.999])
def test_a_flipped_bit_is_found(model: Path, place: float) -> None:
    content = bytearray(model.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    content[start + int(place * (len(content) - start))] ^= 1
    model.write_bytes(content)
    with pytest.raises(WeightsError, match=r"digest differs; .*again") as caught:
        ins.load_model(model)
    assert str(caught.value).startswith(str(model))


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    state = made().state_dict()
    save_file(state, tmp_path / "plain.safetensors")
    torch.save(state, tmp_path / "state.pth")
    for path in (tmp_path / "plain.safetensors", tmp_path / "state.pth"):
        with pytest.raises(
            WeightsError, match=r"has weights, but no document.*written by save_model.*weights="
        ) as caught:
            ins.load_model(path)
        assert str(caught.value).startswith(str(path))
    with pytest.raises(WeightsError):
        ins.load_model(tmp_path / "missing.safetensors")


def test_without_a_digest_it_is_not_ours(tmp_path: Path) -> None:
    module = made()
    save_file(module.state_dict(), tmp_path / "x.safetensors", {DOCUMENT: ins.to_yaml(module.network)})
    with pytest.raises(WeightsError, match="digest"):
        ins.load_model(tmp_path / "x.safetensors")


NESTED = "stages: {a: " + "{concat: [identity, " * 400 + "3x3 4" + "]}" * 400 + "}"
HOSTILE: dict[str, tuple[str, type[Exception]]] = {
    "too wide": (SMALL.replace("stem: 3x3 12", "stem: 3x3 99999999999"), DocumentError),
    "too long": (SMALL.replace("2 x unit", "999999999 x unit"), DocumentError),
    "too deep": (SMALL.replace("stages:", NESTED + "\nmore:"), DocumentError),
    "too large a text": (SMALL + "#" * 10_000_000, LimitError),
    "aliases": (SMALL + "x: &a [1]\ny: [*a, *a]\n", DocumentError),
    "a python object": (SMALL + "x: !!python/object/apply:os.system ['touch canary']\n", DocumentError),
    "no network": ("hello", DocumentError),
    "a path": ("inception_v1", DocumentError),
    "of other weights": (SMALL.replace("stem: 3x3 12", "stem: 3x3 16"), WeightsError),
    "of more than there is": (SMALL.replace("top: 3x3 16", "top: 3x3 60000"), WeightsError),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    document, error = HOSTILE[name]
    path = write(tmp_path / "model.safetensors", made(aux=True).state_dict(), document)
    with pytest.raises(error) as caught:
        ins.load_model(path)
    assert str(path) in str(caught.value)
    assert not (tmp_path / "canary").exists()


def test_nothing_is_allocated_for_a_document_of_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inception_search.weights import model_file

    monkeypatch.setattr(model_file, "build", lambda *_, **__: pytest.fail("built"))
    path = write(tmp_path / "model.safetensors", made(aux=True).state_dict(), HOSTILE["of more than there is"][0])
    with pytest.raises(WeightsError, match=r"larger network than the weights, got [\d,]+ numbers; expected [\d,]+"):
        ins.load_model(path)


@pytest.mark.parametrize("edit", ["no aux in the file", "aux only in the file"])
def test_weights_and_document_belong_together(tmp_path: Path, edit: str) -> None:
    with_aux, without = made(aux=True, num_classes=99), made(num_classes=99)
    # more numbers than parameters, so that only what is where decides
    tensors, document = (without, with_aux) if edit == "no aux in the file" else (with_aux, without)
    state = dict(tensors.state_dict())
    if edit == "no aux in the file":
        state["head.surplus"] = torch.zeros(100_000)
    path = write(tmp_path / "model.safetensors", state, ins.to_yaml(document.network))
    with pytest.raises(WeightsError) as caught:
        ins.load_model(path)
    assert str(caught.value).startswith(str(path))


def test_a_header_that_lies_is_refused(model: Path) -> None:
    content = model.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["stem.conv.weight"]["shape"] = [12, 3, 3, 300]
    text = json.dumps(header).encode()
    model.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
    with pytest.raises(WeightsError, match="damaged"):
        ins.load_model(model)


def test_a_module_changed_after_compile_is_not_saved(tmp_path: Path) -> None:
    module = made()
    module.get_submodule("head").add_module("classifier", torch.nn.Linear(16, 3))
    with pytest.raises(WeightsError, match=r"no longer matches its document.*head\.classifier\.weight.*num_classes="):
        ins.save_model(module, tmp_path / "model.safetensors")
    assert not (tmp_path / "model.safetensors").exists()


def test_weights_of_a_damaged_model_are_not_taken(tmp_path: Path) -> None:
    path = ins.save_model(made(), tmp_path / "model.safetensors")
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"model\.safetensors: .*digest differs"):
        ins.compile(SMALL, weights=path)


def test_weights_of_another_dialect_of_our_own_warn(tmp_path: Path) -> None:
    path = ins.save_model(ins.compile("bn_inception@slim_gamma", width=0.25), tmp_path / "slim.safetensors")
    images = r"prepared differently: scale 255 here and 1 in the file, order bgr here and rgb in the file"
    document = "saved with another document.*conv1.0.conv has padding"
    with pytest.warns(DialectWarning, match=images), pytest.warns(DialectWarning, match=document):
        ins.compile("bn_inception@paper_576", width=0.25, weights=path)
    ins.compile("bn_inception@slim_gamma", width=0.25, weights=path, num_classes=3)  # no warning


@pytest.mark.parametrize("name", ["ft.pth", "model", "model.bin", "a.weights.h5", "b.SAFETENSORS"])
def test_a_name_that_says_another_format_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"saved in a \.safetensors file, got .*; expected '[A-Za-z.]+\.safetensors'; .*torch"
    ):
        ins.save_model(made(), tmp_path / name)
    assert not list(tmp_path.iterdir())
