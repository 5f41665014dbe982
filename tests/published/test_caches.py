"""Files are found where the packages that publish them keep them, and their settings of that place are honoured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import inception_search as ins
from inception_search.published.caches import address, checkpoint_in

TORCHVISION, FACENET = "inception_v3@torchvision", "inception_resnet_v1@facenet"
KERAS, TIMM, SLIM = "inception_v3@keras", "inception_v4@timm", "inception_v1@slim"
PLACES = {
    TORCHVISION: ".cache/torch/hub/checkpoints/inception_v3_google-0cc3c7bd.pth",
    FACENET: ".cache/torch/checkpoints/20180402-114759-vggface2.pt",
    KERAS: ".keras/models/inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
    TIMM: ".cache/huggingface/hub/models--timm--inception_v4.tf_in1k",
    SLIM: ".cache/inception-search/weights/inception_v1_2016_08_28",
}
MOVED = [
    (TORCHVISION, "TORCH_HOME", "hub/checkpoints"),
    (FACENET, "TORCH_HOME", "checkpoints"),
    (KERAS, "KERAS_HOME", "models"),
    (TIMM, "HF_HOME", "hub"),
    (TIMM, "HF_HUB_CACHE", ""),
    (TORCHVISION, "XDG_CACHE_HOME", "torch/hub/checkpoints"),
    (TIMM, "XDG_CACHE_HOME", "huggingface/hub"),
    (SLIM, "XDG_CACHE_HOME", "inception-search/weights"),
]


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"weights")
    return path


@pytest.mark.parametrize("network", PLACES)
def test_the_default_places(home: Path, network: str) -> None:
    row = ins.published_weights(network)[0]
    assert row.location == home / PLACES[network]
    assert row.path is None


@pytest.mark.parametrize(("network", "variable", "inside"), MOVED)
def test_the_settings_of_each_package(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str, variable: str, inside: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "set"))
    assert ins.published_weights(network)[0].location.parent == tmp_path / "set" / inside


def test_a_folder_that_a_program_set_for_torch_hub(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr("torch.hub._hub_dir", None)
    torch.hub.set_dir(tmp_path / "hub")
    assert ins.published_weights(TORCHVISION)[0].location.parent == tmp_path / "hub" / "checkpoints"


FOUND: dict[str, Callable[[Path], Path]] = {
    TORCHVISION: lambda place: put(place),
    FACENET: lambda place: put(place),
    KERAS: lambda place: put(place),
    TIMM: lambda place: put(place / "snapshots" / "a1b2" / "model.safetensors"),
    SLIM: lambda place: put(place / "inception_v1.ckpt"),
}


@pytest.mark.parametrize("network", FOUND)
def test_a_file_in_its_cache_is_found(home: Path, network: str) -> None:
    row = ins.published_weights(network)[0]
    assert row.path is None
    path = FOUND[network](row.location)
    assert row.path == path
    assert row.to_dict()["path"] == str(path)


def test_the_snapshot_of_the_main_branch_comes_first(home: Path) -> None:
    row = ins.published_weights(TIMM)[0]
    for commit in ("aaaa", "bbbb"):
        put(row.location / "snapshots" / commit / row.file)
    put(row.location / "refs" / "main").write_text("bbbb\n")
    assert row.path == row.location / "snapshots" / "bbbb" / row.file


@pytest.mark.parametrize("name", ["a.ckpt", "a.ckpt.index"])
def test_checkpoints_of_both_versions(tmp_path: Path, name: str) -> None:
    put(tmp_path / "inside" / name)
    assert checkpoint_in(tmp_path) == tmp_path / "inside" / "a.ckpt"


def test_another_server_of_the_hub(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    timm, torchvision = (ins.published_weights(name)[0] for name in (TIMM, TORCHVISION))
    assert address(timm) == "https://mirror.example/timm/inception_v4.tf_in1k/resolve/main/model.safetensors"
    assert address(torchvision) == torchvision.url
