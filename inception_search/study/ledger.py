"""Bookkeeping of trials: each outcome is recorded in the run folder, then reported to Optuna and the strategy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from inception_search.credentials import masked
from inception_search.optuna_bridge.live_study import LiveStudy
from inception_search.store.disk import remove
from inception_search.store.layout import Layout
from inception_search.store.lean_record import Shared, lean
from inception_search.store.objectives import numbers
from inception_search.store.provenance import versions
from inception_search.store.record import FINAL, TRAINED, TrialRecord, utc_now
from inception_search.store.run_folder import RunFolder
from inception_search.study.context import StudyContext
from inception_search.study.feasibility import Seen
from inception_search.study.observer import Observer
from inception_search.study.trial import Trial

_LONGEST = 600  # characters of a reason
STATES = ("complete", "pruned", "paused", "failed")  # states in the result of a trial process


class Ledger:
    """The records of a study, and the only way to add to them.

    Records of this session keep only their small fields in memory; the file has the others.
    """

    def __init__(
        self, run: RunFolder, live: LiveStudy, context: StudyContext, observer: Observer, history: Iterable[TrialRecord]
    ) -> None:
        self.run, self.live, self.context, self.observer = run, live, context, observer
        self.records = {record.number: record for record in sorted(history, key=lambda record: record.number)}
        self.shared: Shared = {}
        self.seen = Seen(self.records.values())
        self.begun = {number for number, record in self.records.items() if _counts(record)}
        """Trials of distinct architectures that have been trained or are running."""
        self.repeats: defaultdict[int, set[int]] = defaultdict(set)
        """The seeds of repeats by the repeated trial; ``again`` has the numbers of recorded repeats."""
        self.again: defaultdict[int, set[int]] = defaultdict(set)
        for record in self.records.values():
            if record.repeat_of is not None:
                self.repeats[record.repeat_of].add(record.seed)
                self.again[record.repeat_of].add(record.number)

    def start(self, trial: Trial) -> None:
        """Note that a trial begins."""
        self.seen.start(trial.arch_id, trial.first)
        if trial.repeat_of is None:
            self.begun.add(trial.number)
        else:
            self.repeats[trial.repeat_of].add(trial.seed)

    def infeasible(self, trial: Trial, reason: str) -> TrialRecord:
        """Record a baseline or a network of an earlier run that cannot be trained."""
        return self.settle(self._record(trial, state="infeasible", reason=_paragraph(reason), seconds=trial.seconds))

    def duplicate(self, trial: Trial, first: int) -> TrialRecord:
        """Record a baseline or a network of an earlier run that trial ``first`` has already trained."""
        return self.settle(self._record(trial, state="duplicate", duplicate_of=first, seconds=trial.seconds))

    def record_failure(self, trial: Trial, reason: str) -> TrialRecord:
        """Record a trial that ended without a result."""
        facts = {**training_facts(trial, self.context, {}), "curve": trial.curve, "reason": _paragraph(reason)}
        return self.settle(self._record(trial, state="failed", **facts))

    def record_result(self, trial: Trial, payload: dict[str, Any]) -> TrialRecord:
        """Record a trial with the result ``payload`` of its process."""
        try:
            result = _result_fields(payload, trial.curve, self.context.config.pruner)
            facts = training_facts(trial, self.context, payload)
            record = self._record(trial, **facts, **result, objectives=self._objectives(trial, result))
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            return self.record_failure(trial, f"its result cannot be used: {_first_words(error)}")
        return self.settle(record)

    def give_up(self, record: TrialRecord) -> TrialRecord:
        """Record a paused trial as pruned, because it will not continue."""
        epoch = f" at epoch {record.curve[-1].epoch}" if record.curve else ""
        reason = f"paused{epoch}, and not among the best there when the study ended"
        return self.settle(record.model_copy(update={"state": "pruned", "reason": reason}))

    def settle(self, record: TrialRecord) -> TrialRecord:
        """Write the record, report it, then remove the job and its result, so that it is never trained again."""
        line = self.run.append_record(record)
        self.records[record.number] = lean(record, line, self.shared)
        if record.repeat_of is not None:
            self.again[record.repeat_of].add(record.number)
        self.seen.add(record)
        if record.state in FINAL:
            self.live.finish(record)
        clear(self.run, record.number, state=record.state in FINAL)
        self.observer.recorded(record)
        return record

    def _objectives(self, trial: Trial, result: dict[str, Any]) -> dict[str, float]:
        """The objectives at the last recorded epoch."""
        if result["state"] == "failed" or not result["curve"]:
            return {}
        costs = trial.costs
        found = numbers(result["curve"][-1], costs, sum(epoch["seconds"] for epoch in result["curve"]))
        return {name: found[name] for name in self.context.config.objectives}

    def _record(self, trial: Trial, **facts: Any) -> TrialRecord:
        """The record of a trial, including the fields that all records have."""
        context = self.context
        shared: dict[str, Any] = {
            "number": trial.number,
            "origin": trial.origin,
            "label": trial.label,
            "holes": trial.params,
            "facts": trial.facts,
            "repeat_of": trial.repeat_of,
            "seed": trial.seed,
            "started": utc_now(),
            "data": context.data,
            "versions": versions(),
            "arch_id": trial.arch_id,
            "network": trial.document,
            "cost": trial.counts,
            "latency": trial.latency,
        }
        return TrialRecord.model_validate(shared | facts)


def _counts(record: TrialRecord) -> bool:
    """Whether a record counts as one of the study's distinct architectures."""
    return record.state in TRAINED and record.repeat_of is None


def training_facts(trial: Trial, context: StudyContext, payload: dict[str, Any]) -> dict[str, Any]:
    """How a trial was trained, as fields of its record: from its result, or else from the context."""
    known = {
        "attempt": max(1, trial.attempt),
        "started": trial.started,
        "device": context.device,
        "seconds": trial.seconds,
        "fidelity": context.config.fidelity(context.threads),
        "versions": versions(),
    }
    return known | {name: payload[name] for name in (*known, "node") if name in payload}


def clear(folder: Layout, number: int, *, state: bool = True) -> None:
    """Remove the result and the job of a recorded trial; with ``state`` also its training state."""
    states = [folder.state_file(number)] if state else []
    for path in (folder.result_file(number), folder.job_file(number), *states):
        remove(path)


def _result_fields(payload: dict[str, Any], reported: Sequence[dict[str, Any]], pruner: str) -> dict[str, Any]:
    """A result as fields of a record; a failure keeps the epochs ``reported`` before it."""
    state, reason = payload["state"], payload.get("reason")
    if state not in STATES:
        raise ValueError(f"unknown state {state!r}")
    curve = payload.get("curve") or reported
    if state in ("pruned", "paused"):
        words = "below the median of earlier trials" if pruner == "median" else "not among the best (yet)"
        reason = f"{words} at epoch {curve[-1]['epoch']}" if curve else "stopped"
    fields = {"value": payload.get("value") if state == "complete" else None}
    fields |= {name: payload.get(name, {}) for name in ("resources", "rewrites")}
    return fields | {"state": state, "curve": curve, "reason": _paragraph(reason) if reason else None}


def _paragraph(text: str) -> str:
    """``text`` on one line, cut to a readable length."""
    line = masked(" ".join(str(text).split()))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."


def _first_words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"{type(error).__name__}: {error}"
