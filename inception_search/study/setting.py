"""What all trials of a study share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inception_search.study.config import StudyConfig


@dataclass(frozen=True)
class Setting:
    """The configuration, and what was found when the search began (or went on)."""

    config: StudyConfig
    data_file: Path
    shape: tuple[int, int, int]
    """(C, H, W) of the images."""
    classes: int
    data: dict[str, Any]
    """The dataset as records describe it."""
    device: str
    threads: int | None
    """CPU threads of one trial; None: as many as torch likes."""
