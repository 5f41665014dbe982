"""The images by which a model is quantised, and the accuracy before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from inception_search.backend.network_module import NetworkModule
from inception_search.data.dataset import Dataset
from inception_search.errors import ConfigError, ShapeError

CALIBRATION_IMAGES = 256
_BATCH = 64
_TINY_BATCH = 16  # of a calibration, whose runtime keeps all values of all batches


class Accuracy(NamedTuple):
    """The share of validation images that are classified correctly, before and after, and their number."""

    before: float
    after: float
    images: int

    def __str__(self) -> str:
        change = 100 * (self.after - self.before)
        words = f"{100 * self.before:.2f} % before, {100 * self.after:.2f} % after ({change:+.2f} points)"
        return f"accuracy on {self.images:,} validation images: {words}"


class Calibration:
    """The images of a dataset as a model reads them.

    Args:
        data: the dataset; training images calibrate, validation images are classified.
        model: the model, in evaluation mode.
    """

    def __init__(self, data: Dataset, model: NetworkModule) -> None:
        self.data, self.model = data, model
        shape = model.network.input.shape
        if data.shape != shape:
            found, expected = _size(data.shape), f"{_size(shape)}, the input of the network"
            rule, hint = "other images than the network's", f"load the images with image_size={shape[1]}"
            raise ShapeError(rule, path="calibrate", found=found, expected=expected, hint=hint)
        if model.num_classes != len(data.classes):
            found = f"{len(data.classes)} classes"
            rule = "not the classes of the model"
            raise ConfigError(rule, path="calibrate", found=found, expected=f"{model.num_classes} classes")

    def batches(self) -> Iterator[Tensor]:
        """Batches (n, C, H, W) of training images, the same at every call."""
        chosen = torch.randperm(len(self.data.train), generator=torch.Generator().manual_seed(0))[:CALIBRATION_IMAGES]
        for batch in torch.split(self.data.train.images[chosen], _TINY_BATCH):
            yield self._normalised(batch)

    def accuracy(self, run: Callable[[Tensor], Tensor]) -> Accuracy:
        """The accuracy of the model, and of ``run``."""
        before = after = 0
        validation = self.data.validation
        batches = (torch.split(values, _BATCH) for values in (validation.images, validation.labels))
        for pixels, labels in zip(*batches, strict=True):
            images = self._normalised(pixels)
            with torch.inference_mode():
                before += int((self.model(images).argmax(1) == labels).sum())
            after += int((run(images).argmax(1) == labels).sum())
        return Accuracy(before / len(validation), after / len(validation), len(validation))

    def _normalised(self, pixels: Tensor) -> Tensor:
        facts = self.model.network.preprocess
        mean, std = (self.data.mean, self.data.std) if facts is None else (facts.mean, facts.std)
        scale = 1.0 if facts is None else facts.scale
        x = pixels.flip(1) if facts is not None and facts.order == "bgr" else pixels
        shape = (1, -1, 1, 1)
        return (x.float() * (scale / 255) - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
