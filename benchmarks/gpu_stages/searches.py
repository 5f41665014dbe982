"""Stage 5: a real search on coloured images, with the curve of its best value."""

from __future__ import annotations

from typing import Any

from benchmarks.gpu_stages.images import prepared
from benchmarks.gpu_stages.searching import Row, searched
from benchmarks.gpu_stages.task import Task

TRIALS, MINUTES = 200, 4.0
OPTIONS: dict[str, Any] = {"train_images": 5000, "epochs": 3, "batch_size": 128, "max_macs": 30_000_000}
IN_SMALL: dict[str, Any] = {"train_images": 64, "epochs": 1, "image_size": 8, "max_macs": 3_000_000}
END = 5.0  # seconds that are kept for the last look


def run(task: Task) -> None:
    folders = prepared(task)
    task.rows.content["facts"]["images"] = folders.source
    folder = task.scratch / "search"
    folder.mkdir()
    options = (IN_SMALL if task.small else OPTIONS) | {"data": "cifar10", "data_root": str(folders.coloured)}
    options |= {"trials": 3 if task.small else TRIALS, "device": task.device.type}

    def report(figures: Row) -> None:
        task.rows.add("search", figures | {"options": options})

    figures = searched(folder, options, 600.0 if task.small else min(60 * MINUTES, task.left - END), report, least=0)
    per_minute = 60 * figures["trials"] / figures["seconds"]
    task.rows.goal(f"trials per minute ({TRIALS} in {MINUTES:g} minutes)", TRIALS / MINUTES, per_minute)
