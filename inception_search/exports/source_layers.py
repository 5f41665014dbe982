"""Layers as calls, and the small classes that a file needs for what torch does not have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inception_search.errors import CompileError
from inception_search.exports.source_tree import Call, Num, Unit
from inception_search.graph import ops
from inception_search.graph.op import Op
from inception_search.graph.ops.act import ACTIVATIONS

SAME = "Same"  # prefix of classes with TensorFlow's SAME padding
TORCH_EPS, TORCH_MOMENTUM = 1e-5, 0.1  # the defaults of torch's batch norm


def layer(op: Op, channels: Num) -> Call:
    """The module of ``op`` on ``channels`` channels; raises :class:`CompileError` for an op of another package."""
    rule = LAYERS.get(type(op))
    if rule is None:
        raise no_source(op)
    return rule(op, channels)


def no_source(op: Op, path: str | None = None) -> CompileError:
    """The error for an op of another package."""
    return CompileError(
        "an op of another package cannot be written as source",
        path=path,
        found=op.name,
        expected=f"ops of this package: {', '.join(ops.OPS)}",
        hint="export the network as .pt2, which holds the modules of all ops",
    )


def norm_call(norm: ops.BatchNorm, channels: Any, dims: int = 2) -> Call:
    """The batch norm on ``channels`` channels."""
    options: list[tuple[str, Any]] = [("eps", norm.eps)] if norm.eps != TORCH_EPS else []
    if norm.momentum != TORCH_MOMENTUM:
        options.append(("momentum", norm.momentum))
    name = "nn.BatchNorm" if norm.gamma else "ShiftBatchNorm"
    return Call(f"{name}{dims}d", (channels,), tuple(options))


def act_call(kind: str, *, inplace: bool) -> Call:
    """The activation; ``inplace``: it may overwrite its input."""
    overwrites = inplace and kind in OVERWRITING
    return Call(f"nn.{ACTIVATIONS[kind]}", (), (("inplace", True),) if overwrites else ())


OVERWRITING = ("relu", "relu6", "leaky_relu", "elu", "silu")


def short(pair: tuple[int, int]) -> int | tuple[int, int]:
    """Equal (height, width) as one number."""
    return pair[0] if pair[0] == pair[1] else pair


def _pool(op: ops.Pool, channels: Num) -> Call:
    options: list[tuple[str, Any]] = []
    if op.stride != op.kernel:
        options.append(("stride", short(op.stride)))
    if op.padding != "tf" and op.padding != (0, 0):
        options.append(("padding", short(op.padding)))
    if op.ceil and op.padding != "tf":
        options.append(("ceil_mode", True))
    if op.mode == "avg" and op.padding != (0, 0) and not op.count_pad:
        options.append(("count_include_pad", False))
    name = {"max": "MaxPool2d", "avg": "AvgPool2d", "l2": "L2Pool2d"}[op.mode]
    prefix = SAME if op.padding == "tf" else "" if op.mode == "l2" else "nn."
    return Call(f"{prefix}{name}", (short(op.kernel),), tuple(options))


def _lrn(op: ops.Lrn, channels: Num) -> Call:
    options = (("alpha", op.alpha, 1e-4), ("beta", op.beta, 0.75), ("k", op.k, 1.0))
    return Call(
        "nn.LocalResponseNorm", (op.size,), tuple((name, value) for name, value, usual in options if value != usual)
    )


def _adaptive(size: Any, mode: str) -> Call:
    return Call(f"nn.Adaptive{mode.capitalize()}Pool2d", (size,))


LAYERS: Mapping[type[Op], Callable[[Any, Num], Call]] = {
    ops.Act: lambda op, channels: act_call(op.kind, inplace=False),
    ops.AdaptivePool: lambda op, channels: _adaptive(short(op.size), op.mode),
    ops.BatchNorm: norm_call,
    ops.Dropout: lambda op, channels: Call("nn.Dropout", (op.p,)),
    ops.GlobalPool: lambda op, channels: _adaptive(1, op.mode),
    ops.Lrn: _lrn,
    ops.Pool: _pool,
    ops.Zero: lambda op, channels: Call("Zero"),
}


def unit_words(unit: Unit) -> str:
    """What a unit is made of, as a sentence."""
    parts = ["convolution" if unit.layer == "conv" else "linear layer"]
    if unit.same:
        parts[0] += " (TensorFlow's SAME padding)"
    if not unit.bias:
        parts[0] += " without bias"
    if unit.norm:
        parts.append("batch norm")
    if unit.act:
        parts.append(ACTIVATIONS[unit.act])
    text = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f"{text[:1].upper()}{text[1:]}."


def unit_name(unit: Unit) -> str:
    """The usual name of a unit: ``ConvNormAct``."""
    name = f"{unit.layer.capitalize()}{'Norm' if unit.norm else ''}{'Act' if unit.act else ''}"
    return f"{SAME}{name}" if unit.same else name


def exact_unit_name(unit: Unit) -> str:
    """A name with the activation, for a network with several of the same parts: ``ConvNormGELU``."""
    return unit_name(unit).replace("Act", ACTIVATIONS[unit.act] if unit.act else "")
