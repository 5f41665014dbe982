"""The description of a training for a trial process, as a JSON file.

The file also makes a trial durable: it exists from the start of the trial until its record is written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from inception_search.errors import DocumentError
from inception_search.store.atomic import write_atomic
from inception_search.store.jsonl import sealed, unsealed
from inception_search.store.run_folder import RunFolder

_DROPPED = ("others", "if_faster")  # fields of version 0.1 without use


@dataclass(frozen=True)
class Job:
    """One training: a network document, the split data, the training options, and the files for results.

    File names are relative to the run folder, which may have another path on a worker's machine.
    """

    number: int
    attempt: int
    arch_id: str
    started: str  # UTC, ISO 8601
    network: dict[str, Any]
    data: str  # the file of training and validation images
    fidelity: dict[str, Any]
    seed: int
    device: str
    result: str  # the result file, written once and atomically
    checkpoint: str  # the weights, written when the training is complete
    state: str | None = None  # the training state, written after every epoch
    until: int | None = None  # epochs after which to pause
    aux: bool = True  # train auxiliary classifiers as well
    test: str | None = None  # the file of test images, if the trained network is tested
    tries: int = 1  # consecutive attempts that did not finish an epoch
    params: dict[str, Any] = field(default_factory=dict)
    origin: str = "sampled"
    label: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    repeat_of: int | None = None

    @property
    def stamp(self) -> dict[str, Any]:
        """The facts of the job that its result repeats, so that the result can be recorded without the job."""
        return {"arch_id": self.arch_id, "attempt": self.attempt, "started": self.started}

    def write(self, path: Path) -> None:
        """Write the job durably; to be called before it starts."""
        write_atomic(path, sealed(json.dumps(vars(self), allow_nan=False)))

    @classmethod
    def read(cls, path: Path) -> Self:
        """The job in a file; raises DocumentError, ValueError or TypeError if the file is damaged."""
        facts = json.loads(unsealed(path.read_text(encoding="utf-8")))
        if not isinstance(facts, dict):
            raise TypeError("a job is a JSON object")
        return cls(**{name: value for name, value in facts.items() if name not in _DROPPED})


def read_job(path: Path) -> Job | None:
    """The job in a file; None if the file is missing or unreadable."""
    try:
        return Job.read(path)
    except (OSError, ValueError, TypeError, RecursionError, DocumentError):
        return None


def read_jobs(run: RunFolder) -> dict[int, Job]:
    """The jobs in a run folder by number; unreadable ones are omitted."""
    found = {}
    for path in run.jobs_folder.glob("*.json"):
        job = read_job(path)
        if job is not None and path.stem == str(job.number):
            found[job.number] = job
    return dict(sorted(found.items()))
