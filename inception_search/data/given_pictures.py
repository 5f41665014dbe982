"""Converts files, PIL images, numpy arrays and tensors to uint8 tensors (N, C, H, W) with a network's channels."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray

from inception_search.data.pictures import Mode, read_picture, whole_picture
from inception_search.errors import ConfigError, raw

if TYPE_CHECKING:
    from PIL.Image import Image

Picture: TypeAlias = "str | Path | Image | NDArray[np.uint8] | torch.Tensor"
Pictures: TypeAlias = "Picture | Iterable[Picture]"
_MODES: dict[int, Mode] = {1: "L", 3: "RGB"}
_UNIT, _BYTE = 1.0, 255.0  # the largest values of the two usual ranges of floats


def pictures_in(images: Pictures, channels: int) -> Iterator[torch.Tensor]:
    """Yield ``images`` as uint8 (N, ``channels``, H, W): files and PIL images one by one, arrays and tensors whole.

    Each file is read only when it is needed, so a long list of large images needs the memory of one. Raises
    :class:`ConfigError` for an object that is not an image, DataError for a file that cannot be read.
    """
    if _is_one(images):
        yield _batch(images, channels)
        return
    if not isinstance(images, Iterable) or isinstance(images, (bytes, bytearray, Mapping)):
        raise _no_picture(images, channels)
    empty = True
    for i, picture in enumerate(images):
        empty = False
        try:
            found = _batch(picture, channels) if _is_one(picture) else None
        except ConfigError as error:
            raise error.at(path=f"images[{i}]") from None
        if found is None or len(found) != 1:
            raise _no_picture(picture, channels).at(path=f"images[{i}]")
        yield found
    if empty:
        raise ConfigError("there are no images", found=images if isinstance(images, list | tuple) else None)


def _is_one(images: object) -> bool:
    return isinstance(images, (str, Path, torch.Tensor, np.ndarray)) or _is_pil(images)


def _is_pil(picture: object) -> bool:
    """Whether this is a PIL image. Pillow is not imported: a caller with an image has already imported it."""
    pillow: Any = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(picture, pillow.Image)


def _batch(picture: object, channels: int) -> torch.Tensor:
    if isinstance(picture, torch.Tensor):
        return _of_tensor(picture, channels)
    if isinstance(picture, np.ndarray):
        return _of_array(picture, channels)
    mode = _MODES.get(channels)
    if mode is None:
        hint = f"give a torch.uint8 tensor (N, {channels}, H, W)"
        raise ConfigError(f"image files cannot be read for a network of {channels} channels", hint=hint)
    if isinstance(picture, str | Path):
        return read_picture(Path(picture).expanduser(), mode)[None]
    return whole_picture(cast("Image", picture), mode)[None]


def _of_tensor(images: torch.Tensor, channels: int) -> torch.Tensor:
    if images.dtype != torch.uint8:
        values = images.detach().float()
        raise _not_bytes(images, channels, values, "{}.to(torch.uint8)")
    shape = tuple(images.shape)
    if len(shape) == 2 and channels == 1:
        return images[None, None]
    if len(shape) not in (3, 4) or shape[-3] != channels or 0 in shape:
        last = "images.permute(2, 0, 1)" if len(shape) == 3 else "images.permute(0, 3, 1, 2)"
        hint = (
            f"write {last}" if len(shape) in (3, 4) and shape[-1] == channels else _other_channels(shape, -3, channels)
        )
        raise _wrong_shape(images, channels, hint)
    return images if len(shape) == 4 else images[None]


def _of_array(images: NDArray[Any], channels: int) -> torch.Tensor:
    if images.dtype != np.uint8:
        if images.dtype.kind not in "iuf":
            raise _no_picture(images, channels)
        raise _not_bytes(images, channels, torch.from_numpy(images.astype(np.float32)), '{}.astype("uint8")')
    shape = images.shape
    if len(shape) == 2 and channels == 1:
        return torch.from_numpy(np.ascontiguousarray(images))[None, None]
    if len(shape) not in (3, 4) or shape[-1] != channels or 0 in shape:
        first = len(shape) in (3, 4) and shape[-3] == channels
        hint = "write torch.from_numpy(images)" if first else _other_channels(shape, -1, channels)
        raise _wrong_shape(images, channels, hint)
    whole = torch.from_numpy(np.array(images)).movedim(-1, -3)  # copied, because torch warns about read-only arrays
    return whole if len(shape) == 4 else whole[None]


def _other_channels(shape: tuple[int, ...], axis: int, channels: int) -> str | None:
    """A hint for an image with the wrong number of channels."""
    if channels != 3:
        return None
    if len(shape) == 2:
        return 'convert the greyscale image to RGB: PIL.Image.fromarray(image).convert("RGB")'
    if len(shape) in (3, 4) and shape[axis] == 4:
        return f"remove the transparency: {'images[..., :3]' if axis == -1 else 'images[..., :3, :, :]'}"
    if len(shape) in (3, 4) and shape[axis] == 1:
        repeat = "repeat" if axis == -1 else "repeat_interleave"  # numpy's, torch's
        return f"convert greyscale images to RGB: images.{repeat}(3, {axis})"
    return None


def _not_bytes(images: Any, channels: int, values: torch.Tensor, convert: str) -> ConfigError:
    """The error for images that are not uint8; its hint depends on the range of the values."""
    low, high = (float(values.min()), float(values.max())) if values.numel() else (0.0, 0.0)
    if low >= 0 and high <= _UNIT and _is_float(images):
        hint = f"for values from 0 to 1 write {convert.format('(images * 255).round()')}"
    elif low >= 0 and high <= _BYTE:
        hint = f"write {convert.format('images.round()' if _is_float(images) else 'images')}"
    else:
        hint = "give the images as they were before normalisation, from 0 to 255"
    return ConfigError(_rule(channels), found=_described(images), expected="uint8, from 0 to 255", hint=hint)


def _is_float(images: Any) -> bool:
    return images.is_floating_point() if isinstance(images, torch.Tensor) else images.dtype.kind == "f"


def _wrong_shape(images: Any, channels: int, hint: str | None) -> ConfigError:
    return ConfigError(_rule(channels), found=_described(images), expected=_expected(channels), hint=hint)


def _no_picture(images: object, channels: int) -> ConfigError:
    found = _described(images) if isinstance(images, (torch.Tensor, np.ndarray)) else raw(type(images).__name__)
    nested = isinstance(images, list | tuple) or _is_one(images)
    hint = "give single images in a list, or one array of all images" if nested else None
    return ConfigError(
        _rule(channels), found=found, expected=f"a path, a PIL image or {_expected(channels)}", hint=hint
    )


def _rule(channels: int) -> str:
    return "these are not RGB images" if channels == 3 else f"these are not images with {channels} channels"


def _described(images: Any) -> str:
    kind = str(images.dtype) if isinstance(images, torch.Tensor) else f"numpy.{images.dtype}"
    return raw(f"{kind} {tuple(images.shape)}")


def _expected(channels: int) -> str:
    return (
        f"a numpy.uint8 array (H, W, {channels}) or (N, H, W, {channels}), "
        f"or a torch.uint8 tensor ({channels}, H, W) or (N, {channels}, H, W)"
    )
