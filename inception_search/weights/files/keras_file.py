"""Reader of Keras' ``.h5``, ``.weights.h5`` and ``.keras`` files. No config in them is run.

Tensors are named ``<layer>/<variable>`` with the layer's Keras name, e.g. ``conv2d_17/kernel``. The number counts
the layers of a class in order of creation (``conv2d`` is the first). For a second model in the same process Keras
continues the count, but sorting by the number still gives the order of creation. The names are found as follows:

* legacy ``.h5`` (Keras 1 to 3): layers are stored under their names. See :mod:`.keras_legacy`.
* ``.keras``: layers are stored by class and position in ``model.layers``, which has a different order. The
  ``config.json`` in the archive has their names in that order.
* ``.weights.h5``: the same layout without a config. The two Inception networks of Keras are recognised by their
  numbers of layers, see :mod:`.keras_order`. Layers of other networks are named by class and position.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from inception_search.errors import WeightsError
from inception_search.weights.files.contents import Contents, check_total
from inception_search.weights.files.hdf5_file import CheckedHdf5, open_hdf5
from inception_search.weights.files.keras_legacy import legacy_group, read_legacy
from inception_search.weights.files.keras_numbered import read_numbered
from inception_search.weights.files.keras_order import LayerConfig, layer_configs

WEIGHTS = "model.weights.h5"
_CONFIG = "config.json"
_LARGEST_CONFIG = 1 << 23  # bytes; the config of InceptionResNetV2 has 0.7 million


def read_hdf5(path: Path, max_bytes: int) -> Contents:
    """The weights in an ``.h5`` or ``.weights.h5`` file of Keras; raises WeightsError."""
    size = path.stat().st_size
    with open_hdf5(str(path), size, max_bytes) as file:
        return _read(file, [])


def read_keras_zip(path: Path, names: list[str], max_bytes: int) -> Contents:
    """The weights in a ``.keras`` file whose entries ``names`` are already checked; raises WeightsError."""
    with zipfile.ZipFile(path) as archive:
        check_total(archive.getinfo(WEIGHTS).file_size, max_bytes)
        configs = layer_configs(_config(archive)) if _CONFIG in names else []
        content = archive.read(WEIGHTS)
    with open_hdf5(io.BytesIO(content), len(content), max_bytes) as file:
        return _read(file, configs)


def _read(file: CheckedHdf5, configs: list[LayerConfig]) -> Contents:
    group = legacy_group(file)
    return read_numbered(file, configs) if group is None else read_legacy(file, group)


def _config(archive: zipfile.ZipFile) -> Any:
    if (size := archive.getinfo(_CONFIG).file_size) > _LARGEST_CONFIG:
        expected = f"at most {_LARGEST_CONFIG} bytes"
        raise WeightsError("the config in the .keras file is too large", found=size, expected=expected)
    try:
        return json.loads(archive.read(_CONFIG).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        hint = "fetch the file again from where it was published"
        raise WeightsError(f"the config in the .keras file is damaged ({error})", path=_CONFIG, hint=hint) from None
