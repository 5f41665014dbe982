"""What a trial process has to do, as a JSON file.

The file also makes a trial durable: each one that was begun and is not recorded has one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from inception_search.errors import DocumentError
from inception_search.store.atomic import write_atomic
from inception_search.store.jsonl import sealed, unsealed
from inception_search.store.run_folder import RunFolder

_DROPPED = ("others", "if_faster")  # of jobs that version 0.1 wrote


@dataclass(frozen=True)
class Job:
    """One training: a network document, data already split, how to train, where to leave the result.

    File names are relative to the run folder, which may lie elsewhere on the machine of a worker.
    """

    number: int
    attempt: int
    arch_id: str
    started: str  # UTC, ISO 8601
    network: dict[str, Any]
    data: str  # the file of train and validation images
    fidelity: dict[str, Any]
    seed: int
    device: str
    result: str  # the result file, written once and whole
    checkpoint: str  # the weights, when it is complete
    state: str | None = None  # the training as far as it came, after every epoch
    until: int | None = None  # epochs after which to pause
    aux: bool = True  # train auxiliary classifiers, too
    test: str | None = None  # the file of test images, where this is the training that is tested
    tries: int = 1  # attempts in a row that did not finish an epoch
    params: dict[str, Any] = field(default_factory=dict)
    origin: str = "sampled"
    label: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    repeat_of: int | None = None

    @property
    def stamp(self) -> dict[str, Any]:
        """What a result repeats of its job, so that it can be recorded without it."""
        return {"arch_id": self.arch_id, "attempt": self.attempt, "started": self.started}

    def write(self, path: Path) -> None:
        """Write the job durably, before it starts."""
        write_atomic(path, sealed(json.dumps(asdict(self), allow_nan=False)))

    @classmethod
    def read(cls, path: Path) -> Self:
        """The job in a file; DocumentError, ValueError or TypeError for one that is damaged."""
        facts = json.loads(unsealed(path.read_text(encoding="utf-8")))
        if not isinstance(facts, dict):
            raise TypeError("a job is a JSON object")
        return cls(**{name: value for name, value in facts.items() if name not in _DROPPED})


def read_job(path: Path) -> Job | None:
    """The job in a file; None where there is none that can be read."""
    try:
        return Job.read(path)
    except (OSError, ValueError, TypeError, RecursionError, DocumentError):
        return None


def read_jobs(run: RunFolder) -> dict[int, Job]:
    """The jobs in a run folder by number; one that cannot be read any more is left out."""
    found = {}
    for path in run.jobs_folder.glob("*.json"):
        job = read_job(path)
        if job is not None and path.stem == str(job.number):
            found[job.number] = job
    return dict(sorted(found.items()))
