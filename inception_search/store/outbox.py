"""The outbox of a run folder: result files of finished trainings that are not yet recorded."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

from inception_search.errors import DocumentError
from inception_search.store.disk import typed_errors
from inception_search.store.jsonl import unsealed

_log = logging.getLogger(__name__)


def waiting(folder: Path) -> dict[int, dict[str, Any]]:
    """The results in ``folder`` by trial number; damaged ones are renamed to ``*.corrupt`` and omitted."""
    with typed_errors(folder):
        numbers = sorted(int(file.stem) for file in folder.glob("*.json") if _is_number(file.stem))
        results = {number: read(folder / f"{number}.json") for number in numbers}
    return {number: result for number, result in results.items() if result is not None}


def read(file: Path) -> dict[str, Any] | None:
    """The result in ``file``; None if it is missing or damaged. A damaged file is renamed to ``*.corrupt``."""
    try:
        with typed_errors(file):
            if not file.exists():
                return None
            result = json.loads(unsealed(file.read_text(encoding="utf-8")))
    except (ValueError, RecursionError, DocumentError):
        result = None
    if isinstance(result, dict):
        return result
    aside = file.with_name(f"{file.name}.corrupt")
    with suppress(OSError):  # on a read-only disk the file keeps its name, and is ignored as well
        file.replace(aside)
    _log.warning("%s is damaged and was set aside as %s", file, aside.name)
    return None


def _is_number(stem: str) -> bool:
    return stem.isascii() and stem.isdigit() and str(int(stem)) == stem
