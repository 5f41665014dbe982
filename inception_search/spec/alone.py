"""A step on its own: as a network of one stage, and where in a network it stands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from inception_search.errors import ConfigError, Place
from inception_search.spec.input_order import warn_of_order
from inception_search.spec.network import ConvDefaults, Input, Network, PoolDefaults
from inception_search.spec.step import AnyStep, Chain, Repeat, Use, children

MODULE = "module"  # the name and only stage of the network of a step alone


def alone(step: AnyStep, input_shape: tuple[int, int, int], network: Network | None) -> Network:
    """The network whose only stage is ``step``, on a (C, H, W) map, with the blocks and defaults of ``network``.

    :class:`ConfigError` for what is no shape.
    """
    return Network(
        name=MODULE,
        input=_input(input_shape),
        conv_defaults=network.conv_defaults if network else ConvDefaults(),
        pool_defaults=network.pool_defaults if network else PoolDefaults(),
        same_padding=network.same_padding if network else "symmetric",
        blocks=network.blocks if network else {},
        stages={MODULE: step},
    )


@lru_cache(maxsize=64)
def first_place(network: Network, wanted: AnyStep) -> str | None:
    """The path of the first place of ``network`` where ``wanted`` stands, or None."""
    for name, step in network.stages.items():
        found = _find(step, wanted, name, network.blocks)
        if found is not None:
            return found
    return None


def step_before(network: Network, wanted: AnyStep) -> AnyStep | None:
    """The step whose output ``wanted`` reads; None where that is the image, or differs from place to place.

    Chains, repeats and blocks that are only named are looked into: it is never one of those.
    """
    found: list[AnyStep | None] = []
    last: AnyStep | None = None
    for step in network.stages.values():
        last = _note_before(step, wanted, last, network.blocks, found)
    return found[0] if found and all(step == found[0] for step in found) else None


def check_blocks(step: AnyStep, network: Network | None) -> None:
    """A :class:`ConfigError` where ``step`` uses a block that ``network`` does not have."""
    stack = [step]
    while stack:
        part = stack.pop()
        if isinstance(part, Use) and (network is None or part.name not in network.blocks):
            raise ConfigError(
                f"the step uses the block {part.name!r}",
                path="network",
                found=network.name if network else None,
                hint="write network= the network that defines it",
            )
        stack.extend(inner for _, inner in children(part))


def _note_before(
    step: AnyStep, wanted: AnyStep, last: AnyStep | None, blocks: Mapping[str, AnyStep], found: list[AnyStep | None]
) -> AnyStep | None:
    """Note what is read wherever ``wanted`` stands in ``step``, which reads ``last``; the step that is read next."""
    if step == wanted:
        found.append(last)
    if isinstance(step, Use):
        return _note_before(blocks[step.name], wanted, last, blocks, found)
    if isinstance(step, Repeat):
        for _ in range(min(step.times, 2)):  # the second and all after it read the same
            last = _note_before(step.body, wanted, last, blocks, found)
        return last
    inside = last
    for _, part in children(step):
        after = _note_before(part, wanted, inside, blocks, found)
        inside = after if isinstance(step, Chain) else last
    return inside if isinstance(step, Chain) else step


def _find(step: AnyStep, wanted: AnyStep, path: str, blocks: Mapping[str, AnyStep]) -> str | None:
    if step == wanted:
        return path
    if isinstance(step, Use):
        return _find(blocks[step.name], wanted, path, blocks)
    if isinstance(step, Repeat):
        return _find(step.body, wanted, f"{path}.0", blocks)
    for place, part in children(step):
        inner = ".".join(str(p) for p in place if p != "steps")
        found = _find(part, wanted, f"{path}.{inner}", blocks)
        if found is not None:
            return found
    return None


def _input(shape: tuple[int, int, int]) -> Input:
    try:
        channels, height, width = shape
        found = Input(channels=channels, height=height, width=width)
    except (TypeError, ValueError):
        raise ConfigError(
            "not a shape that can be drawn",
            path="input_shape",
            found=shape,
            expected="(channels, height, width), each a number from 1",
        ) from None
    warn_of_order(*found.shape, Place(path="input_shape"))
    return found
