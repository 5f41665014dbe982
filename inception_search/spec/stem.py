"""The stem of a network: the layers before its first module, which reduce the image. Small images need less of it."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, TypeAlias

from inception_search.errors import SpecError
from inception_search.spec.base_model import SpecModel
from inception_search.spec.factorisation import stride_of
from inception_search.spec.network import Network
from inception_search.spec.step import (
    AnyStep,
    Block,
    Chain,
    Concat,
    Conv,
    Dag,
    Depthwise,
    Pool,
    Repeat,
    Use,
    children,
)
from inception_search.spec.transform import map_children, remake

STEM = "stem"
MOST = 33  # strides below this are tried, to list the possible ones in an error
Blocks: TypeAlias = dict[str, AnyStep]


def stem_stages(network: Network) -> tuple[str, ...]:
    """The stages of the stem: the stage named ``stem``, else those before the first with branches, else the first."""
    if STEM in network.stages:
        return (STEM,)
    leading = []
    for name, step in network.stages.items():
        if _has_branches(step, network):
            break
        leading.append(name)
    return (next(iter(network.stages)),) if len(leading) in (0, len(network.stages)) else tuple(leading)


def set_stem_stride(network: Network, stride: int) -> Network:
    """Reduce the total stride of a network's stem, for small images.

    Strides of the stem are set to 1 (with padding ``same``), from its first layer on, until their product is
    ``stride``. No layer is removed, so that weights still fit.

    Args:
        network: the network.
        stride: the total stride of the stem: 1, 2, 4 ...

    Returns:
        The changed network.

    Raises:
        SpecError: the stem cannot have this stride; the error lists those that are possible.

    >>> ins.lower(ins.set_stem_stride("inception_v3", 2)).cost().params == ins.lower("inception_v3").cost().params
    True
    """
    made = _limited(network, stride) if stride > 0 else network
    if stem_stride(made) != stride:
        possible = {stem_stride(_limited(network, most)) for most in range(1, MOST)} | {stem_stride(network)}
        expected = f"one of {', '.join(map(str, sorted(possible)))}"
        raise SpecError("the stem cannot have this stride", found=stride, expected=expected)
    return made


def stem_stride(network: Network) -> int:
    """The total stride of the stem, which divides the height and width of the image (assuming same padding)."""
    return prod(_stride(network.stages[name], network.blocks) for name in stem_stages(network))


def _has_branches(step: AnyStep, network: Network) -> bool:
    step = network.resolve(step)
    inside = children(step)
    return isinstance(step, Concat | Block | Dag) or any(_has_branches(part, network) for _, part in inside)


def _limited(network: Network, stride: int) -> Network:
    """``network`` with a total stride of at most ``stride`` in its stem; the last stages keep their strides."""
    stages, blocks = dict(network.stages), dict(network.blocks)
    for name in reversed(stem_stages(network)):
        stages[name] = _kept(stages[name], stride, blocks)
        stride = max(1, stride // _stride(stages[name], blocks))
    return remake(network, stages=stages, blocks=blocks)


def _stride(step: AnyStep, blocks: Blocks) -> int:
    """The total stride of a step, along the branch with the largest."""
    rule = STRIDES.get(type(step))
    return rule(step, blocks) if rule else 1


def _dag_stride(dag: Dag, blocks: Blocks) -> int:
    strides = [1]
    for node in dag.nodes:
        joined = max(strides[entry.node] * _stride(entry.step, blocks) for entry in node.inputs)
        strides.append(joined * _stride(node.then, blocks))
    return strides[-1]


STRIDES: dict[type[SpecModel], Callable[[Any, Blocks], int]] = {
    **dict.fromkeys((Conv, Depthwise, Pool), lambda step, blocks: max(stride_of(step.stride))),
    Chain: lambda step, blocks: prod(_stride(part, blocks) for part in step.steps),
    Concat: lambda step, blocks: max(_stride(branch, blocks) for branch in step.branches),
    Block: lambda step, blocks: _stride(step.body, blocks),
    Dag: _dag_stride,
    Repeat: lambda step, blocks: _stride(step.body, blocks) ** step.times,
    Use: lambda step, blocks: _stride(blocks[step.name], blocks),
}


def _kept(step: AnyStep, stride: int, blocks: Blocks) -> AnyStep:
    """``step`` with a total stride of at most ``stride``; its last steps keep theirs. Adds changed blocks."""
    return step if _stride(step, blocks) <= stride else KEPT[type(step)](step, stride, blocks)


def _unstrided(step: Conv | Depthwise | Pool, stride: int, blocks: Blocks) -> AnyStep:
    """``step`` with stride 1 and an output as large as its input."""
    odd = step.kernel[0] % 2 == 1 and step.kernel[1] % 2 == 1
    return remake(step, stride=1, padding="same" if odd else "tf")


def _kept_in_chain(step: Chain, stride: int, blocks: Blocks) -> AnyStep:
    parts: list[AnyStep] = []
    for part in reversed(step.steps):
        parts.append(_kept(part, stride, blocks))
        stride = max(1, stride // _stride(parts[-1], blocks))
    return remake(step, steps=tuple(reversed(parts)))


def _kept_in_all(step: AnyStep, stride: int, blocks: Blocks) -> AnyStep:
    return map_children(step, lambda part: _kept(part, stride, blocks))


def _kept_in_block(step: Block, stride: int, blocks: Blocks) -> AnyStep:
    body = _kept(step.body, stride, blocks)
    skip = {"stride": min(_stride(body, blocks), max(stride_of(step.stride)))} if step.skip == "project" else {}
    return remake(step, body=body, **skip)


def _kept_in_use(step: Use, stride: int, blocks: Blocks) -> AnyStep:
    return _use(_kept(blocks[step.name], stride, blocks), f"{step.name[:50]}_stride_{stride}", blocks)


# Steps that can have a stride. The copies of a repeat are alike, so all of them lose theirs.
KEPT: dict[type[SpecModel], Callable[[Any, int, Blocks], AnyStep]] = {
    **dict.fromkeys((Conv, Depthwise, Pool), _unstrided),
    Chain: _kept_in_chain,
    Concat: _kept_in_all,
    Block: _kept_in_block,
    Dag: lambda step, stride, blocks: _kept_in_all(step, 1, blocks),  # on every path through it
    Repeat: lambda step, stride, blocks: _kept_in_all(step, stride if step.times == 1 else 1, blocks),
    Use: _kept_in_use,
}


def _use(step: AnyStep, name: str, blocks: Blocks) -> Use:
    """A use of the block ``step``, which is added to ``blocks`` under ``name`` (lengthened if that is taken)."""
    while blocks.setdefault(name, step) != step:
        name += "x"
    return Use(name=name)
