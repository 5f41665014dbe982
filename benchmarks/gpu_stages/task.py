"""What a stage is given, and the JSON file that it writes row by row."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def write_json(file: Path, content: Any) -> None:
    """Replace ``file`` in one step, so that it is whole whenever the process ends."""
    aside = file.with_name(f"{file.name}.new")
    aside.write_text(json.dumps(content, indent=2) + "\n")
    aside.replace(file)


@dataclass
class Rows:
    """The results of a stage; the file is written with every change."""

    file: Path
    content: dict[str, Any] = field(default_factory=lambda: {"rows": {}, "goals": [], "notes": [], "facts": {}})

    def add(self, name: str, row: Any) -> None:
        """Set the row ``name``."""
        self.content["rows"][name] = row
        self.write()

    def goal(self, what: str, goal: float, found: float, *, at_most: bool = False) -> None:
        """Record a goal and what was found; a goal is reached at or above it, with ``at_most`` at or below it."""
        reached = found <= goal if at_most else found >= goal
        entry = {"what": what, "goal": goal, "found": round(found, 3), "reached": reached}
        others = [each for each in self.content["goals"] if each["what"] != what]
        self.content["goals"] = [*others, entry]
        self.write()

    def note(self, text: str) -> None:
        """Add a sentence about what was left out or went wrong."""
        self.content["notes"].append(text)
        print(text, flush=True)
        self.write()

    def write(self) -> None:
        """Write the file."""
        write_json(self.file, self.content)


@dataclass
class Task:
    """The work of a stage.

    Args:
        rows: the results.
        device: where the stage computes: the GPU, in a dry run the CPU.
        small: a dry run: everything as small as it can be.
        scratch: a folder for files that nobody needs afterwards; all stages share it.
        data: the folder of Fashion-MNIST; None: where Debian puts it.
        end: the time by ``time.monotonic`` at which the stage should be done.
    """

    rows: Rows
    device: torch.device
    small: bool
    scratch: Path
    data: Path | None
    end: float

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self.end - time.monotonic()

    def settle(self) -> None:
        """Wait for the device."""
        if self.device.type == "cuda":
            import torch

            torch.cuda.synchronize(self.device)
