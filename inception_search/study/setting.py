"""What all trials of a study share, and records read in its light."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_search.runner.job import Job
from inception_search.space.space import Space
from inception_search.spec.document import network_from_data
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.strategies.protocol import Observation
from inception_search.study.candidate import Candidate, make_candidate
from inception_search.study.config import StudyConfig
from inception_search.study.point import Point

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class Setting:
    """The configuration, and what was found when the search began (or went on)."""

    config: StudyConfig
    space: Space
    data_file: Path
    shape: tuple[int, int, int]
    """(C, H, W) of the images."""
    classes: int
    data: dict[str, Any]
    """The dataset as records describe it."""
    device: str
    threads: int | None
    """CPU threads of one trial; None: as many as torch likes."""

    def candidate_of(self, network: dict[str, Any], params: dict[str, Any], latency: float | None = None) -> Candidate:
        """The candidate of a network document that was written earlier, with the ``latency`` that was recorded."""
        return self._timed(make_candidate(network_from_data(network), params, self.shape, self.classes), latency)

    def point_of(self, record: TrialRecord) -> Point:
        """The point that a record is of."""
        candidate = self.candidate_of(record.network or {}, dict(record.holes), record.latency)
        return Point(record.number, candidate, record.origin, record.label, dict(record.facts), record.seed)

    def point_of_job(self, job: Job) -> Point:
        """The point that a job is of."""
        candidate = self.candidate_of(job.network, job.params)
        origin: Any = job.origin
        return Point(job.number, candidate, origin, job.label, job.facts, job.seed, job.repeat_of)

    def point_of_trial(self, trial: FrozenTrial) -> Point:
        """The point of a trial of the index, where nothing else is left of it."""
        facts = dict(trial.user_attrs)
        label, repeat_of, _ = facts.pop("label", None), facts.pop("repeat_of", None), facts.pop("arch_id", None)
        origin, seed = facts.pop("origin", "sampled"), facts.pop("seed", self.config.seed)
        network, params = self.space.decode(trial.params), dict(trial.params)
        candidate = self._timed(make_candidate(network, params, self.shape, self.classes))
        return Point(trial.number, candidate, origin, label, facts, seed, repeat_of)

    def _timed(self, candidate: Candidate, latency: float | None = None) -> Candidate:
        """``candidate`` with its ``latency`` in ms (measured if None), if the study has it as an objective or limit."""
        if candidate.cost is not None and ("latency" in self.config.objectives or self.config.max_latency_ms):
            target = self.config.budget(self.device, self.threads).target
            if latency is None:
                candidate.subject.latency(target)
            else:
                candidate.subject.latencies[target] = latency
        return candidate

    def job_of(self, point: Point, attempt: int, tries: int, run: RunFolder) -> Job:
        """The job of training ``point`` in ``run``."""
        number, candidate = point.number, point.candidate
        return Job(
            number=number,
            attempt=attempt,
            arch_id=candidate.arch_id,
            started=point.started,
            network=candidate.network.to_dict(),
            data=_inside(self.data_file, run),
            fidelity=self.config.fidelity(self.threads),
            seed=point.seed,
            device=self.device,
            result=_inside(run.result_file(number), run),
            checkpoint=_inside(run.checkpoint_file(number), run),
            state=_inside(run.state_file(number), run),
            aux=self.config.aux,
            tries=tries,
            params=candidate.holes,
            origin=point.origin,
            label=point.label,
            facts=point.facts,
            repeat_of=point.repeat_of,
        )

    def observed(self, record: TrialRecord, losses: tuple[float, ...] | None) -> Observation:
        """A record as strategies see it, with these losses; a paused one may still be told better."""
        state: Any = "pruned" if record.state == "paused" else record.state
        known = losses if state in ("complete", "pruned") else None
        epochs = record.curve[-1].epoch if record.curve else 0
        costs = {name: float(value) for name, value in record.measures.items()}
        params = dict(record.holes)
        arch_id = record.arch_id or ""
        facts = dict(record.facts)
        return Observation(record.number, params, arch_id, state, known, epochs, costs, facts, self.space)


def _inside(path: Path, run: RunFolder) -> str:
    return str(path.relative_to(run.path)) if path.is_relative_to(run.path) else str(path)
