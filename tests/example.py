"""The committed study, as a clone of the repository has it."""

from __future__ import annotations

import shutil
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "runs/example"
NOT_COMMITTED = ("checkpoints", "jobs", "results", "workers", "run.lock")


def copy_example(target: Path, records: int | None = None) -> Path:
    """A copy of the example, or what there was of it after its first ``records`` records; ``target`` is its folder."""
    run = Path(shutil.copytree(EXAMPLE, target, ignore=shutil.ignore_patterns(*NOT_COMMITTED)))
    if records is not None:
        lines = (run / "trials.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        (run / "trials.jsonl").write_text("".join(lines[:records]), encoding="utf-8")
        (run / "journal.log").write_text("")  # else the index would know records that are gone
    return run
