"""One optimiser step: forward, loss, backward, clipping, the move of the weights and of their average."""

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
    """What a step works on; ``parameters`` are those that train."""

    model: nn.Module
    optimizer: Optimizer
    fidelity: Fidelity
    aux_weights: tuple[float, ...]
    average: WeightAverage | None
    class_weights: Tensor | None = None
    """What each class counts in the loss, float32 (classes,); None: all alike."""
    parameters: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]

    def prepare(self, rate: float | Tensor, number: int) -> None:
        """Set the learning rate and the count of step ``number`` (1, 2, ...)."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        if self.average is not None:
            self.average.set_step(number)

    def run(self, images: Tensor, labels: Tensor, *, cache: bool = True) -> Tensor:
        """The step on ``images`` (B, C, H, W) and ``labels`` (B,); the loss before it, a detached scalar.

        Nothing in it waits for the device. ``cache``: let autocast keep the weights it has cast.
        """
        with autocast(images.device, self.fidelity.precision, cache=cache):
            output = self.model(images)
            loss = total_loss(output, labels, self.aux_weights, self.fidelity.label_smoothing, self.class_weights)
        loss.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(self.parameters, self.fidelity.gradient_clip, foreach=True)
        self.optimizer.step()
        if self.average is not None:
            self.average.update()
        return loss.detach()


class Step(Protocol):
    """A way to take steps."""

    notes: list[str]

    def __call__(self, images: Tensor, labels: Tensor, rate: float, number: int) -> Tensor:
        """Step ``number`` (1, 2, ...) at learning rate ``rate``; the loss, to be read before the next step."""


class EagerStep:
    """Every operation launched by Python, one after the other."""

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
    """Cross-entropy of the main logits (B, classes) plus that of each auxiliary head times its weight.

    With ``class_weights`` (classes,) an image counts as much as its class, as in ``torch.nn.CrossEntropyLoss``: the
    weighted sum over the batch is divided by the weights of its images, so that the step is as long as without.
    Raises ConfigError when the model gives another number of auxiliary outputs than there are weights.
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
    """``F.cross_entropy``, written out where it has weights: torch's own with both cannot be taken through vmap."""
    if class_weights is None:
        return F.cross_entropy(logits, labels, label_smoothing=smoothing)
    likelihoods = F.log_softmax(logits.float(), 1)
    weights = class_weights[labels]
    own = -(weights * likelihoods.gather(1, labels[:, None])[:, 0]).sum()
    every = -(likelihoods * class_weights).sum() / logits.shape[1]
    return ((1 - smoothing) * own + smoothing * every) / weights.sum()
