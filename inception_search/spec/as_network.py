"""A single step as a network of one stage, with the blocks and defaults of its own network."""

from __future__ import annotations

from inception_search.errors import ConfigError, Place
from inception_search.spec.documents.likely_mistakes import warn_of_order
from inception_search.spec.network import ConvDefaults, Input, Network, PoolDefaults
from inception_search.spec.step import AnyStep, Use, children

MODULE = "module"  # the name of such a network, and of its only stage


def alone(step: AnyStep, input_shape: tuple[int, int, int], network: Network | None) -> Network:
    """The network whose only stage is ``step``, for (C, H, W) input, with the blocks and defaults of ``network``.

    Raises :class:`ConfigError` if ``input_shape`` is not a shape.
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
    """Raise :class:`ConfigError` if ``step`` uses a block that ``network`` does not have."""
    stack = [step]
    while stack:
        part = stack.pop()
        if isinstance(part, Use) and (network is None or part.name not in network.blocks):
            raise ConfigError(
                f"the step uses the block {part.name!r}",
                path="network",
                found=network.name if network else None,
                hint="pass network=, the network that defines it",
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
            expected="(channels, height, width), each a whole number of at least 1",
        ) from None
    warn_of_order(*found.shape, Place(path="input_shape"))
    return found
