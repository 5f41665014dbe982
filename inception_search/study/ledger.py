"""What became of each trial: recorded in the run folder first, reported to the Optuna study and the strategy second."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from inception_search.credentials import masked
from inception_search.optuna_bridge.live_study import LiveStudy
from inception_search.store.disk import remove
from inception_search.store.layout import Layout
from inception_search.store.objectives import numbers
from inception_search.store.provenance import versions
from inception_search.store.record import FINAL, TRAINED, TrialRecord, utc_now
from inception_search.store.run_folder import RunFolder
from inception_search.study.context import StudyContext
from inception_search.study.feasibility import Seen
from inception_search.study.observer import Observer
from inception_search.study.trial import Trial

_LONGEST = 600  # characters of a reason
STATES = ("complete", "pruned", "paused", "failed")  # what a trial process may answer


class Ledger:
    """The records of a study, and the one way to add to them."""

    def __init__(
        self, run: RunFolder, live: LiveStudy, context: StudyContext, observer: Observer, history: Iterable[TrialRecord]
    ) -> None:
        self.run, self.live, self.context, self.observer = run, live, context, observer
        self.records = {record.number: record for record in sorted(history, key=lambda record: record.number)}
        self.seen = Seen(self.records.values())
        self.begun = {number for number, record in self.records.items() if _counts(record)}
        """Trials of distinct architectures that have been trained or are being."""
        self.repeats: defaultdict[int, set[int]] = defaultdict(set)
        """The seeds of further trainings, by the trial they repeat; and the numbers of those recorded."""
        self.again: defaultdict[int, set[int]] = defaultdict(set)
        for record in self.records.values():
            if record.repeat_of is not None:
                self.repeats[record.repeat_of].add(record.seed)
                self.again[record.repeat_of].add(record.number)

    def start(self, trial: Trial) -> None:
        """A trial begins."""
        self.seen.start(trial.arch_id, trial.first)
        if trial.repeat_of is None:
            self.begun.add(trial.number)
        else:
            self.repeats[trial.repeat_of].add(trial.seed)

    def infeasible(self, trial: Trial, reason: str) -> TrialRecord:
        """A baseline or a network of an earlier run that cannot be trained."""
        return self.settle(self._record(trial, state="infeasible", reason=_paragraph(reason), seconds=trial.seconds))

    def duplicate(self, trial: Trial, first: int) -> TrialRecord:
        """A baseline or a network of an earlier run that trial ``first`` has trained already."""
        return self.settle(self._record(trial, state="duplicate", duplicate_of=first, seconds=trial.seconds))

    def failed(self, trial: Trial, reason: str) -> TrialRecord:
        """A trial that ended without a result."""
        facts = {**training_facts(trial, self.context, {}), "curve": trial.curve, "reason": _paragraph(reason)}
        return self.settle(self._record(trial, state="failed", **facts))

    def ended(self, trial: Trial, payload: dict[str, Any]) -> TrialRecord:
        """A trial with the result ``payload`` of its process."""
        try:
            told = _told(payload, trial.curve, self.context.config.pruner)
            facts = training_facts(trial, self.context, payload)
            record = self._record(trial, **facts, **told, objectives=self._objectives(trial, told))
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            return self.failed(trial, f"its result cannot be used: {_first_words(error)}")
        return self.settle(record)

    def give_up(self, record: TrialRecord) -> TrialRecord:
        """A paused trial that will not go on."""
        epoch = f" at epoch {record.curve[-1].epoch}" if record.curve else ""
        reason = f"paused{epoch}, and not among the best there when the study ended"
        return self.settle(record.model_copy(update={"state": "pruned", "reason": reason}))

    def settle(self, record: TrialRecord) -> TrialRecord:
        """Write the record, report it, then remove the job and its result: what is recorded is never trained again."""
        self.run.append_record(record)
        self.records[record.number] = record
        if record.repeat_of is not None:
            self.again[record.repeat_of].add(record.number)
        self.seen.add(record)
        if record.state in FINAL:
            self.live.finish(record)
        clear(self.run, record.number, state=record.state in FINAL)
        self.observer.recorded(record)
        return record

    def _objectives(self, trial: Trial, told: dict[str, Any]) -> dict[str, float]:
        """The objectives at the last epoch there is."""
        if told["state"] == "failed" or not told["curve"]:
            return {}
        costs = trial.costs
        found = numbers(told["curve"][-1], costs, sum(epoch["seconds"] for epoch in told["curve"]))
        return {name: found[name] for name in self.context.config.objectives}

    def _record(self, trial: Trial, **facts: Any) -> TrialRecord:
        """The record of a trial with what all records share."""
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
            "network": trial.network.to_dict(),
            "cost": trial.counts,
            "latency": trial.latency,
        }
        return TrialRecord.model_validate(shared | facts)


def _counts(record: TrialRecord) -> bool:
    """Whether a record is one of the distinct architectures that a study trains."""
    return record.state in TRAINED and record.repeat_of is None


def training_facts(trial: Trial, context: StudyContext, payload: dict[str, Any]) -> dict[str, Any]:
    """How a trial was trained, as fields of its record: what its result says, else what is known without one."""
    known = {
        "attempt": max(1, trial.attempt),
        "started": trial.started,
        "device": context.device,
        "seconds": trial.seconds,
        "fidelity": context.config.fidelity(context.threads),
        "versions": versions(),
    }
    return known | {name: payload[name] for name in known if name in payload}


def clear(folder: Layout, number: int, *, state: bool = True) -> None:
    """Remove the result and the job of a trial that is recorded; with ``state`` also how far its training came."""
    states = [folder.state_file(number)] if state else []
    for path in (folder.result_file(number), folder.job_file(number), *states):
        remove(path)


def _told(payload: dict[str, Any], reported: Sequence[dict[str, Any]], pruner: str) -> dict[str, Any]:
    """What a result says, as fields of a record; a failure keeps the epochs that were ``reported`` before it."""
    state, reason = payload["state"], payload.get("reason")
    if state not in STATES:
        raise ValueError(f"unknown state {state!r}")
    curve = payload.get("curve") or reported
    if state in ("pruned", "paused"):
        words = "below the median of earlier trials" if pruner == "median" else "not among the best (yet)"
        reason = f"{words} at epoch {curve[-1]['epoch']}" if curve else "stopped"
    told = {"value": payload.get("value") if state == "complete" else None, "resources": payload.get("resources", {})}
    return told | {"state": state, "curve": curve, "reason": _paragraph(reason) if reason else None}


def _paragraph(text: str) -> str:
    """``text`` on one line, cut to a readable length."""
    line = masked(" ".join(str(text).split()))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."


def _first_words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"{type(error).__name__}: {error}"
