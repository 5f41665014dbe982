"""What a trial process is asked, and what it answers: plain JSON both ways."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from inception_search.store.atomic import write_atomic
from inception_search.store.run_folder import RunFolder
from inception_search.study.candidate import Candidate
from inception_search.study.setting import Setting


@dataclass(frozen=True)
class Job:
    """One training: a network document, data already split, how to train, where to leave the result."""

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
    checkpoint: str

    @property
    def stamp(self) -> dict[str, Any]:
        """What a result repeats of its job, so that it can be recorded without it."""
        return {"arch_id": self.arch_id, "attempt": self.attempt, "started": self.started}

    def write(self, path: Path) -> None:
        """Write the job durably, before it starts."""
        write_atomic(path, json.dumps(asdict(self), allow_nan=False))

    @classmethod
    def read(cls, path: Path) -> Self:
        """The job in a file."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def make_job(number: int, candidate: Candidate, attempt: int, started: str, setting: Setting, run: RunFolder) -> Job:
    """The job of training ``candidate`` for trial ``number``."""
    return Job(
        number=number,
        attempt=attempt,
        arch_id=candidate.arch_id,
        started=started,
        network=candidate.network.to_dict(),
        data=str(setting.data_file),
        fidelity=setting.config.fidelity(setting.threads),
        seed=setting.config.seed,
        device=setting.device,
        result=str(run.result_file(number)),
        checkpoint=str(run.checkpoint_file(number)),
    )


def attempts_begun(path: Path) -> int:
    """How many attempts the job file of a trial knows of; 0 without a (readable) one."""
    try:
        return int(Job.read(path).attempt)
    except (OSError, ValueError, TypeError):
        return 0
