"""The header of a safetensors file: its metadata and the names of its tensors, read without torch.

A safetensors file has eight bytes with the length of its header, the header (JSON), and the data of the tensors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inception_search.errors import WeightsError, raw

DOCUMENT = "inception_search.document"  # the metadata that holds the document of a whole model
CLASSES = "inception_search.classes"  # the metadata that holds the names of the classes, a JSON list of texts
_LARGEST = 1 << 24  # bytes of header, read in 0.2 s; the largest networks have 0.3 million
_HINT = "fetch the file again from where it was published"


def read_metadata(path: str | Path) -> dict[str, str]:
    """The metadata (names and texts) in a safetensors file; ``{}`` if there are none. Reads no tensor.

    Raises WeightsError if the file is missing or its header is damaged.
    """
    return metadata_of(read_header(Path(path)), Path(path))


def read_document(path: str | Path) -> str:
    """The text of the document in a model file; raises WeightsError if it holds none."""
    metadata = read_metadata(path)
    if DOCUMENT not in metadata:
        hint = "compile a network with weights=, or read the document from its own file"
        raise WeightsError(
            "the file has weights, but no document", expected="a file written by save_model", hint=hint
        ).at(file=str(path))
    return metadata[DOCUMENT]


def read_header(path: Path) -> dict[str, Any]:
    """The JSON object in the header of a safetensors file, its names in the order of the file.

    Raises WeightsError if the file is missing or its header is damaged or names something twice.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            length = _checked_length(file.read(8), size)
            header = json.loads(file.read(length).decode("utf-8"), object_pairs_hook=_once)
    except WeightsError as error:
        raise error.at(file=str(path)) from None
    except OSError as error:
        raise WeightsError(f"the file cannot be read ({error.strerror})").at(file=str(path)) from None
    except (ValueError, RecursionError) as error:
        rule = "the header of the safetensors file is damaged"
        raise WeightsError(rule, found=raw(str(error)), expected="JSON", hint=_HINT).at(file=str(path)) from None
    if not isinstance(header, dict):
        raise WeightsError("the header of the safetensors file is not a JSON object", hint=_HINT).at(file=str(path))
    return header


def metadata_of(header: dict[str, Any], path: Path) -> dict[str, str]:
    """The metadata in ``header``; raises WeightsError unless it maps names to texts."""
    metadata = header.get("__metadata__", {})
    if isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values()):
        return metadata
    raise WeightsError("the metadata does not map names to texts", found=metadata, hint=_HINT).at(file=str(path))


def classes_in(metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    """The names of the classes in the metadata of a file; None if there are none or they cannot be read."""
    try:
        names = json.loads(metadata.get(CLASSES, "null"))
    except (ValueError, RecursionError):
        return None
    return tuple(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def _checked_length(first: bytes, size: int) -> int:
    length = int.from_bytes(first, "little")
    if len(first) < 8 or length > size - 8:
        raise WeightsError(
            "the safetensors file is cut off inside its header",
            found=raw(f"{size} bytes"),
            expected=f"a header of {length} bytes and more" if len(first) == 8 else "at least 8 bytes",
            hint=_HINT,
        )
    if length > _LARGEST:
        raise WeightsError("the header is too large", found=length, expected=f"at most {_LARGEST} bytes", hint=_HINT)
    return length


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):  # JSON readers differ on which of the two values they keep
        raise WeightsError("the header names something twice", hint=_HINT)
    return found
