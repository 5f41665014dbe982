"""A first convolution for images with another number of channels."""

from __future__ import annotations

import torch


def other_channels(weight: torch.Tensor, channels: int) -> torch.Tensor:
    """A convolution's weight (O, I, H, W) for another number of input channels.

    The response to images whose channels are all the same stays. Fewer channels: each takes the sum of some (one
    takes that of all). More: the old ones over and over, each divided by how often it is there.
    """
    before = weight.shape[1]
    if channels < before:
        return torch.stack([weight[:, i::channels].sum(1) for i in range(channels)], 1)
    times = [len(range(i % before, channels, before)) for i in range(channels)]
    copies = weight[:, [i % before for i in range(channels)]]
    return copies / torch.tensor(times, device=weight.device).reshape(1, -1, 1, 1)
