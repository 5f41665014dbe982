"""Resize and normalise images as the weights of a network expect."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from inception_search.backend.network_module import NetworkModule
from inception_search.data.given_pictures import Pictures, pictures_in
from inception_search.errors import ConfigError
from inception_search.spec.network import Network, Preprocess


def prepare_images(images: Pictures, network: Network | NetworkModule) -> torch.Tensor:
    """Convert images of any size to the input (N, C, H, W) of a network, normalised as its weights expect.

    ``network.preprocess`` has the settings. With ``resize``, the shorter side is resized and the centre is cropped to
    the network's input; without it, the whole image is resized. Then the channels are ordered and normalised.

    Args:
        images: a path, a PIL image, a numpy uint8 array (H, W, 3) or (N, H, W, 3), a torch uint8 tensor (3, H, W) or
            (N, 3, H, W), all RGB; or a list of paths, PIL images or single images of different sizes. For networks with
            1 channel, files and PIL images are converted to grey, and arrays have one channel.
        network: a network or model from :func:`load`, :func:`compile` or :func:`load_model`.

    Returns:
        A float32 tensor (N, C, H, W).

    Raises:
        ConfigError: the network has no ``preprocess``, or the argument is not an image.
        DataError: a file cannot be read.

    >>> import numpy
    >>> photo = numpy.zeros((340, 360, 3), dtype="uint8")
    >>> ins.prepare_images(photo, ins.load("inception_v3@torchvision")).shape
    torch.Size([1, 3, 299, 299])
    """
    network = network.network if isinstance(network, NetworkModule) else network
    facts = network.preprocess
    if facts is None:
        raise ConfigError(
            "the document has no preprocessing of images",
            path="preprocess",
            hint="add 'preprocess: {mean: ..., std: ...}' to it",
        )
    channels, height, width = network.input.shape
    return torch.cat([_prepared(x, facts, height, width) for x in pictures_in(images, channels)])


def _prepared(pictures: torch.Tensor, facts: Preprocess, height: int, width: int) -> torch.Tensor:
    x = _sized(pictures, facts, height, width).float()
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
    whole = x if x.device.type == "cpu" else x.float()  # only the CPU can resize uint8, as image libraries do
    x = F.interpolate(whole, (height, width), mode=facts.interpolation, align_corners=False, antialias=True)
    return x if x.dtype == torch.uint8 else x.round().clamp(0, 255)  # bicubic overshoots
