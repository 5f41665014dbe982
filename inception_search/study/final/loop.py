"""The loop of the final trainings, which trains, tests and records the missing ones."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from inception_search.runner.executor import Executor, Word
from inception_search.study.context import StudyContext
from inception_search.study.final.folder import FinalsFolder
from inception_search.study.final.observer import FinalsObserver
from inception_search.study.final.record import FinalRecord, append_final
from inception_search.study.ledger import clear, training_facts
from inception_search.study.trial import Trial
from inception_search.study.trial_loop import TrialLoop, ran_out_of_memory

TESTED = tuple(name for name in FinalRecord.model_fields if name.startswith("test_"))
VALIDATED = ("validation_balanced_accuracy", "validation_macro_f1")


class FinalsLoop(TrialLoop):
    """Trains and tests ``trials``, numbered like the trainings of the setting of ``folder``."""

    how_to_continue = "finalize again"

    def __init__(
        self,
        folder: FinalsFolder,
        context: StudyContext,
        executor: Executor,
        observer: FinalsObserver,
        trials: Iterable[Trial],
        stop: threading.Event,
    ) -> None:
        super().__init__(folder, context, executor, observer.note, trials, stop)
        self.finals, self.observer = folder, observer

    def loop(self) -> bool:
        """Train what is missing; False if a training is left, which a stop after the last result is not."""
        super().loop()
        return not self.unfinished and not self.running

    def what_next(self, trial: Trial, metrics: dict[str, Any]) -> Word:
        """Continue: every training is trained to its end."""
        self.observer.epoch(trial.name, metrics)
        return "go on"

    def record_result(self, trial: Trial, payload: dict[str, Any]) -> None:
        """Record a training with the result of its process."""
        try:
            # A training without enough memory may succeed with fewer trainings at a time: the next call retries it.
            record = self.record_of(trial, "lost" if ran_out_of_memory(payload) else payload["state"], payload)
        except (KeyError, TypeError, ValueError) as error:  # the result file may hold any JSON
            reason = f"its result cannot be used: {' '.join(str(error).split())[:300]}"
            record = self.record_of(trial, "failed", {"reason": reason})
        self.record(trial, record)

    def record_failure(self, trial: Trial, reason: str) -> None:
        """Record a training whose process was lost too often."""
        self.record(trial, self.record_of(trial, "lost", {"reason": reason}))

    def record(self, trial: Trial, record: FinalRecord) -> None:
        """Record a training durably, then remove its job; its weights are kept."""
        if record.state == "complete":
            self.finals.note()
        append_final(self.finals.records_file, record)
        clear(self.folder, trial.number, state=record.state != "lost")
        self.observer.recorded(trial.name, record)

    def record_of(self, trial: Trial, state: Any, payload: dict[str, Any]) -> FinalRecord:
        """The record of a training with the result ``payload``. Raises ValueError if it is not a valid record."""
        setting = self.finals.setting
        first = setting.trainings[trial.number][0].record
        tested = {}
        if state == "complete":
            last = (payload.get("curve") or [{}])[-1]
            tested = {name: payload[name] for name in TESTED if name in payload}
            tested |= {name: last.get(name) for name in VALIDATED}
        return FinalRecord(
            state=state,
            recipe=setting.recipe_id,
            setting=setting.id,
            trial=first.number,
            origin=first.origin,
            label=first.label,
            arch_id=str(first.arch_id),
            seed=trial.seed,
            validation_accuracy=payload.get("value"),
            cost=trial.counts,
            data=self.context.data,
            reason=payload.get("reason"),
            **tested,
            **training_facts(trial, self.context, payload),
        )
