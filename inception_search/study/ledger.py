"""What became of each trial: recorded in the run folder first, told to the index second."""

from __future__ import annotations

from typing import Any

import optuna
from pydantic import ValidationError

from inception_search.errors import Place, RunFolderError
from inception_search.store.disk import typed_errors
from inception_search.store.record import TrialRecord, utc_now
from inception_search.store.run_folder import RunFolder
from inception_search.study.dedupe import TRAINED, Seen
from inception_search.study.index import constrain, tell_record
from inception_search.study.observer import Observer
from inception_search.study.point import Point
from inception_search.study.setting import Setting
from inception_search.study.versions import versions

_LONGEST = 600  # characters of a reason


class Ledger:
    """The records of a study, and the one way to add to them."""

    def __init__(self, run: RunFolder, study: optuna.Study, setting: Setting, observer: Observer) -> None:
        self.run, self.study, self.setting, self.observer = run, study, setting, observer
        records = run.records()
        self.seen = Seen(records)
        self.trained = sum(record.state in TRAINED for record in records)

    def infeasible(self, point: Point, violation: float, reason: str) -> None:
        """A point that is not trained; the sampler learns how far outside it is."""
        constrain(point.trial, violation)
        self.settle(self._record(point, state="infeasible", reason=_paragraph(reason), seconds=point.seconds))

    def duplicate(self, point: Point, first: int) -> None:
        """A point whose architecture trial ``first`` has; it is told the value known of that."""
        self.settle(self._record(point, state="duplicate", duplicate_of=first, seconds=point.seconds))

    def failed(self, point: Point, reason: str, **facts: Any) -> None:
        """A trial that ended without a result."""
        known = {"seconds": point.seconds, "started": point.started, "device": self.setting.device}
        self.settle(self._record(point, state="failed", reason=_paragraph(reason), **{**known, **facts}))

    def ended(self, point: Point, payload: dict[str, Any], **facts: Any) -> None:
        """A trial with the result ``payload`` of its process; ``facts`` are what it does not say itself."""
        known = {"seconds": point.seconds, "started": point.started, "device": self.setting.device}
        try:
            record = self._record(point, **{**known, **facts, **_told(payload, facts)})
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            self.failed(point, f"its result cannot be used: {_first_words(error)}", **facts)
            return
        self.settle(record)

    def settle(self, record: TrialRecord) -> None:
        """Record, tell, then forget the job and its result: what is recorded is never trained again."""
        self.run.append_record(record)
        self.seen.add(record)
        self.trained += record.state in TRAINED
        tell_record(self.study, record, self.seen)
        clear(self.run, record.number)
        self.observer.recorded(record)

    def _record(self, point: Point, **facts: Any) -> TrialRecord:
        """The record of a trial with what all records share."""
        candidate, setting = point.candidate, self.setting
        shared: dict[str, Any] = {
            "number": point.number,
            "origin": "baseline" if point.label else "sampled",
            "label": point.label,
            "holes": candidate.holes if candidate else dict(point.trial.params),
            "seed": setting.config.seed,
            "started": utc_now(),
            "data": setting.data,
            "versions": versions(),
        }
        if candidate is not None:
            shared |= {"arch_id": candidate.arch_id, "network": candidate.network.to_dict()}
            shared |= {"cost": candidate.counts(), "latency": candidate.latency}
        return TrialRecord.model_validate(shared | facts)


def clear(run: RunFolder, number: int) -> None:
    """Remove the job and the result of a trial that is recorded."""
    run.clear_result(number)
    job_file = run.job_file(number)
    with typed_errors(job_file):
        job_file.unlink(missing_ok=True)


def disk_failed(number: int, run: RunFolder) -> RunFolderError:
    """The error of a trial that could not do its work on this disk."""
    return RunFolderError(
        f"trial {number} could not read its data or write its result",
        place=Place(str(run.path)),
        mend="free some space, or mend the disk, then resume; nothing recorded is lost",
    )


def _told(payload: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """What a result says, as fields of a record; a failure keeps the epochs that were reported before it."""
    state, reason = payload["state"], payload.get("reason")
    if state not in TRAINED:
        raise ValueError(f"unknown state {state!r}")
    curve = payload.get("curve") or facts.get("curve", ())
    if state == "pruned":
        reason = f"below the median of earlier trials at epoch {curve[-1]['epoch']}" if curve else "stopped"
    told = {name: payload[name] for name in ("attempt", "started", "device", "seconds", "fidelity") if name in payload}
    value = payload.get("value") if state == "complete" else None
    return told | {"state": state, "value": value, "curve": curve, "reason": _paragraph(reason) if reason else None}


def _paragraph(text: str) -> str:
    """``text`` on one line, cut to a readable length."""
    line = " ".join(str(text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."


def _first_words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"{type(error).__name__}: {error}"
