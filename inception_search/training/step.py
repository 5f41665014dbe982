"""One optimizer step: forward, loss, backward, clipping, update of the weights and of their average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from inception_search.errors import ConfigError
from inception_search.training.evaluate import autocast
from inception_search.training.fidelity import Fidelity
from inception_search.training.weight_average import WeightAverage


@dataclass(eq=False)
class Work:
    """The objects of a step; ``parameters`` are the trainable ones."""

    model: nn.Module
    optimizer: Optimizer
    fidelity: Fidelity
    aux_weights: tuple[float, ...]
    average: WeightAverage | None
    class_weights: Tensor | None = None
    """The weight of each class in the loss, float32 (classes,); None: equal weights."""
    compute: nn.Module | None = None
    """What computes the output of the model: a rewritten form of it; None: the model itself."""
    parameters: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]

    def prepare(self, rate: float | Tensor, number: int) -> None:
        """Set the learning rate and the step count for step ``number`` (1, 2, ...)."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        if self.average is not None:
            self.average.set_step(number)

    def run(self, images: Tensor, labels: Tensor, *, cache: bool = True) -> Tensor:
        """Take the step on ``images`` (B, C, H, W) and ``labels`` (B,); returns the loss before it, a detached scalar.

        It never waits for the device. ``cache``: let autocast cache cast weights.
        """
        with autocast(images.device, self.fidelity.precision, cache=cache):
            output = (self.compute or self.model)(images)
            loss = total_loss(output, labels, self.aux_weights, self.fidelity.label_smoothing, self.class_weights)
        loss.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(self.parameters, self.fidelity.gradient_clip, foreach=True)
        self.optimizer.step()
        if self.average is not None:
            self.average.update()
        return loss.detach()


class Step(Protocol):
    """A function that takes steps."""

    notes: list[str]

    def __call__(self, images: Tensor, labels: Tensor, rate: float, number: int) -> Tensor:
        """Take step ``number`` (1, 2, ...) at learning rate ``rate``; the loss is valid until the next step."""


class EagerStep:
    """A step whose operations Python launches one by one."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.notes: list[str] = []

    def __call__(self, images: Tensor, labels: Tensor, rate: float, number: int) -> Tensor:
        self.work.prepare(rate, number)
        self.work.optimizer.zero_grad(set_to_none=True)
        return self.work.run(images, labels)


def total_loss(
    output: Tensor | tuple[Tensor, ...],
    labels: Tensor,
    aux_weights: Sequence[float],
    smoothing: float,
    class_weights: Tensor | None = None,
) -> Tensor:
    """Cross-entropy of the main logits (B, classes) plus that of each auxiliary classifier times its weight.

    With ``class_weights`` (classes,) an image has the weight of its class, as in ``torch.nn.CrossEntropyLoss``: the
    weighted sum over the batch is divided by the sum of weights, so that the scale of the loss does not change.

    Raises ConfigError if the number of auxiliary outputs of the model differs from the number of weights.
    """
    logits, *extra = output if isinstance(output, tuple) else (output,)
    if len(extra) != len(aux_weights):
        expected = f"{len(extra)} for the auxiliary outputs of the model"
        raise ConfigError("wrong number of weights", path="aux_weights", found=len(aux_weights), expected=expected)
    loss = _cross_entropy(logits, labels, smoothing, class_weights)
    for weight, other in zip(aux_weights, extra, strict=True):
        loss = loss + weight * _cross_entropy(other, labels, smoothing, class_weights)
    return loss


def _cross_entropy(logits: Tensor, labels: Tensor, smoothing: float, class_weights: Tensor | None) -> Tensor:
    """``F.cross_entropy``, computed explicitly with weights: torch's version with smoothing does not support vmap."""
    if class_weights is None:
        return F.cross_entropy(logits, labels, label_smoothing=smoothing)
    likelihoods = F.log_softmax(logits.float(), 1)
    weights = class_weights[labels]
    own = -(weights * likelihoods.gather(1, labels[:, None])[:, 0]).sum()
    every = -(likelihoods * class_weights).sum() / logits.shape[1]
    return ((1 - smoothing) * own + smoothing * every) / weights.sum()
