"""Photographs as a network's weights expect them."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from inception_search.backend.network_module import NetworkModule
from inception_search.errors import ConfigError
from inception_search.spec.network import Network, Preprocess


def prepare_images(images: torch.Tensor, network: Network | NetworkModule) -> torch.Tensor:
    """uint8 RGB images (N, 3, H, W) of any size as float32 (N, 3, h, w) input of ``network``, compiled or not.

    For a network that was trained on grey images they are (N, 1, H, W).

    Does what ``network.preprocess`` says: the shorter side resized and the centre cropped to the network's input,
    or without a ``resize`` the whole image resized to it; then channel order, range, mean and standard deviation.
    Raises :class:`~inception_search.errors.ConfigError` when the network has no such facts, or for other images.
    """
    network = network.network if isinstance(network, NetworkModule) else network
    facts = network.preprocess
    if facts is None:
        raise ConfigError(
            "the document does not say what its weights expect of an image",
            path="preprocess",
            mend="add 'preprocess: {mean: ..., std: ...}' to it",
        )
    channels, height, width = network.input.shape
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != channels:
        found = f"{images.dtype} {tuple(images.shape)}"
        rule = "not RGB images" if channels == 3 else "not images with the channels of the network"
        raise ConfigError(rule, found=found, expected=f"torch.uint8 (N, {channels}, H, W)")
    x = _sized(images, facts, height, width).float()
    x = x.flip(1) if facts.order == "bgr" else x
    mean, std = (torch.tensor(values, device=x.device).view(1, -1, 1, 1) for values in (facts.mean, facts.std))
    return (x * (facts.scale / 255) - mean) / std


def _sized(x: torch.Tensor, facts: Preprocess, height: int, width: int) -> torch.Tensor:
    if facts.resize is None:
        return _resized(x, height, width, facts)
    short = min(x.shape[2:])
    sides = [side * facts.resize // short for side in x.shape[2:]]  # rounded down, as torchvision does
    x = _resized(x, max(height, sides[0]), max(width, sides[1]), facts)
    top, left = round((x.shape[2] - height) / 2), round((x.shape[3] - width) / 2)
    return x[:, :, top : top + height, left : left + width]


def _resized(x: torch.Tensor, height: int, width: int, facts: Preprocess) -> torch.Tensor:
    if x.shape[2:] == (height, width):
        return x
    whole = x if x.device.type == "cpu" else x.float()  # only the CPU resizes bytes, as image libraries do
    x = F.interpolate(whole, (height, width), mode=facts.interpolation, align_corners=False, antialias=True)
    return x if x.dtype == torch.uint8 else x.round().clamp(0, 255)  # bicubic overshoots
