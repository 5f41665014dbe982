"""The table of optimizers.

A new optimizer is a row of :data:`OPTIMIZERS`; its name and its defaults are in
:mod:`inception_search.training.fidelity`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from inception_search.training.fidelity import Fidelity, OptimizerName
from inception_search.training.rmsprop import RMSProp

Groups = list[dict[str, Any]]


def make_optimizer(model: nn.Module, fidelity: Fidelity, *, capturable: bool = False) -> Optimizer:
    """The optimizer of ``fidelity`` for the trainable parameters of ``model``; ``capturable``: usable in a CUDA graph.

    Weight decay applies only to the weights of convolutions and linear layers.
    """
    return optimizer_over(((p, p.ndim) for p in model.parameters() if p.requires_grad), fidelity, capturable=capturable)


def optimizer_over(
    parameters: Iterable[tuple[Tensor, int]], fidelity: Fidelity, *, capturable: bool = False
) -> Optimizer:
    """The optimizer for pairs (parameter, its dimensions in the network); those with one or none do not decay."""
    listed = list(parameters)
    decayed = [p for p, dimensions in listed if dimensions > 1]
    spared = [p for p, dimensions in listed if dimensions <= 1]
    groups: Groups = [{"params": decayed}, {"params": spared, "weight_decay": 0.0}]
    return OPTIMIZERS[fidelity.optimizer](groups, fidelity, capturable)


def parameters_of(optimizer: Optimizer) -> Iterator[Tensor]:
    """All parameters in a fixed order."""
    for group in optimizer.param_groups:
        yield from group["params"]


def _sgd(groups: Groups, fidelity: Fidelity, capturable: bool) -> Optimizer:
    return SGD(
        groups,
        lr=fidelity.learning_rate,
        momentum=fidelity.momentum,
        weight_decay=fidelity.weight_decay,
        nesterov=fidelity.momentum > 0,
        fused=True,
    )


def _rmsprop(groups: Groups, fidelity: Fidelity, capturable: bool) -> Optimizer:
    return RMSProp(
        groups,
        lr=fidelity.learning_rate,
        alpha=_known(fidelity.alpha),
        eps=_known(fidelity.epsilon),
        momentum=fidelity.momentum,
        weight_decay=fidelity.weight_decay,
    )


def _adamw(groups: Groups, fidelity: Fidelity, capturable: bool) -> Optimizer:
    return AdamW(
        groups,
        lr=fidelity.learning_rate,
        betas=(fidelity.momentum, _known(fidelity.alpha)),
        eps=_known(fidelity.epsilon),
        weight_decay=fidelity.weight_decay,
        fused=True,
        capturable=capturable,
    )


def _known(value: float | None) -> float:
    """``value``, which is never None in a Fidelity because its optimizer has a default."""
    assert value is not None
    return value


OPTIMIZERS: Mapping[OptimizerName, Callable[[Groups, Fidelity, bool], Optimizer]] = {
    "sgd": _sgd,
    "rmsprop": _rmsprop,
    "adamw": _adamw,
}
