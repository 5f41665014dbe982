"""The output channels of a step, computed from the spec alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from inception_search.spec.base_model import SpecModel
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Conv, Dag, Depthwise, Narrow, Repeat, Use

_Blocks: TypeAlias = Mapping[str, AnyStep]


def channels_after(step: AnyStep, channels: int, blocks: Mapping[str, AnyStep]) -> int:
    """The output channels of ``step`` for ``channels`` input channels; ``blocks`` are the blocks that it may use."""
    rule = CHANNELS.get(type(step))
    return rule(step, channels, blocks) if rule else channels


def _chain(step: Chain, channels: int, blocks: _Blocks) -> int:
    for part in step.steps:
        channels = channels_after(part, channels, blocks)
    return channels


def _block(step: Block, channels: int, blocks: _Blocks) -> int:
    kept = step.skip == "add" or step.project != "none"
    return channels if kept else channels_after(step.body, channels, blocks)


def _dag(step: Dag, channels: int, blocks: _Blocks) -> int:
    values = [channels]
    for node in step.nodes:
        widths = [channels_after(entry.step, values[entry.node], blocks) for entry in node.inputs]
        values.append(channels_after(node.then, sum(widths) if node.join == "concat" else widths[0], blocks))
    return values[-1]


def _repeat(step: Repeat, channels: int, blocks: _Blocks) -> int:
    for _ in range(step.times):
        after = channels_after(step.body, channels, blocks)
        if after == channels:
            break
        channels = after
    return channels


# Other kinds keep the channels.
CHANNELS: dict[type[SpecModel], Callable[[Any, int, _Blocks], int]] = {
    Conv: lambda step, channels, blocks: step.width,
    Depthwise: lambda step, channels, blocks: channels * step.multiplier,
    Narrow: lambda step, channels, blocks: step.width,
    Chain: _chain,
    Concat: lambda step, channels, blocks: sum(channels_after(part, channels, blocks) for part in step.branches),
    Block: _block,
    Dag: _dag,
    Repeat: _repeat,
    Use: lambda step, channels, blocks: channels_after(blocks[step.name], channels, blocks),
}
