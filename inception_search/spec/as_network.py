"""A step alone as a network of one stage, with the blocks and defaults of the network that it comes from."""

from __future__ import annotations

from inception_search.errors import ConfigError, Place
from inception_search.spec.documents.likely_mistakes import warn_of_order
from inception_search.spec.network import ConvDefaults, Input, Network, PoolDefaults
from inception_search.spec.step import AnyStep, Use, children

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
