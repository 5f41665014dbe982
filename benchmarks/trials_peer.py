"""The loop a practitioner writes: Optuna, a Dataset, a DataLoader, eager modules, one trial after another.

    python benchmarks/trials_peer.py TASK.json      trains the networks of the task, writes ANSWER beside it

The recipe is that of the search it is compared with, in torch's own words: SGD with Nesterov momentum, one cycle of
the learning rate, label smoothing, clipped gradients, a validation after every epoch. Only the networks come from
outside, as modules: what is compared is how they are trained.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import optuna
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

import inception_search as ins
from inception_search.backend.compile import build
from inception_search.lowering import lower
from inception_search.spec.document import network_from_data


class Images(Dataset[tuple[Tensor, int]]):
    """Images of a split, normalised one by one as ``ToTensor`` and ``Normalize`` do."""

    def __init__(self, split: Any, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        self.images, self.labels = split.images, split.labels
        self.mean = torch.tensor(mean).view(-1, 1, 1)
        self.std = torch.tensor(std).view(-1, 1, 1)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = self.images[index].float().div(255.0)
        return (image - self.mean) / self.std, int(self.labels[index])


def objective(trial: optuna.Trial, task: dict[str, Any], loaders: tuple[Any, Any]) -> float:
    """Train one network; its validation accuracy."""
    network = network_from_data(task["networks"][trial.number])
    torch.manual_seed(trial.number)
    model = build(lower(network), name=network.name, seed=trial.number)
    train, validation = loaders
    recipe = task["fidelity"]
    decayed = [p for p in model.parameters() if p.ndim > 1]
    spared = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe["weight_decay"]}, {"params": spared}]
    optimizer = torch.optim.SGD(groups, lr=recipe["learning_rate"], momentum=recipe["momentum"], nesterov=True)
    steps, rising = recipe["epochs"] * len(train), recipe["warmup"]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: factor(step / steps, rising))
    criterion = nn.CrossEntropyLoss(label_smoothing=recipe["label_smoothing"])
    accuracy = 0.0
    for epoch in range(recipe["epochs"]):
        model.train()
        for images, labels in train:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), recipe["gradient_clip"])
            optimizer.step()
            schedule.step()
        accuracy = evaluate(model, validation)
        trial.report(accuracy, epoch)
    return accuracy


def factor(done: float, rising: float) -> float:
    """Up in a line, down along half a cosine."""
    if done < rising:
        return max(done, 1e-3) / rising
    return (1.0 + math.cos(math.pi * (done - rising) / (1.0 - rising))) / 2.0


def evaluate(model: nn.Module, loader: Any) -> float:
    """The share of images whose class is found."""
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += int((model(images).argmax(1) == labels).sum())
            total += len(labels)
    return right / total


def main() -> None:
    path = Path(sys.argv[1])
    task = json.loads(path.read_text())
    data = ins.load_data(**task["data"])
    batch = task["fidelity"]["batch_size"]
    train = DataLoader(Images(data.splits["train"], data.mean, data.std), batch, shuffle=True, drop_last=True)
    validation = DataLoader(Images(data.splits["validation"], data.mean, data.std), batch)
    study = optuna.create_study(direction="maximize")
    study.optimize(lambda trial: objective(trial, task, (train, validation)), n_trials=len(task["networks"]))
    path.with_name("answer.json").write_text(json.dumps([trial.value for trial in study.trials]))


if __name__ == "__main__":
    main()
