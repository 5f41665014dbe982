"""How many channels come out of a step, from the spec alone."""

from __future__ import annotations

from collections.abc import Mapping

from inception_search.spec.step import AnyStep, Block, Chain, Concat, Conv, Dag, Depthwise, Narrow, Repeat, Use


def channels_after(step: AnyStep, channels: int, blocks: Mapping[str, AnyStep]) -> int:
    """The channels of ``step``'s output when ``channels`` come in; ``blocks`` are those its uses name."""
    if isinstance(step, Conv):
        return step.width
    if isinstance(step, Depthwise):
        return channels * step.multiplier
    if isinstance(step, Chain):
        for part in step.steps:
            channels = channels_after(part, channels, blocks)
        return channels
    if isinstance(step, Concat):
        return sum(channels_after(branch, channels, blocks) for branch in step.branches)
    if isinstance(step, Block):
        kept = step.skip == "add" or step.project != "none"
        return channels if kept else channels_after(step.body, channels, blocks)
    if isinstance(step, Dag):
        return _dag(step, channels, blocks)
    if isinstance(step, Narrow):
        return step.width
    if isinstance(step, Repeat):
        return _repeated(step, channels, blocks)
    return channels_after(blocks[step.name], channels, blocks) if isinstance(step, Use) else channels


def _dag(step: Dag, channels: int, blocks: Mapping[str, AnyStep]) -> int:
    values = [channels]
    for node in step.nodes:
        widths = [channels_after(entry.step, values[entry.node], blocks) for entry in node.inputs]
        values.append(channels_after(node.then, sum(widths) if node.join == "concat" else widths[0], blocks))
    return values[-1]


def _repeated(step: Repeat, channels: int, blocks: Mapping[str, AnyStep]) -> int:
    for _ in range(step.times):
        after = channels_after(step.body, channels, blocks)
        if after == channels:
            break
        channels = after
    return channels
