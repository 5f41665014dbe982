"""timm's networks with random weights and statistics, and copying them into ours by order of execution."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

LAYERS = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)


def timm_network(name: str, **options: Any) -> nn.Module:
    """A timm network with seeded random weights; batch norm far from its initial state."""
    import tests.torchvision_shim  # noqa: F401, I001 - must come before timm
    import timm

    model: nn.Module = timm.create_model(name, **options)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.copy_(torch.rand(parameter.shape, generator=generator) * 0.5 + 0.75)
            else:
                scale = (2 / parameter[0].numel()) ** 0.5
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale)
        for buffer in model.buffers():
            if buffer.dtype.is_floating_point:
                buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.5)
    return model


def executed(model: nn.Module, x: torch.Tensor) -> list[nn.Module]:
    """The layers with weights in the order in which a forward pass of ``x`` meets them."""
    met: list[nn.Module] = []
    hooks = [
        m.register_forward_hook(lambda module, _inputs, _output: met.append(module))
        for m in model.modules()
        if isinstance(m, LAYERS)
    ]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return met


def copy_weights(source: nn.Module, target: nn.Module, x: torch.Tensor) -> None:
    """Copy every layer of ``source`` to the layer of ``target`` that runs at the same point."""
    theirs, ours = executed(source, x), executed(target, x)
    assert len(theirs) == len(ours)
    for one, other in zip(theirs, ours, strict=True):
        other.load_state_dict(one.state_dict())  # strict: names and shapes must agree
