"""One safe way from any weight file, or a state dict in memory, to named tensors on the CPU."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from inception_search.errors import WeightsError, raw
from inception_search.spec.safetensors_header import DOCUMENT
from inception_search.weights.files.contents import Contents, admitted
from inception_search.weights.files.file_kind import kind_of
from inception_search.weights.files.keras_file import WEIGHTS, read_hdf5, read_keras_zip
from inception_search.weights.files.safetensors_file import read_safetensors
from inception_search.weights.files.state_dict import read_state_dict, without_prefixes
from inception_search.weights.files.tensorflow_file import read_tensorflow
from inception_search.weights.files.torch_file import read_torch_pickle, read_torch_zip
from inception_search.weights.files.zip_checks import checked_zip_names

_LONGEST_NAME = 200


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by the names of their file and in its order, with the layouts of the framework that wrote it.

    ``kind`` is ``"safetensors"``, ``"torch"``, ``"keras"``, ``"tensorflow"`` or ``"state_dict"`` (from memory);
    ``metadata`` is the header metadata of a safetensors file; ``left_out`` names the entries that are not weights, such
    as an optimizer's state.
    """

    tensors: Mapping[str, torch.Tensor]
    file: str | None
    kind: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def read_checkpoint(source: str | Path | Mapping[str, Any], *, max_bytes: int = 16 * 2**30) -> Checkpoint:
    """Read the weights in a state dict or a file of any supported kind, detected by its content; no code in it is run.

    Dtypes are preserved. Raises only WeightsError: if the source is missing, damaged, hostile, of an unknown kind, or
    holds more than ``max_bytes`` of tensors.
    """
    file = str(source) if isinstance(source, str | Path) else None
    try:
        contents = _read(source, max_bytes)
        tensors = admitted(contents.tensors, max_bytes)
    except WeightsError as error:
        raise _printable(error).at(file=file) from None
    except Exception as error:  # a damaged or hostile file can make a reader raise anything
        found, hint = raw(f"{type(error).__name__}: {error}"), "fetch the file again from where it was published"
        raise _printable(WeightsError("the file cannot be read", found=found, hint=hint)).at(file=file) from error
    return Checkpoint(tensors, file, contents.kind, contents.metadata, contents.left_out)


def _read(source: object, max_bytes: int) -> Contents:
    if isinstance(source, Mapping):
        return read_state_dict(source)
    if isinstance(source, str | Path):
        return _READERS[kind_of(Path(source))](Path(source), max_bytes)
    found, hint = type(source).__name__, "give a path or model.state_dict()"
    raise WeightsError("weights cannot be read from this", found=found, hint=hint)


def _printable(error: WeightsError) -> WeightsError:
    """``error`` with control characters in names from the file escaped, because a terminal would act on them."""
    if error.path is not None:
        error.place = replace(error.place, path=printable(error.path))
    if isinstance(error.found, str):
        error.found = type(error.found)(_escaped(error.found))
    return error


def printable(name: str) -> str:
    """A name from a file, shortened and with its control characters escaped, for display."""
    return _escaped(name[:_LONGEST_NAME])


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _read_zip(path: Path, max_bytes: int) -> Contents:
    names = checked_zip_names(path, max_bytes)
    if WEIGHTS in names:
        return read_keras_zip(path, names, max_bytes)
    if any(name.endswith("/data.pkl") for name in names):
        return read_torch_zip(path, names)
    found = raw(", ".join(names[:5]) or "nothing in it")
    expected = f"data.pkl of PyTorch or {WEIGHTS} of Keras in it"
    raise WeightsError("the zip file holds no weights of a known kind", found=found, expected=expected)


_READERS: dict[str, Callable[[Path, int], Contents]] = {
    "safetensors": read_safetensors,
    "zip": _read_zip,
    "pickle": read_torch_pickle,
    "hdf5": read_hdf5,
    "tensorflow": read_tensorflow,
}


DIGEST = "inception_search.sha256"


def check_digest(checkpoint: Checkpoint) -> None:
    """Raise :class:`WeightsError` if the weights of a saved model do not match the digest in its metadata."""
    if DOCUMENT in checkpoint.metadata and checkpoint.metadata.get(DIGEST, "") != digest(checkpoint.tensors):
        rule, hint = "the weights are not those that were saved: their digest differs", "fetch the file again"
        raise WeightsError(rule, hint=f"{hint}, or save the model again").at(file=checkpoint.file)


def digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of all names (without wrapper prefixes), dtypes, shapes and values."""
    total = hashlib.sha256()
    for name, value in sorted(without_prefixes(tensors).items()):
        tensor = value.contiguous()
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
