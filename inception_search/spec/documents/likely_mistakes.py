"""Warnings about documents that are valid, but most likely contain a mistake.

Two are found: a block or definition that nothing uses (a misspelt name or a forgotten stage), and an input written as
height x width x channels, although it is read as channels x height x width.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from inception_search.errors import InputOrderWarning, Place, UnusedBlockWarning, warn
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Use, children

IMAGE_CHANNELS = (1, 3, 4)  # grey, RGB, RGB with transparency
SMALLEST_IMAGE = 16  # pixels: images are hardly smaller, but feature maps inside a network are


def unused_blocks(network: Network) -> tuple[str, ...]:
    """The names of the blocks that neither stages nor auxiliary classifiers use, in document order.

    A block that only an unused block uses is unused, too.
    """
    waiting: list[AnyStep] = [*network.stages.values(), *(aux.body for aux in network.aux.values())]
    used: set[str] = set()
    while waiting:
        step = waiting.pop()
        if isinstance(step, Use) and step.name not in used:
            used.add(step.name)
            waiting.append(network.blocks[step.name])
        waiting += [part for _, part in children(step)]
    return tuple(name for name in network.blocks if name not in used)


def warn_of_unused_blocks(network: Network, others: Iterable[Network] = ()) -> None:
    """Warn (:class:`UnusedBlockWarning`) of blocks that neither ``network`` nor ``others``, its dialects, use."""
    unused = unused_blocks(network)
    for other in others if unused else ():
        unused = tuple(name for name in unused if name not in other.blocks or name in unused_blocks(other))
    if unused:
        first = unused[0]
        where = Place(network.origin.file, network.origin.line(("blocks", first)), f"blocks.{first}")
        _warn_unused(where, f"no stage uses this block; use it ('{first}' as a step)", unused[1:])


def warn_of_unused_definitions(lines: Mapping[str, int | None], file: str | None) -> None:
    """Warn (:class:`UnusedBlockWarning`) of unused entries of a space's ``define``; ``lines`` maps them to lines."""
    if lines:
        first, *others = lines
        where = Place(file, lines[first], f"define.{first}")
        _warn_unused(where, f"nothing uses this entry; use it ({{$use: {first}}})", others)


def _warn_unused(place: Place, what: str, others: Sequence[str]) -> None:
    more = f" (the same holds for {', '.join(others)})" if others else ""
    warn(f"{place}: {what}, or leave it out{more}", UnusedBlockWarning)


def warn_of_order(channels: int, height: int, width: int, place: Place) -> None:
    """Warn (:class:`InputOrderWarning`) if the last number, and not the first, looks like image channels."""
    if width in IMAGE_CHANNELS and channels not in IMAGE_CHANNELS and channels >= SMALLEST_IMAGE and width != height:
        warn(
            f"{place}: {channels}x{height}x{width} is read as {channels} channels of {height}x{width} pixels "
            f"(channels, height, width); write {width}x{channels}x{height} for {width} of {channels}x{height}",
            InputOrderWarning,
        )
