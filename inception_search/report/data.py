"""The content of a report as plain JSON, for programs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from inception_search.analysis.importance import Importance
from inception_search.analysis.leaderboard import best_baseline, leaderboard_rows
from inception_search.report.front import front_members
from inception_search.report.material import Material
from inception_search.report.summary import summary
from inception_search.store.query import counts, merged
from inception_search.store.record import TrialRecord, trial_name

SCHEMA, VERSION = "inception-search/report", 1
_APART = ("schema", "version", "facts")  # keys of study.yaml that are not settings


def report_data(material: Material, top: int = 10) -> dict[str, Any]:
    """The report as one JSON object; ``docs/json.md`` lists its keys.

    Args:
        material: the data about the study.
        top: rows of the leaderboard; all baselines below them are included too, as on the page.

    Returns:
        Plain data; shares are 0..1, unknown values are None.

    >>> report_data(Material([]))["counts"]["complete"]
    0
    """
    records = {record.number: record for record in merged(material.records)}
    again = Counter(r.repeat_of for r in material.records if r.repeat_of is not None and r.state == "complete")

    def trial(number: int) -> dict[str, Any]:
        return _trial(records[number], again[number])

    best, reference = material.best, best_baseline(material.records)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "title": material.title,
        "state": material.state or None,
        "summary": summary(material.records),
        "study": {name: value for name, value in material.study.items() if name not in _APART},
        "facts": material.option("facts") or {},
        "space": _space(material),
        "counts": counts(material.records),
        "ranked_by": next((r.quality for r in material.records if r.objectives), "accuracy"),
        "best_found": None if best is None else trial(best.number),
        "best_baseline": None if reference is None else trial(reference.number),
        "leaderboard": [
            {
                **_trial(records[row.number], again[row.number]),
                "rank": row.rank,
                "versus_best_baseline": row.versus_baseline,
            }
            for row in leaderboard_rows(material.records, top)
        ],
        "baselines": [
            {**trial(record.number), "best_found_versus": _versus(best, record)}
            for record in records.values()
            if record.origin == "baseline"
        ],
        "front": [trial(record.number) for record in front_members(material)],
        "hypervolume": material.hypervolume,
        "importance": [_ranking(ranking) for ranking in material.rankings],
        "reasons": list(_reasons(material)),
        "latency": None if material.latency is None else material.latency.to_dict(),
        "environments": [_environment(each) for each in material.environments],
    }


def _trial(record: TrialRecord, again: int) -> dict[str, Any]:
    """A trial; its score and objectives are means if it was repeated."""
    curve = record.curve  # for a lean record, this reads the file
    return {
        "trial": record.number,
        "name": trial_name(record),
        "origin": record.origin,
        "state": record.state,
        "arch_id": record.arch_id,
        "score": record.score,
        "objectives": dict(record.objectives),
        "cost": dict(record.measures),
        "point": dict(record.holes),
        "epochs": curve[-1].epoch if curve else 0,
        "trainings": again + (1 if record.state == "complete" else 0),
        "seconds": record.seconds,
    }


def _versus(best: TrialRecord | None, baseline: TrialRecord) -> dict[str, Any] | None:
    """The best found network compared with a baseline: the difference in score, and the ratios of the costs."""
    if best is None or best.score is None or baseline.score is None:
        return None
    macs, params = (_ratio(best.cost.get(name), baseline.cost.get(name)) for name in ("macs", "params"))
    return {"difference": best.score - baseline.score, "macs_ratio": macs, "params_ratio": params}


def _ratio(ours: int | None, theirs: int | None) -> float | None:
    return ours / theirs if ours is not None and theirs else None


def _space(material: Material) -> dict[str, Any] | None:
    space = material.space
    if space is None:
        return None
    return {"name": space.name, "about": space.about, "points": space.points, "decisions": [n for n, _ in space.holes]}


def _ranking(ranking: Importance) -> dict[str, Any]:
    rows = [{"name": row.name, "value": row.value, "low": row.low, "high": row.high} for row in ranking.rows]
    texts = {"about": ranking.about or None, "axis": ranking.axis or None, "chance": ranking.chance}
    return {"title": ranking.title, **texts, "refusal": ranking.refusal, "rows": rows}


def _reasons(material: Material) -> Iterator[dict[str, Any]]:
    """The distinct reasons why trials ended, with the numbers of their trials."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for record in material.records:
        if record.reason:
            found[record.state, record.reason].append(record.number)
    for (state, reason), numbers in found.items():
        yield {"state": state, "reason": reason, "trials": numbers}


def _environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """The environment with underscores in its names, and with digits as numbers."""
    return {
        name.replace(" ", "_").replace("-", "_"): int(value) if value.isdigit() else value
        for name, value in environment.items()
    }
