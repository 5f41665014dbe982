"""Fold batch norms into the convolutions before them, which saves passes over memory in evaluation.

In evaluation, a batch norm multiplies and shifts each channel, which a convolution can do by its weights and bias. The
folded network is equal up to rounding (Jacob et al., "Quantization and Training of Neural Networks", 1712.05877, 3.2).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

_FOLDED = "folded_"


class FoldedNorms:
    """A network in evaluation mode with folded norms; fold it again after weights or statistics have changed."""

    def __init__(self, model: nn.Module) -> None:
        """``model`` is only read, never changed; a module that is not a graph module is used unchanged."""
        self.run, self.convs = _folded(model) if isinstance(model, fx.GraphModule) else (model, [])

    def fold(self) -> nn.Module:
        """The module with the current weights and statistics; other layers, and their modes, are shared with the model.

        It maps (N, C, H, W) to the output of the model in evaluation mode.
        """
        for conv in self.convs:
            conv.fold()
        return self.run


class FoldedConv(nn.Module):
    """A convolution with the batch norm after it folded in; call :meth:`fold` before the first use."""

    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.pair = (conv, norm)  # in a tuple, so that they are not submodules: the model sets their modes

    @torch.no_grad()
    def fold(self) -> None:
        """Fold the current weights and running statistics."""
        conv, norm = self.pair
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = torch.rsqrt(norm.running_var + norm.eps)
        scale = scale if norm.weight is None else scale * norm.weight
        mean = norm.running_mean if conv.bias is None else norm.running_mean - conv.bias
        self.weight = conv.weight * scale[:, None, None, None]
        self.bias = -mean * scale if norm.bias is None else norm.bias - mean * scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, width, H', W')."""
        conv = self.pair[0]
        where: Any = (conv.stride, conv.padding, conv.dilation, conv.groups)
        return F.conv2d(x, self.weight, self.bias, *where)


def _folded(model: fx.GraphModule) -> tuple[nn.Module, list[FoldedConv]]:
    """The module without its norms, and the convolutions to fold before it runs."""
    modules: dict[str, Any] = dict(model.named_modules())
    pairs = {norm: conv for norm in model.graph.nodes if (conv := _conv_before(norm, modules)) is not None}
    if not pairs:
        return model, []
    skipped = set(pairs.values())
    graph, copies = fx.Graph(), dict[fx.Node, fx.Node]()
    for node in model.graph.nodes:
        if node in pairs:
            conv = pairs[node]
            name = f"{_FOLDED}{len(modules)}"
            modules[name] = FoldedConv(modules[str(conv.target)], modules[str(node.target)])
            copies[node] = graph.call_module(name, (copies[conv.all_input_nodes[0]],))
        elif node not in skipped:
            copies[node] = graph.node_copy(node, lambda old: copies[old])
    return fx.GraphModule(modules, graph, class_name="Folded"), [
        module for module in modules.values() if isinstance(module, FoldedConv)
    ]


def _conv_before(node: fx.Node, modules: dict[str, Any]) -> fx.Node | None:
    """The convolution whose only reader is ``node``; None if there is none, or ``node`` is not a batch norm."""
    if node.op != "call_module" or type(norm := modules[str(node.target)]) is not nn.BatchNorm2d:
        return None
    before = node.all_input_nodes[0]
    if norm.running_mean is None or before.op != "call_module" or len(before.users) > 1:
        return None
    conv = modules[str(before.target)]
    return before if type(conv) is nn.Conv2d and conv.padding_mode == "zeros" else None
