"""``inception_v1@lucid`` computes what the port of inception5h computes, written here in plain functions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

import inception_search as ins
from inception_search.canonical.weight_names import entries
from inception_search.graph.layers import layers

MODULES = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
POOL_BEFORE = ("4a", "5a")


def random_weights() -> dict[str, Tensor]:
    """A seeded file of the port: its names, the shapes of our document."""
    generator = torch.Generator().manual_seed(3)
    graph = ins.lower(ins.load("inception_v1@lucid"))
    shapes = {layer.node: layer.shape for layer in layers(graph)}
    names: dict[str, Tensor] = {}
    for entry in entries(layers(graph), "inception_v1", "lucid"):
        node, _, kind = entry.key.rpartition(".")
        shape = shapes[node] if kind == "weight" else shapes[node][:1]
        inputs = torch.Size(shapes[node][1:]).numel()
        names[entry.name] = torch.randn(shape, generator=generator) * (2 / inputs) ** 0.5
    return names


def logits(x: Tensor, weights: dict[str, Tensor]) -> Tensor:
    """The port's forward pass: explicit padding, 2 before and 3 after in the stem, pools padded after only."""

    def conv(name: str, x: Tensor, stride: int = 1, pad: tuple[int, ...] | None = None) -> Tensor:
        weight = weights[f"{name}_pre_relu_conv.weight"]
        half = weight.shape[-1] // 2
        x = F.pad(x, pad or (half,) * 4)
        return F.relu(F.conv2d(x, weight, weights[f"{name}_pre_relu_conv.bias"], stride))

    def halved(x: Tensor) -> Tensor:
        return F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=float("-inf")), 3, 2)

    def lrn(x: Tensor) -> Tensor:
        return F.local_response_norm(x, 9, alpha=1e-4, beta=0.5, k=1)

    x = lrn(halved(conv("conv2d0", x, 2, (2, 3, 2, 3))))
    x = halved(lrn(conv("conv2d2", conv("conv2d1", x))))
    for module in MODULES:
        x = halved(x) if module in POOL_BEFORE else x
        name = f"mixed{module}"
        branches = [
            conv(f"{name}_1x1", x),
            conv(f"{name}_3x3", conv(f"{name}_3x3_bottleneck", x)),
            conv(f"{name}_5x5", conv(f"{name}_5x5_bottleneck", x)),
            conv(f"{name}_pool_reduce", F.max_pool2d(x, 3, 1, 1)),
        ]
        x = torch.cat(branches, 1)
    head = "softmax2_pre_activation_matmul"
    return F.linear(x.mean((2, 3)), weights[f"{head}.weight"], weights[f"{head}.bias"])


def test_logits_are_those_of_the_port() -> None:
    weights = random_weights()
    model = ins.compile("inception_v1@lucid", weights=weights).eval()
    assert model.loaded.implementation == "lucid"
    assert sum(tensor.numel() for tensor in weights.values()) == 7_066_380
    x = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        ours, theirs = model(x), logits(x, weights)
    assert ours.shape == (1, 1008)
    assert (ours - theirs).abs().max() <= 1e-5 * theirs.abs().max()


def test_the_weights_are_recognised_and_exported() -> None:
    weights = random_weights()
    model = ins.compile("inception_v1@lucid", weights=weights)
    exported = ins.export_weights(model, "lucid")
    assert exported.keys() == weights.keys()
    assert all(torch.equal(exported[name], tensor) for name, tensor in weights.items())
