"""Reader of safetensors files; the library checks that offsets, shapes and file size agree."""

from __future__ import annotations

from pathlib import Path

from inception_search.errors import WeightsError, raw
from inception_search.spec.safetensors_header import metadata_of, read_header
from inception_search.weights.files.contents import Contents, check_count, check_total
from inception_search.weights.files.state_dict import without_prefixes

_HINT = "fetch the file again from where it was published"


def read_safetensors(path: Path, max_bytes: int) -> Contents:
    """The tensors and metadata in ``path``, in the order of its header; raises WeightsError for a damaged file.

    The format has no checksum, so altered numbers are not detected unless the file's SHA-256 is known.
    """
    from safetensors import SafetensorError, safe_open

    check_total(path.stat().st_size, max_bytes)
    header = read_header(path)
    check_count(len(header))
    metadata = metadata_of(header, path)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            tensors = {name: file.get_tensor(name) for name in header if name != "__metadata__"}
    except SafetensorError as error:
        rule = "the safetensors file is damaged or cut off"
        raise WeightsError(rule, found=raw(str(error)), hint=_HINT) from None
    return Contents("safetensors", without_prefixes(tensors), metadata)
