"""Latency on another machine, from the table that was made there: sums of ops, scaled to whole networks."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from inception_search.errors import ConfigError
from inception_search.graph.graph import Graph
from inception_search.measures.op_model import LEAST, OpModel
from inception_search.measures.units import Unit, facts, units
from inception_search.numbers import is_finite
from inception_search.on_device.files import read_table
from inception_search.on_device.parts import PlanError
from inception_search.passes.pipeline import FOR_FUSED_CALLS, run_passes

LEAST_OPS = 5  # timed ops without which a table says nothing


class Compared(NamedTuple):
    """A network that was timed as a whole, and the sum of its ops, in milliseconds."""

    name: str
    whole: float
    ops: float
    scaled: float | None
    """The sum, scaled by the ratio of the other networks of the table; None if there are no others."""


@dataclass(frozen=True)
class Latency:
    """The latency of a network by a table."""

    milliseconds: float
    """The scaled sum of its ops."""
    timed: float
    """The share of the sum that comes from ops in the table; the times of the others are estimated."""


class DeviceTable:
    """A table of latencies, which ``inception-search bench`` or ``time_plan.pyz`` wrote.

    Args:
        path: the file.

    Raises:
        ConfigError: the file is not a table, or has no usable times.
    """

    def __init__(self, path: Path) -> None:
        try:
            self.data = read_table(path)
        except PlanError as error:
            raise ConfigError(str(error), path="latency_table") from None
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.rows = {row["key"]: row for row in _usable(self.data.get("ops"))}
        if len(self.rows) < LEAST_OPS:
            rule, found = "the table has too few timed ops", f"{len(self.rows)} ops"
            hint = "write the plan again, with the search space or a network, and time it"
            raise ConfigError(f"{path}: {rule}", path="latency_table", found=found, hint=hint)
        self._models: dict[str, OpModel] = {}
        self._known: dict[Unit, float] = {}

    @property
    def batch_size(self) -> int:
        """The number of images in a call."""
        return int(self.data["batch_size"])

    @property
    def target(self) -> str:
        """The machine and runtime in words."""
        target = self.data["target"]
        threads = f"{target['threads']} thread{'' if target['threads'] == 1 else 's'}"
        return f"{target['device']}, {target['runtime']} {target['version']}, {threads}"

    @cached_property
    def networks(self) -> list[Compared]:
        """The networks that were timed as a whole."""
        found = []
        for row in self.data.get("networks", ()):
            ops = self._sum(row["ops"])
            if row.get("ms") and ops:
                found.append((str(row["name"]), float(row["ms"]), ops))
        ratios = [whole / ops for _, whole, ops in found]
        others = [ratios[:i] + ratios[i + 1 :] for i in range(len(found))]
        scaled = [
            ops * statistics.median(each) if each else None for (_, _, ops), each in zip(found, others, strict=True)
        ]
        return [Compared(*each, sum_) for each, sum_ in zip(found, scaled, strict=True)]

    @cached_property
    def scale(self) -> float:
        """The median ratio of whole networks to the sums of their ops; 1 without networks."""
        return statistics.median([each.whole / each.ops for each in self.networks] or [1.0])

    def latency(self, graph: Graph) -> Latency:
        """The latency of a graph before any pass; the classifier's part of it."""
        found = units(run_passes(graph, "inference", only=FOR_FUSED_CALLS).graph)
        self._estimate([unit for unit in found if unit not in self._known])
        times = {unit: self._known[unit] * calls for unit, calls in found.items()}
        total = sum(times.values())
        timed = sum(ms for unit, ms in times.items() if unit.key in self.rows)
        return Latency(self.scale * total, timed / total if total else 1.0)

    def smallest(self, graph: Graph) -> float:
        """The scaled latency of the op of a graph that takes least, which is a lower bound."""
        found = units(run_passes(graph, "inference", only=FOR_FUSED_CALLS).graph)
        self._estimate([unit for unit in found if unit not in self._known])
        return self.scale * min((self._known[unit] for unit in found), default=0.0)

    def errors_of_estimates(self) -> list[float]:
        """The relative errors of estimated ops: those of the timed ops, each estimated from the others of its kind."""
        kinds = {row["kind"] for row in self.rows.values()}
        return [error for kind in kinds if self._of_kind(kind) for error in self._model(kind).errors()]

    def _sum(self, ops: Mapping[str, int]) -> float | None:
        """The sum of ops by key, or None if one was not timed."""
        rows = [(self.rows.get(key), calls) for key, calls in ops.items()]
        times = [row["ms"] * calls for row, calls in rows if row is not None]
        return sum(times) if len(times) == len(rows) else None

    def _estimate(self, wanted: Iterable[Unit]) -> None:
        """Find the times of units: those of the table, and estimates by kind."""
        by_model: dict[str, list[Unit]] = {}
        for unit in wanted:
            if unit.key in self.rows:
                self._known[unit] = float(self.rows[unit.key]["ms"])
            else:
                by_model.setdefault(unit.kind if self._of_kind(unit.kind) else "", []).append(unit)
        for kind, some in by_model.items():
            self._known.update(zip(some, self._model(kind).milliseconds([facts(unit) for unit in some]), strict=True))

    def _model(self, kind: str) -> OpModel:
        """The model of a kind; of all ops for ``""``."""
        if kind not in self._models:
            self._models[kind] = OpModel(self._of_kind(kind) if kind else list(self.rows.values()))
        return self._models[kind]

    def _of_kind(self, kind: str) -> list[Mapping[str, Any]]:
        """The rows of a kind, or none if they are too few for a model."""
        found: list[Mapping[str, Any]] = [row for row in self.rows.values() if row["kind"] == kind]
        return found if len(found) >= LEAST else []


def device_table(path: str | Path) -> DeviceTable:
    """The table in a file, which is read again when it changes; raises ConfigError."""
    file = Path(path).expanduser()
    try:
        state = file.stat()
    except OSError:
        return DeviceTable(file)  # raises
    return _read(file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _read(file: Path, _changed: int, _size: int) -> DeviceTable:
    return DeviceTable(file)


def _usable(rows: Any) -> list[dict[str, Any]]:
    """The rows of timed ops; those that failed and those of another form are left out."""
    names = {"key", "kind", "ms", "macs", "values", "weights", "channels_in", "channels_out"}
    rows = rows if isinstance(rows, list) else []
    return [
        row
        for row in rows
        if isinstance(row, dict)
        and row.keys() >= names
        and isinstance(row["ms"], int | float)
        and is_finite(row["ms"])
        and row["ms"] >= 0
    ]
