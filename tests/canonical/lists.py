"""Tensor names and shapes of other implementations, measured by building them, and verified pairs of names.

``state_dicts/<network>.<implementation>.json`` is ``{name: shape}`` in the order of that implementation,
``map.<network>.<one>.<other>.json`` is ``{name in one: name in the other}`` of tensors that were swapped and gave
the same outputs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "state_dicts"
Shapes = dict[str, tuple[int, ...]]


def lists() -> list[str]:
    """Every measured ``<network>.<implementation>``."""
    return sorted(path.stem for path in FOLDER.glob("*.json") if not path.stem.startswith("map."))


def maps() -> list[str]:
    """Every verified ``<network>.<one>.<other>``."""
    return sorted(path.stem.removeprefix("map.") for path in FOLDER.glob("map.*.json"))


def measured(network: str, implementation: str) -> Shapes:
    """The tensor names and shapes of one implementation."""
    return {name: tuple(shape) for name, shape in _read(f"{network}.{implementation}").items()}


def verified(name: str) -> dict[str, str]:
    """The pairs of one of :func:`maps`."""
    return _read(f"map.{name}")


def _read(stem: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((FOLDER / f"{stem}.json").read_text(encoding="utf-8"))
    return data
