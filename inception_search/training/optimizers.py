"""The optimizers a fidelity can name, each with the defaults it wants.

A new optimizer is a row of :data:`OPTIMIZERS` and a name in :data:`OptimizerName`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from inception_search.training.rmsprop import RMSProp

if TYPE_CHECKING:
    from inception_search.training.fidelity import Fidelity

OptimizerName = Literal["sgd", "rmsprop", "adamw"]
Groups = list[dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """How to make an optimizer, and the fidelity fields whose defaults are its own."""

    make: Callable[[Groups, Fidelity, bool], Optimizer]
    defaults: Mapping[str, float]


def make_optimizer(model: nn.Module, fidelity: Fidelity, *, capturable: bool = False) -> Optimizer:
    """The optimizer of ``fidelity`` over what of ``model`` trains; ``capturable``: it can be part of a CUDA graph.

    Weight decay is for the weights of convolutions and linears only.
    """
    return optimizer_over(((p, p.ndim) for p in model.parameters() if p.requires_grad), fidelity, capturable=capturable)


def optimizer_over(
    parameters: Iterable[tuple[Tensor, int]], fidelity: Fidelity, *, capturable: bool = False
) -> Optimizer:
    """The same over (parameter, number of dimensions it has in the network); those with one or none do not decay."""
    listed = list(parameters)
    decayed = [p for p, dimensions in listed if dimensions > 1]
    spared = [p for p, dimensions in listed if dimensions <= 1]
    groups: Groups = [{"params": decayed}, {"params": spared, "weight_decay": 0.0}]
    return OPTIMIZERS[fidelity.optimizer].make(groups, fidelity, capturable)


def parameters_of(optimizer: Optimizer) -> Iterator[Tensor]:
    """All parameters, always in the same order."""
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
    """A field that a made fidelity has by its optimizer's defaults."""
    assert value is not None
    return value


OPTIMIZERS: Mapping[OptimizerName, Row] = {
    "sgd": Row(_sgd, {"learning_rate": 0.1, "weight_decay": 5e-4}),
    # Szegedy et al. 2016 and the code published with it.
    "rmsprop": Row(_rmsprop, {"learning_rate": 0.045, "weight_decay": 4e-5, "alpha": 0.9, "epsilon": 1.0}),
    "adamw": Row(_adamw, {"learning_rate": 2e-3, "weight_decay": 0.05, "alpha": 0.999, "epsilon": 1e-8}),
}
