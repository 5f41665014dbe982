"""Where each ecosystem keeps its downloaded weights, so that a file is shared with it in both directions."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

HUB = "https://huggingface.co"
_CHECKPOINTS = ("*.ckpt", "*.ckpt.index")  # TensorFlow's checkpoints, versions 1 and 2


class Kept(Protocol):
    """A file with its address, and the name of the cache that it is kept in."""

    @property
    def file(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def cache(self) -> str: ...


def location(row: Kept) -> Path:
    """The file of ``row`` in its cache, if it is there or not; for TF-slim, the folder of its unpacked archive."""
    return _FOLDERS[row.cache]() / _name(row)


def find(row: Kept) -> Path | None:
    """The file of ``row`` in its cache; None if it is not there."""
    place = location(row)
    if row.cache == "own":
        return checkpoint_in(place)
    if row.cache == "Hugging Face hub":
        place = next(_snapshots(place, row.file), place / row.file)
    return place if place.is_file() else None


def address(row: Kept) -> str:
    """The URL of ``row``, on the server in ``HF_ENDPOINT`` if it is one of the Hugging Face hub."""
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/")
    return row.url.replace(HUB, endpoint, 1) if endpoint and row.cache == "Hugging Face hub" else row.url


def checkpoint_in(folder: Path) -> Path | None:
    """The TensorFlow checkpoint in a folder, without the suffix of its index; None without one."""
    found = sorted(path for pattern in _CHECKPOINTS for path in folder.rglob(pattern))
    return found[0].with_name(found[0].name.removesuffix(".index")) if found else None


def _name(row: Kept) -> str:
    if row.cache == "own":
        return row.file.removesuffix(".tar.gz")
    if row.cache == "Hugging Face hub":
        user, repository = urlsplit(row.url).path.split("/")[1:3]
        return f"models--{user}--{repository}"
    return row.file


def _snapshots(repository: Path, file: str) -> Iterator[Path]:
    """``file`` in each snapshot of a repository of the hub's cache, that of the main branch first."""
    main = repository / "refs" / "main"
    if main.is_file():
        yield from _existing(repository / "snapshots" / main.read_text(encoding="utf-8").strip() / file)
    for other in sorted(repository.glob(f"snapshots/*/{file}")):
        yield from _existing(other)


def _existing(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path


def _user_cache() -> Path:
    configured = os.environ.get("XDG_CACHE_HOME", "")
    return Path(configured) if Path(configured).is_absolute() else Path.home() / ".cache"


def _configured(name: str) -> Path | None:
    value = os.environ.get(name, "")
    return Path(value).expanduser() if value else None


def _torch_home() -> Path:
    return _configured("TORCH_HOME") or _user_cache() / "torch"


def _torch_hub() -> Path:
    """The checkpoints of ``torch.hub``, whose folder a program can set."""
    torch = sys.modules.get("torch")
    hub = getattr(torch, "hub", None)
    return (Path(hub.get_dir()) if hub is not None else _torch_home() / "hub") / "checkpoints"


def _hugging_face() -> Path:
    configured = _configured("HF_HUB_CACHE") or _configured("HUGGINGFACE_HUB_CACHE")
    return configured or (_configured("HF_HOME") or _user_cache() / "huggingface") / "hub"


def _keras() -> Path:
    return (_configured("KERAS_HOME") or Path.home() / ".keras") / "models"


_FOLDERS: dict[str, Callable[[], Path]] = {
    "torch hub": _torch_hub,
    "torch home": lambda: _torch_home() / "checkpoints",
    "Hugging Face hub": _hugging_face,
    "Keras": _keras,
    "own": lambda: _user_cache() / "inception-search" / "weights",
}
