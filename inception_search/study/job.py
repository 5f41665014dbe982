"""What a trial process is asked, and what it answers: plain JSON both ways."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from inception_search.store.atomic import write_atomic


@dataclass(frozen=True)
class Job:
    """One training: a network document, data already split, how to train, where to leave the result."""

    number: int
    attempt: int
    network: dict[str, Any]
    data: str  # the file of train and validation images
    fidelity: dict[str, Any]
    seed: int
    device: str
    result: str  # the result file, written once and whole
    checkpoint: str

    def write(self, path: Path) -> None:
        """Write the job durably, before it starts."""
        write_atomic(path, json.dumps(asdict(self), sort_keys=True, allow_nan=False))

    @classmethod
    def read(cls, path: Path) -> Self:
        """The job in a file."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))
