"""Stage 2: trials per hour of a search against the loop a practitioner writes, on the same networks."""

from __future__ import annotations

from typing import Any

import optuna
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

import inception_search as ins
from benchmarks.gpu_stages.images import prepared
from benchmarks.gpu_stages.searching import Row, records_of, searched
from benchmarks.gpu_stages.task import Task
from benchmarks.trials import LARGE, SMALL
from benchmarks.trials_peer import objective

GOAL = 10.0  # times as many trials per hour
SETTINGS: dict[str, dict[str, Any]] = {
    "14x14": SMALL | {"data": "fashion_mnist"},
    "28x28": LARGE | {"data": "fashion_mnist"},
    "32x32": LARGE | {"data": "cifar10", "image_size": 32, "max_macs": 30_000_000},
}
IN_SMALL = {"8x8": SMALL | {"data": "cifar10", "image_size": 8, "train_images": 64, "epochs": 1}}
OURS = 0.6  # of the time of a setting; the rest is for the loop
LEAST = 10  # trials of the search
WORKERS = (0, 4)  # of the loop's DataLoader; the faster number counts


class TensorImages(Dataset[tuple[Tensor, int]]):
    """Images of a split one by one: random crop of the padded image, flip, normalisation, on the CPU."""

    def __init__(self, data: Any, split: str, *, train: bool) -> None:
        self.images, self.labels = data.splits[split].images, data.splits[split].labels
        self.allowed = data.augmentation if train else None
        self.mean, self.std = (torch.tensor(values).view(-1, 1, 1) for values in (data.mean, data.std))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = self.images[index].float().div(255)
        if self.allowed is not None:
            side = image.shape[-1]
            pad = round(self.allowed.shift * side)
            top, left = torch.randint(0, 2 * pad + 1, (2,)).tolist()
            image = F.pad(image, (pad, pad, pad, pad))[:, top : top + side, left : left + side]
            if self.allowed.flip and torch.rand(1).item() < 0.5:
                image = image.flip(-1)
        return (image - self.mean) / self.std, int(self.labels[index])


def run(task: Task) -> None:
    folders = prepared(task)
    roots = {"fashion_mnist": folders.grey, "cifar10": folders.coloured}
    task.rows.content["facts"]["images"] = folders.source
    settings = IN_SMALL if task.small else SETTINGS
    for number, (name, setting) in enumerate(settings.items()):
        share = max(0.0, task.left) / (len(settings) - number)
        row: Row = {"setting": setting}
        try:
            measured(task, name, setting | {"data_root": str(roots[setting["data"]])}, share, row)
        except Exception as error:  # the other settings can be measured
            row["failed"] = f"{type(error).__name__}: {error}"
            task.rows.add(name, row)
            task.rows.note(f"{name}: {row['failed']}")


def measured(task: Task, name: str, setting: dict[str, Any], seconds: float, row: Row) -> None:
    """Both loops; the row is written whenever a trial has ended."""
    folder = task.scratch / f"trials-{name}"
    folder.mkdir()
    trials = 3 if task.small else 1000
    options = {"strategy": "random", "pruner": "none", "trials": trials, "device": task.device.type, **setting}

    def report(figures: Row) -> None:
        row["ours"] = figures
        task.rows.add(name, row)

    searched(folder, options, 600.0 if task.small else OURS * seconds, report, least=LEAST)
    records = [record for record in records_of(folder / "run") if record.state == "complete"]
    row["loop"] = {}
    workers = WORKERS[:1] if task.small else WORKERS
    for count in workers:
        loop = practitioner(task, records, setting, count, 0.8 * (1 - OURS) * seconds / len(workers))
        row["loop"][f"{count} workers"] = loop
        task.rows.add(name, row)
    theirs = max(each["trials_per_hour"] for each in row["loop"].values())
    ours = row["ours"].get("trials_per_hour_after_the_first", row["ours"]["trials_per_hour"])
    row["ratio"], row["ratio_with_start"] = ours / theirs, row["ours"]["trials_per_hour"] / theirs
    task.rows.add(name, row)
    task.rows.goal(f"{name}: trials per hour, ours / loop", GOAL, row["ratio"])


def practitioner(task: Task, records: list[Any], setting: dict[str, Any], workers: int, seconds: float) -> Row:
    """The loop on the networks of ``records`` for at most ``seconds``; its first trial, a warm-up, does not count."""
    names = ("name", "root", "image_size", "limit")
    keys = ("data", "data_root", "image_size", "train_images")
    data = ins.load_data(**{name: setting[key] for name, key in zip(names, keys, strict=True)})
    options = {"num_workers": workers, "persistent_workers": workers > 0, "pin_memory": task.device.type == "cuda"}
    batch = setting["batch_size"]
    train = DataLoader(TensorImages(data, "train", train=True), batch, shuffle=True, drop_last=True, **options)
    validation = DataLoader(TensorImages(data, "validation", train=False), batch, **options)
    loop = {"networks": [record.network for record in records], "fidelity": records[0].fidelity}
    study = optuna.create_study(direction="maximize")
    study.optimize(
        lambda trial: objective(trial, loop, (train, validation), task.device),
        n_trials=min(len(records), 2 if task.small else len(records)),
        timeout=seconds,
    )
    spent = [trial.duration.total_seconds() for trial in study.trials if trial.duration is not None]
    steady = spent[1:] or spent
    return {"trials": len(spent), "seconds": round(sum(spent), 2), "trials_per_hour": 3600 * len(steady) / sum(steady)}
