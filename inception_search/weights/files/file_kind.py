"""Detection of the kind of a weight file from its content, never from the extension of its name."""

from __future__ import annotations

from pathlib import Path

from inception_search.errors import WeightsError, raw
from inception_search.weights.files.tensorflow_file import is_table, tensorflow_prefix

_KINDS = "safetensors, PyTorch (.pt, .pth), Keras (.h5, .weights.h5, .keras) or TensorFlow checkpoints"
_LOOKS = {
    b"version https://git-lfs": "a Git LFS pointer: the weights themselves were not downloaded (run 'git lfs pull')",
    b"<!DOCTYPE": "a web page: the download answered with an error or a login page",
    b"<!doctype": "a web page: the download answered with an error or a login page",
    b"<html": "a web page: the download answered with an error or a login page",
    b"\x1f\x8b": "a gzip archive: unpack it first",
    b"\x93NUMPY": "a single numpy array",
    b"GGUF": "a GGUF file",
    b"{": "JSON text",
}


def kind_of(path: Path) -> str:
    """``"safetensors"``, ``"zip"`` (PyTorch or Keras), ``"pickle"`` (old PyTorch), ``"hdf5"`` or ``"tensorflow"``.

    Raises WeightsError if there is no such file, it cannot be read, or it is none of these.
    """
    if tensorflow_prefix(path) is not None:
        return "tensorflow"
    if path.is_dir():
        found = raw(", ".join(sorted(inside.name for inside in path.iterdir())[:5]) or "nothing in it")
        raise WeightsError("this is a folder", found=found, expected="a weight file", hint="name the file inside it")
    if not path.exists():
        raise WeightsError("there is no such file", hint="check the path")
    if not path.is_file():  # reading a pipe or a device might never end
        raise WeightsError("this is not a regular file", expected="a weight file")
    return _kind_of_content(path)


def _kind_of_content(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        raise WeightsError("the file is empty", hint="fetch it again")
    kind = _kind_of_head(head)
    if kind is None and is_table(path):
        kind = "tensorflow"
    if kind is None:
        found = raw(_looks(head))
        raise WeightsError("this is not a weight file of a known kind", found=found, expected=_KINDS)
    return kind


def _kind_of_head(head: bytes) -> str | None:
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "hdf5"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    pickled = head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
    if head[8:9] == b"{" and (not pickled or head[4:8] == b"\0\0\0\0"):
        return "safetensors"
    return "pickle" if pickled else None


def _looks(head: bytes) -> str:
    look = next((text for start, text in _LOOKS.items() if head.startswith(start)), None)
    if look is None and head[257:262] == b"ustar":
        look = "a tar archive: unpack it first"
    return f"{look} (it begins with {head[:16]!r})" if look else f"a file that begins with {head[:16]!r}"
