"""Decoding picture files with Pillow into square uint8 tensors."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inception_search.errors import DataError, Place, raw

if TYPE_CHECKING:
    from PIL.Image import Image

Mode = Literal["L", "RGB"]  # Pillow's names; one letter per channel
_GREY = frozenset({"1", "L", "LA", "La", "I;16", "I;16B", "I"})
_DEEP = frozenset({"I;16", "I;16B", "I"})  # 16 bits per pixel
_THREADS = 8


def require_pillow() -> None:
    """Raise DataError, saying what to install, when Pillow is not there."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError as error:
        mend = 'pip install "inception-search[images]"'
        raise DataError("reading pictures needs the Pillow package", mend=mend) from error


def find_mode(files: Sequence[Path]) -> Mode:
    """``"L"`` if every file says in its header that it is grey, else ``"RGB"``."""
    return "L" if all(_is_grey(file) for file in files) else "RGB"


def decode_all(files: Sequence[Path], mode: Mode, size: int) -> Tensor:
    """The pictures as uint8 (N, C, size, size), C = 1 for ``"L"`` and 3 for ``"RGB"``; decoded in threads.

    Raises DataError naming the first file that cannot be decoded.
    """
    images = torch.empty(len(files), len(mode), size, size, dtype=torch.uint8)
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        for i, pixels in enumerate(pool.map(partial(_decode, mode=mode, size=size), files)):
            images[i] = torch.from_numpy(pixels).permute(2, 0, 1)
    return images


def _is_grey(file: Path) -> bool:
    with _open(file) as image:
        return image.mode in _GREY


def _decode(file: Path, mode: Mode, size: int) -> NDArray[np.uint8]:
    """Pixels (size, size, C): turned upright, shorter side resized, centre cropped."""
    from PIL import ImageOps
    from PIL.Image import Resampling

    with _open(file) as image:
        try:
            image.draft(mode, (2 * size, 2 * size))  # lets a large JPEG be decoded at a fraction of its size
            upright = _eight_bit(ImageOps.exif_transpose(image)).convert(mode)
            fitted = ImageOps.fit(upright, (size, size), method=Resampling.BILINEAR)
        except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error
            raise _corrupt(file, error) from error
    return np.array(fitted, dtype=np.uint8).reshape(size, size, len(mode))


def _eight_bit(image: Image) -> Image:
    """16-bit grey scaled to 8 bits (Pillow itself would clip) and transparency made white."""
    import PIL.Image

    if image.mode in _DEEP:
        return PIL.Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        return PIL.Image.alpha_composite(PIL.Image.new("RGBA", layered.size, "white"), layered)
    return image


def _open(file: Path) -> Image:
    """The file with its header read; a picture so large that it may be an attack is refused."""
    import PIL.Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
            return PIL.Image.open(file)
    except Exception as error:
        raise _corrupt(file, error) from error


def _corrupt(file: Path, error: Exception) -> DataError:
    reason = raw(f"{type(error).__name__}: {error}")
    mend = "mend or remove the file"
    return DataError("the picture cannot be decoded", place=Place(str(file)), found=reason, mend=mend)
