"""Where a TensorFlow checkpoint is: one file (V1), or a prefix with an ``.index`` and ``.data-...`` files (V2)."""

from __future__ import annotations

import re
from pathlib import Path

_TABLE_END = 0xDB4775248B80FB57.to_bytes(8, "little")
_DATA = re.compile(r"\.data-\d{5}-of-\d{5}$")
_NAMED = re.compile(r'^model_checkpoint_path: "(.+)"$', re.MULTILINE)


def tensorflow_prefix(path: Path) -> Path | None:
    """The prefix of the V2 checkpoint that ``path`` means, or None if it means none.

    ``path`` may be the prefix itself, its index, one of its data files, or a folder with the text file
    ``checkpoint`` that names the newest one (which is looked for in that folder, wherever it was written).
    """
    if path.is_dir():
        return _newest(path)
    if path.suffix == ".index":
        return path.with_suffix("") if path.is_file() and is_table(path) else None
    prefix = path.with_name(_DATA.sub("", path.name))
    has_index = prefix.with_name(prefix.name + ".index").is_file()
    return prefix if has_index and (prefix != path or not path.exists()) else None


def is_table(path: Path) -> bool:
    """Whether the file ends as TensorFlow's tables do: a V1 checkpoint, or the index of a V2 one."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8))
        return file.read(8) == _TABLE_END


def checkpoint_files(prefix: Path) -> list[Path]:
    """The files of the checkpoint: the one of V1, or index and data of V2."""
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
