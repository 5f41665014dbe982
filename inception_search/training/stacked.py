"""Several networks of one architecture as one: every parameter and buffer with a leading axis of networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.optim import Optimizer

from inception_search.training.average import WeightAverage
from inception_search.training.evaluate import autocast
from inception_search.training.fidelity import Fidelity
from inception_search.training.norm_statistics import uncounted
from inception_search.training.optimizers import optimizer_over, parameters_of
from inception_search.training.step import Work, total_loss


class StackedWork(Work):
    """The step of S networks at once, on images (S, B, C, H, W) and labels (S, B); losses (S,).

    Each network has its own gradient norm, clipped by itself, and its own batch norm statistics; the optimizers of
    the table treat every number by itself, so that one of them serves all.
    """

    def __init__(
        self,
        models: Sequence[nn.Module],
        fidelity: Fidelity,
        aux_weights: tuple[float, ...],
        class_weights: Tensor | None = None,
        *,
        capturable: bool = False,
    ) -> None:
        with ExitStack() as counters:
            for model in models:
                model.train()
                counters.enter_context(uncounted(model, lambda: 0))
            self.state, self.buffers = _stacked(models)
            skeleton = deepcopy(models[0])  # without counters, which its copies then do not have either
        self.models = tuple(models)
        trained = {name: p for name, p in self.state.items() if p.requires_grad}
        optimizer = optimizer_over(((p, p.ndim - 1) for p in trained.values()), fidelity, capturable=capturable)
        live = [p.detach() for p in trained.values()]
        live += [b for b in self.buffers.values() if b.is_floating_point()]
        average = WeightAverage(live, fidelity.ema) if fidelity.ema else None
        super().__init__(skeleton, optimizer, fidelity, aux_weights, average, class_weights)
        self.parameters = list(trained.values())

    def run(self, images: Tensor, labels: Tensor, *, cache: bool = True) -> Tensor:
        """One step of every network; the losses (S,) before it, detached. Nothing waits for the device."""
        with autocast(images.device, self.fidelity.precision, cache=cache):
            losses: Tensor = vmap(self._loss, randomness="different")(self.state, self.buffers, images, labels)
        losses.sum().backward()  # type: ignore[no-untyped-call]
        clip_each([p.grad for p in self.parameters if p.grad is not None], self.fidelity.gradient_clip)
        self.optimizer.step()
        if self.average is not None:
            self.average.update()
        return losses.detach()

    def _loss(self, state: dict[str, Tensor], buffers: dict[str, Tensor], images: Tensor, labels: Tensor) -> Tensor:
        output = functional_call(self.model, (state, buffers), (images,))
        return total_loss(output, labels, self.aux_weights, self.fidelity.label_smoothing, self.class_weights)

    @torch.no_grad()
    def unstack(self) -> None:
        """Give every network its own part of the stack."""
        for index, model in enumerate(self.models):
            for own, stacked in self._pairs(model):
                own.copy_(stacked[index])

    @torch.no_grad()
    def restack_buffers(self) -> None:
        """Take the networks' buffers (norm statistics) back into the stack."""
        for index, model in enumerate(self.models):
            own = dict(model.named_buffers())
            for name, stacked in self.buffers.items():
                stacked[index].copy_(own[name])

    def take_states(self, optimizers: Sequence[Optimizer], averages: Sequence[WeightAverage]) -> None:
        """Take over how far the networks' own optimizers and averages (none where the recipe has none) have come."""
        for stacked, *own in zip(parameters_of(self.optimizer), *map(parameters_of, optimizers), strict=True):
            states = [optimizer.state.get(p, {}) for optimizer, p in zip(optimizers, own, strict=True)]
            for key, value in states[0].items():
                if isinstance(value, Tensor) and value.shape == own[0].shape:
                    value = torch.empty_like(stacked).copy_(torch.stack([state[key] for state in states]))
                self.optimizer.state[stacked][key] = value
        if self.average is not None:
            for mean, *parts in zip(self.average.means, *(average.means for average in averages), strict=True):
                mean.copy_(torch.stack(parts))

    def give_states(self, optimizers: Sequence[Optimizer], averages: Sequence[WeightAverage]) -> None:
        """Show in the networks' own optimizers and averages how far the stack has come; views, until it goes on."""
        for index, optimizer in enumerate(optimizers):
            for stacked, own in zip(parameters_of(self.optimizer), parameters_of(optimizer), strict=True):
                optimizer.state[own] = {
                    key: value[index] if isinstance(value, Tensor) and value.shape == stacked.shape else value
                    for key, value in self.optimizer.state.get(stacked, {}).items()
                }
        if self.average is not None:
            for index, average in enumerate(averages):
                average.means = [mean[index] for mean in self.average.means]

    def _pairs(self, model: nn.Module) -> Iterable[tuple[Tensor, Tensor]]:
        own = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        return ((own[name], stacked) for name, stacked in {**self.state, **self.buffers}.items())


def _stacked(models: Sequence[nn.Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters and buffers of ``models``, each stacked.

    As ``torch.func.stack_module_state``, but also for graph modules, each of which has a class of its own.
    """
    parameters = [dict(model.named_parameters()) for model in models]
    buffers = [dict(model.named_buffers()) for model in models]
    state = {
        name: torch.stack([own[name].detach() for own in parameters]).requires_grad_(p.requires_grad)
        for name, p in parameters[0].items()
    }
    return state, {name: torch.stack([own[name] for own in buffers]) for name in buffers[0]}


def clip_each(gradients: Sequence[Tensor], largest: float) -> None:
    """Scale the gradients of each network, in place, to a norm of at most ``largest`` over all of them.

    ``gradients`` have a leading axis of networks (S, ...); as ``clip_grad_norm_`` does for one network.
    """
    if not gradients:
        return
    parts = torch.stack([torch.linalg.vector_norm(g.flatten(1), dim=1) for g in gradients])
    scale = (largest / (torch.linalg.vector_norm(parts, dim=0) + 1e-6)).clamp(max=1.0)
    for g in gradients:
        g.mul_(scale.view(-1, *[1] * (g.ndim - 1)))
