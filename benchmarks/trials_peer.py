"""The loop a practitioner writes: Optuna, a Dataset, a DataLoader, eager modules, one trial after another.

    python benchmarks/trials_peer.py TASK.json      trains the networks of the task, writes ANSWER beside it

The recipe is that of the search it is compared with, in torch's own words: SGD with Nesterov momentum, one cycle of
the learning rate, label smoothing, clipped gradients, random crops and flips, a validation after every epoch. Only the
networks come from outside, as modules: what is compared is how they are trained.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

import inception_search as ins
from inception_search.backend.build import build
from inception_search.lowering import lower
from inception_search.spec.documents.parse import network_from_data


class Images(Dataset[tuple[Tensor, int]]):
    """Images of a split through the usual transforms, one by one and with Pillow, as torchvision's datasets do it.

    Resize; where they are trained on, RandomCrop with padding and RandomHorizontalFlip; ToTensor; Normalize.
    """

    def __init__(self, data: Any, split: str, side: int, *, train: bool) -> None:
        self.images, self.labels = data.splits[split].images.numpy(), data.splits[split].labels
        self.side, self.allowed = side, data.augmentation if train else None
        self.mean = torch.tensor(data.mean).view(-1, 1, 1)
        self.std = torch.tensor(data.std).view(-1, 1, 1)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        from PIL import Image

        image = Image.fromarray(self.images[index, 0], mode="L")
        image = image.resize((self.side, self.side), Image.Resampling.BILINEAR)
        if self.allowed is not None:
            image = self.augmented(image, round(self.allowed.shift * self.side))
        tensor = torch.from_numpy(np.array(image)).unsqueeze(0).to(torch.float32).div(255)
        return tensor.sub(self.mean).div(self.std), int(self.labels[index])

    def augmented(self, image: Any, padding: int) -> Any:
        """Cropped at random from itself with a border, and mirrored half of the time."""
        from PIL import Image, ImageOps

        padded = ImageOps.expand(image, padding)
        left, top = torch.randint(0, 2 * padding + 1, (2,)).tolist()
        image = padded.crop((left, top, left + self.side, top + self.side))
        if self.allowed.flip and torch.rand(1).item() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return image


def objective(
    trial: optuna.Trial, task: dict[str, Any], loaders: tuple[Any, Any], device: torch.device | str = "cpu"
) -> float:
    """Train one network; its validation accuracy."""
    network = network_from_data(task["networks"][trial.number])
    torch.manual_seed(trial.number)
    model = build(lower(network), name=network.name, seed=trial.number).to(device)
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
            loss = criterion(model(images.to(device)), labels.to(device))
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), recipe["gradient_clip"])
            optimizer.step()
            schedule.step()
        accuracy = evaluate(model, validation, device)
        trial.report(accuracy, epoch)
    return accuracy


def factor(done: float, rising: float) -> float:
    """Up in a line, down along half a cosine."""
    if done < rising:
        return max(done, 1e-3) / rising
    return (1.0 + math.cos(math.pi * (done - rising) / (1.0 - rising))) / 2.0


def evaluate(model: nn.Module, loader: Any, device: torch.device | str) -> float:
    """The share of images whose class is found."""
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += int((model(images.to(device)).argmax(1) == labels.to(device)).sum())
            total += len(labels)
    return right / total


def main() -> None:
    path = Path(sys.argv[1])
    task = json.loads(path.read_text())
    side = task["data"].pop("image_size")
    data = ins.load_data(**task["data"])
    batch = task["fidelity"]["batch_size"]
    train = DataLoader(Images(data, "train", side, train=True), batch, shuffle=True, drop_last=True)
    validation = DataLoader(Images(data, "validation", side, train=False), batch)
    study = optuna.create_study(direction="maximize")
    study.optimize(lambda trial: objective(trial, task, (train, validation)), n_trials=len(task["networks"]))
    path.with_name("answer.json").write_text(json.dumps([trial.value for trial in study.trials]))


if __name__ == "__main__":
    main()
