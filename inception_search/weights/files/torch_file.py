"""Reader of PyTorch's ``.pt``, ``.pth`` and ``.bin`` files that runs no code named in their pickles.

It uses PyTorch's ``weights_only`` reader. That reader still accepts damaged numbers and tensors that claim a huge
size; the checks here, in :mod:`.zip_checks` and in :mod:`.contents` reject these.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from inception_search.errors import WeightsError, raw
from inception_search.weights.files.contents import Contents, check_total
from inception_search.weights.files.pickle_checks import LARGEST_PICKLE, check_pickle, too_large
from inception_search.weights.files.state_dict import read_state_dict

_PICKLES = 5  # pickles before the data in the old format: magic number, version, system info, object, storage keys
_HINT = "get the file as safetensors, or from where it was published"


def read_torch_zip(path: Path, names: list[str]) -> Contents:
    """The state dict in a zip file of PyTorch whose entries ``names`` are already checked.

    The tensors are memory-mapped from the file, not copied: do not write to it while they are in use.
    """
    if any("/code/" in name or name.endswith("/constants.pkl") for name in names):
        rule = "this is a TorchScript archive: it holds a program, not only weights"
        raise WeightsError(rule, hint="load it with torch.jit.load if you trust it, and save its state_dict()")
    with zipfile.ZipFile(path) as archive:
        pickles = [name for name in names if name.endswith("/data.pkl")]
        if (size := sum(archive.getinfo(name).file_size for name in pickles)) > LARGEST_PICKLE:
            raise too_large(size)
        for name in pickles:
            check_pickle(io.BytesIO(archive.read(name)))
    # Memory mapping is also safer: a copied storage may claim to be larger than its data in the file.
    return read_state_dict(_load(path, mmap=True), "torch")


def read_torch_pickle(path: Path, max_bytes: int) -> Contents:
    """The state dict in a file of PyTorch before 1.6; raises WeightsError for any other pickle."""
    check_total(path.stat().st_size, max_bytes)
    with path.open("rb") as file:
        check_pickle(file, _PICKLES)
    return read_state_dict(_load(path, mmap=False), "torch")


def _load(path: Path, *, mmap: bool) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the warnings address the author of the file, not its reader
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except Exception as error:  # a damaged or hostile file can make the reader raise anything
        raise _refusal(error) from None


def _refusal(error: Exception) -> WeightsError:
    """The error for a failed load. PyTorch's own message is dropped, because it suggests running the file."""
    text = str(error)
    if named := re.search(r"GLOBAL (\w[\w.]*)", text):
        rule = "the file contains code that would run on loading; none of it was run"
        hint = f"save your own model with torch.save(model.state_dict(), 'weights.pth'); of others' files, {_HINT}"
        return WeightsError(rule, found=named[1], expected="tensors by name", hint=hint)
    detail = text.split("WeightsUnpickler error:")[-1].strip().split("\n")[0] or "unexpected end of the file"
    rule = "the PyTorch file is damaged, cut off or not of weights; nothing of it was run"
    return WeightsError(rule, found=raw(f"{type(error).__name__}: {detail}"), hint=_HINT)
