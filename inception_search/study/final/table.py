"""The table of the final trainings and the verdict, as data, JSON and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from inception_search.analysis.significance import (
    CONFIDENCE,
    Comparison,
    Outcome,
    Scores,
    compare,
    holm,
    points,
    signed,
)
from inception_search.store.final_training import FinalTraining
from inception_search.store.record import QUALITIES
from inception_search.study.final.record import FinalRecord
from inception_search.study.final.selection import Entrant, Setting

COLUMNS = (
    *("rank in the search", "network", "test", "spread", "validation", "seeds", "parameters", "MACs"),
    *("vs best baseline", ""),
)
MEANS = tuple(f"{split}_{quality}" for split in ("test", "validation") for quality in QUALITIES)
LEFT = ("network", "vs best baseline", "")


@dataclass(frozen=True)
class FinalRow:
    """One network: results are 0..1, means over ``seeds`` trainings; ``spread`` is their standard deviation.

    ``quality`` is the measure of results: ``accuracy``, ``balanced_accuracy`` or
    ``macro_f1``.

    ``trainings`` are the completed ones, by seed: ``row.trainings[0].file`` has the weights of the first.

    The rank and the order of rows are those of the search, by validation. ``versus`` compares a found network with the
    best baseline; ``p_value`` is adjusted by Holm's method for the number of compared networks.
    """

    entrant: Entrant
    records: tuple[FinalRecord, ...]
    failures: tuple[str, ...]
    params: int | None
    macs: int | None
    quality: str = "accuracy"
    trainings: tuple[FinalTraining, ...] = ()
    versus: Comparison | None = None
    p_value: float | None = None

    @property
    def tested(self) -> bool:
        """Whether any training was completed."""
        return bool(self.records)

    @property
    def test(self) -> float:
        """Mean result on the test images."""
        return fmean(self._results)

    @property
    def _results(self) -> list[float]:
        """The result of each training on the test images."""
        return [getattr(record, f"test_{self.quality}") or 0.0 for record in self.records]

    @property
    def validation(self) -> float:
        """Mean result on the validation images, over the final trainings."""
        return self.mean(f"validation_{self.quality}") or 0.0

    def mean(self, name: str) -> float | None:
        """The mean of a field of the records over the trainings; None if it is missing in some."""
        values = [getattr(record, name) for record in self.records]
        return fmean(values) if values and None not in values else None

    @property
    def spread(self) -> float | None:
        """Standard deviation of the result on the test images over seeds; None for one."""
        return stdev(self._results) if len(self.records) > 1 else None

    @property
    def scores(self) -> Scores:
        """The contribution of each test image to the result of each training."""
        return Scores(self.entrant.name, np.stack([record.parts(self.quality) for record in self.records]))

    @property
    def outcome(self) -> Outcome | None:
        """Better or worse than the best baseline, if significant after correction for several comparisons."""
        if self.versus is None or self.p_value is None:
            return None if self.versus is None else "no interval"
        if self.p_value >= 1 - CONFIDENCE:
            return "not distinguishable"
        return "better" if self.versus.difference > 0 else "worse"

    def cells(self) -> tuple[str, ...]:
        """The row as texts, one for each of :data:`COLUMNS`."""
        name = self.entrant.name if self.entrant.found else f"{self.entrant.name} (canonical)"
        spread = None if not self.tested else self.spread
        versus = "" if self.versus is None else signed(self.versus.difference)
        if self.versus is not None and self.versus.interval is not None:
            versus += f" ({self.versus.interval})"
        return (
            str(self.entrant.rank),
            name,
            f"{points(self.test)} %" if self.tested else "-",
            "" if spread is None else f"± {points(spread)}",
            f"{points(self.validation)} %" if self.tested else "-",
            str(len(self.records)),
            "" if self.params is None else f"{self.params:,}",
            "" if self.macs is None else f"{self.macs / 1e6:,.2f} M",
            versus,
            self.outcome or "",
        )

    def data(self) -> dict[str, Any]:
        """The row as plain JSON."""
        return {
            "rank": self.entrant.rank,
            "network": self.entrant.name,
            "trial": self.entrant.record.number,
            "arch_id": self.entrant.record.arch_id,
            "found": self.entrant.found,
            "study_validation": self.entrant.record.score,
            "test": self.test if self.tested else None,
            "test_spread": self.spread,
            "validation": self.validation if self.tested else None,
            **{name: self.mean(name) for name in MEANS},
            "trainings": [
                {
                    "seed": each.seed,
                    "test": result,
                    "validation": each.validation,
                    "weights": "/".join(each.file.parts[-3:]),
                }
                for each, result in zip(self.trainings, self._results, strict=True)
            ],
            "params": self.params,
            "macs": self.macs,
            "versus_best_baseline": None if self.versus is None else comparison_data(self.versus),
            "holm_p_value": self.p_value,
            "outcome": self.outcome,
            "failures": list(self.failures),
        }


@dataclass(frozen=True)
class FinalTable:
    """All rows in the order of the search; ``verdict`` compares the best found with the best baseline."""

    rows: tuple[FinalRow, ...]
    verdict: Comparison | None
    best_baseline: str | None
    quality: str = "accuracy"
    """The measure of results."""


def make_table(setting: Setting, records: Iterable[FinalRecord], run: Path) -> FinalTable:
    """The table of the trainings of ``setting`` in the folder ``run``; other ``records`` are ignored."""
    known = [record for record in records if record.recipe == setting.recipe_id and record.seed in setting.seeds]
    quality = _quality(setting, known)
    rows = [
        _row(entrant, [r for r in known if r.arch_id == entrant.record.arch_id], quality, run)
        for entrant in setting.entrants
    ]
    baselines = [row for row in rows if row.tested and not row.entrant.found]
    reference = max(baselines, key=lambda row: (row.validation, -(row.macs or 0)), default=None)
    if reference is None:
        return FinalTable(tuple(rows), None, None, quality)
    compared = {
        row.entrant.rank: compare(row.scores, reference.scores) for row in rows if row.tested and row.entrant.found
    }
    p_values = {rank: each.p_value for rank, each in compared.items() if each.p_value is not None}
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    rows = [replace(row, versus=compared.get(n := row.entrant.rank), p_value=adjusted.get(n)) for row in rows]
    first = next(iter(compared.values()), None)
    return FinalTable(tuple(rows), first, reference.entrant.name, quality)


def _quality(setting: Setting, records: Sequence[FinalRecord]) -> str:
    """The study's measure; ``accuracy`` if trainings of an earlier version did not store each prediction."""
    kept = all(record.answered for record in records if record.state == "complete")
    return setting.quality if kept else "accuracy"


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """A comparison as plain JSON; differences of test results, 0..1."""
    both, seeds = comparison.interval, comparison.over_seeds
    return {
        "ours": comparison.ours,
        "theirs": comparison.theirs,
        "difference": comparison.difference,
        "interval": None if both is None else [both.low, both.high],
        "interval_over_seeds": None if seeds is None else [seeds.low, seeds.high],
        "image_standard_error": comparison.image_error,
        "test_images": comparison.images,
        "p_value": comparison.p_value,
        "outcome": comparison.outcome,
    }


def markdown(rows: Sequence[FinalRow], sentences: Sequence[str]) -> str:
    """The table and the sentences below it, as Markdown."""
    names = (*COLUMNS[:-1], "verdict")
    rules = ["---" if name in LEFT else "---:" for name in COLUMNS]
    lines = [names, rules, *(row.cells() for row in rows)]
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
    return f"{table}\n\n" + "\n".join(f"- {sentence}" for sentence in sentences) + "\n"


def _row(entrant: Entrant, records: Sequence[FinalRecord], quality: str, run: Path) -> FinalRow:
    complete = sorted((record for record in records if record.state == "complete"), key=lambda record: record.seed)
    failures = [f"seed {record.seed}: {record.reason}" for record in records if record.state != "complete"]
    cost = records[0].cost if records else {}
    trainings = tuple(FinalTraining.of(record.model_dump(), run, quality) for record in complete)
    costs = cost.get("params"), cost.get("macs")
    return FinalRow(entrant, tuple(complete), tuple(failures), *costs, quality, trainings)
