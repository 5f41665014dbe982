"""Reader of TensorFlow checkpoints (V1 and V2); requires TensorFlow.

A checkpoint of a training run contains more than weights. Entries are omitted by the last part of their name: slots
of optimizers (``Momentum``, ``RMSProp``, ``RMSProp_1``, ``Adam``, ``Adam_1``, ``Adagrad``, ``Ftrl``, ``Ftrl_1``),
moving averages of the weights (``ExponentialMovingAverage``, ``biased``, ``local_step``) and counters
(``global_step``, ``beta1_power``, ``beta2_power``, ``save_counter``). Names that contain TensorFlow 2's
``.OPTIMIZER_SLOT`` or ``_CHECKPOINTABLE_OBJECT_GRAPH`` are omitted as well.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from inception_search.errors import WeightsError, raw
from inception_search.extras import install
from inception_search.weights.files.contents import Contents, check_count, check_total, to_tensor

_TRAINING = re.compile(
    r"(^|/)(Momentum|RMSProp(_1)?|Adam(_1)?|Adagrad|Ftrl(_1)?|ExponentialMovingAverage|biased|local_step"
    r"|global_step|beta[12]_power|save_counter)(/\.ATTRIBUTES/VARIABLE_VALUE)?$"
    r"|(^|/)(\.OPTIMIZER_SLOT|_CHECKPOINTABLE_OBJECT_GRAPH)(/|$)"
)
_EXPANSION = 8  # an int64 may be written in one byte; nothing else is packed
_SLACK = 1 << 20
_LARGEST_INDEX = 1 << 24  # bytes; the indexes of the largest networks have 0.1 million
_HINT = "fetch all files of the checkpoint again from where they were published"


def read_tensorflow(path: Path, max_bytes: int) -> Contents:
    """The weights of the checkpoint at ``path``, sorted by name, in TensorFlow's layouts.

    Raises WeightsError if TensorFlow is not installed, or for a damaged or incomplete checkpoint.
    """
    prefix = tensorflow_prefix(path) or path
    if (size := checkpoint_files(prefix)[0].stat().st_size) > _LARGEST_INDEX and not prefix.is_file():
        expected = f"at most {_LARGEST_INDEX} bytes"
        raise WeightsError("the index of the checkpoint is too large", found=size, expected=expected, hint=_HINT)
    reader, sizes = _open(prefix)
    check_count(len(sizes), "variables")
    left_out = {name: None for name in sorted(sizes) if _TRAINING.search(name)}
    weights = [name for name in sorted(sizes) if name not in left_out]
    _check_sizes({name: sizes[name] for name in weights}, checkpoint_files(prefix), max_bytes)
    tensors = {}
    for name in weights:
        try:
            value = reader.get_tensor(name)
        except (
            Exception
        ) as error:  # a damaged file can raise many errors of TensorFlow, which have no common base class
            raise _damaged(error, name) from None
        tensors[name] = to_tensor(value, name)
    return Contents("tensorflow", tensors, left_out=tuple(left_out))


def _open(prefix: Path) -> tuple[Any, dict[str, int]]:
    """TensorFlow's reader, and the size in bytes of every variable by name."""
    try:
        import tensorflow
    except ImportError:
        rule = "reading a TensorFlow checkpoint needs TensorFlow, which is not installed"
        hint = f"{install('tensorflow')}; or convert the checkpoint to safetensors where TensorFlow is installed"
        raise WeightsError(rule, hint=hint) from None
    try:
        reader = tensorflow.train.load_checkpoint(str(prefix))
        dtypes = reader.get_variable_to_dtype_map()
        shapes = reader.get_variable_to_shape_map()
        return reader, {name: math.prod(shape) * int(dtypes[name].size) for name, shape in shapes.items()}
    except Exception as error:
        raise _damaged(error) from None


def _check_sizes(sizes: dict[str, int], files: list[Path], max_bytes: int) -> None:
    check_total(sum(sizes.values()), max_bytes)
    stored = sum(file.stat().st_size for file in files)
    if sum(sizes.values()) > _EXPANSION * stored + _SLACK:
        found = raw(f"{sum(sizes.values())} bytes in files of {stored}")
        raise WeightsError("the checkpoint claims more than its files can hold", found=found, hint=_HINT)


def _damaged(error: Exception, name: str | None = None) -> WeightsError:
    found = raw(f"{type(error).__name__}: {error}")
    return WeightsError("the TensorFlow checkpoint is damaged or incomplete", path=name, found=found, hint=_HINT)


_TABLE_END = 0xDB4775248B80FB57.to_bytes(8, "little")
_DATA = re.compile(r"\.data-\d{5}-of-\d{5}$")
_NAMED = re.compile(r'^model_checkpoint_path: "(.+)"$', re.MULTILINE)


def tensorflow_prefix(path: Path) -> Path | None:
    """The prefix of the V2 checkpoint at ``path``, or None if there is none.

    ``path`` may be the prefix itself, its index, one of its data files, or a folder with a text file ``checkpoint``
    that names the newest one. That one is searched in the same folder, even if the text file has another path.
    """
    if path.is_dir():
        return _newest(path)
    if path.suffix == ".index":
        return path.with_suffix("") if path.is_file() and is_table(path) else None
    prefix = path.with_name(_DATA.sub("", path.name))
    has_index = prefix.with_name(prefix.name + ".index").is_file()
    return prefix if has_index and (prefix != path or not path.exists()) else None


def is_table(path: Path) -> bool:
    """Whether the file ends like a TensorFlow table, that is, a V1 checkpoint or the index of a V2 one."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8))
        return file.read(8) == _TABLE_END


def checkpoint_files(prefix: Path) -> list[Path]:
    """The files of the checkpoint: the single file of V1, or the index and data files of V2."""
    if prefix.is_file():
        return [prefix]
    index = prefix.with_name(prefix.name + ".index")
    return [index, *(p for p in sorted(prefix.parent.iterdir()) if _DATA.sub("", p.name) == prefix.name)]


def _newest(folder: Path) -> Path | None:
    note = folder / "checkpoint"
    if not note.is_file():
        return None
    with note.open(encoding="utf-8", errors="replace") as file:
        named = _NAMED.search(file.read(1 << 16))
    prefix = folder / re.split(r"[/\\]", named[1])[-1] if named else None
    return prefix if prefix is not None and (prefix.is_file() or len(checkpoint_files(prefix)) > 1) else None
