"""Decoding of image files with Pillow to square uint8 tensors.

Only the formats of :data:`FORMATS` are opened, independent of the file name, because some other readers of Pillow start
programs (EPS starts Ghostscript). Only the first image of a file is used.
"""

from __future__ import annotations

import os
import stat
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inception_search.data.deep_pixels import DEEP, DeepScale, Extent, extent_of, make_scale
from inception_search.errors import DataError, Place, raw, shorten
from inception_search.extras import install

if TYPE_CHECKING:
    from PIL.Image import Image

Mode = Literal["L", "RGB"]  # Pillow's names; one letter per channel
FORMATS: dict[str, tuple[str, ...]] = {
    "AVIF": (".avif",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "JPEG2000": (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
    "PNG": (".png", ".apng"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
ENDINGS = frozenset(ending for endings in FORMATS.values() for ending in endings)
_MAYBE_DEEP = frozenset(ending for name in ("JPEG2000", "PNG", "PPM", "TIFF") for ending in FORMATS[name])
_GREY = frozenset({"1", "L", "LA", "La"}) | DEEP
_THREADS = 8
_LARGE = 4_000_000  # pixels; larger images are decoded one at a time
_STRIP = 1 << 20  # pixels converted together; limits the copies that a conversion makes
_OPENING = threading.Lock()  # Python's warning filters belong to the whole process
T = TypeVar("T")


def require_pillow() -> None:
    """Raise DataError with an install hint if Pillow is missing."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError as error:
        raise DataError("reading images needs the Pillow package", hint=install("images")) from error


def survey(files: Sequence[Path]) -> tuple[Mode, DeepScale]:
    """The common mode, ``"L"`` if all headers declare greyscale, else ``"RGB"``, and the scale of deep pixels.

    Raises DataError naming the first file that cannot be decoded or has values that are not finite.
    """
    mode: Mode = "L"
    deep = []
    for file in files:
        if mode == "L" or file.suffix.lower() in _MAYBE_DEEP:
            found = _mode_of(file)
            mode = mode if found in _GREY else "RGB"
            deep += [file] if found in DEEP else []
    return mode, make_scale(_in_threads(_extent, deep))


def decode_all(files: Sequence[Path], mode: Mode, size: int, scale: DeepScale) -> Tensor:
    """The images as uint8 (N, C, size, size), with C = 1 for ``"L"`` and 3 for ``"RGB"``.

    Threads decode in parallel, but images of more than 4 megapixels one at a time, so that decoding needs at most 1 GiB
    of memory besides the result. Raises DataError naming the first file that cannot be decoded.
    """
    images = torch.empty(len(files), len(mode), size, size, dtype=torch.uint8)
    decode, draft = partial(_decode, mode=mode, size=size, scale=scale), (mode, (2 * size, 2 * size))
    for i, pixels in enumerate(_in_threads(decode, files, draft)):
        images[i] = torch.from_numpy(pixels).permute(2, 0, 1)
    return images


def read_picture(file: Path, mode: Mode) -> Tensor:
    """The image in ``file`` as uint8 (C, H, W) at its original size; see :func:`whole_picture`.

    Raises DataError for a file that is missing or cannot be decoded, or if Pillow is not installed.
    """
    require_pillow()
    try:
        kind = file.stat().st_mode
    except FileNotFoundError:
        raise DataError("there is no such image file", place=Place(str(file)), hint="check the path") from None
    except (OSError, ValueError) as error:
        raise _corrupt(file, getattr(error, "strerror", None) or str(error)) from None
    if stat.S_ISDIR(kind):
        hint = f"give its files: sorted(pathlib.Path({shorten(str(file))}).glob('*.jpg'))"
        raise DataError("this is a folder, not an image file", place=Place(str(file)), hint=hint)
    with _opened(file) as image:
        return whole_picture(image, mode)


def whole_picture(image: Image, mode: Mode) -> Tensor:
    """``image`` as uint8 (C, H, W), rotated upright; pixels of more than 8 bits are scaled for this image alone."""
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    scale = make_scale([_extent(upright)] if upright.mode in DEEP else [])
    pixels = np.array(eight_bits(upright, mode, scale), dtype=np.uint8)
    return torch.from_numpy(pixels.reshape(*pixels.shape[:2], len(mode))).permute(2, 0, 1)


def _in_threads(
    work: Callable[[Image], T], files: Sequence[Path], draft: tuple[Mode, tuple[int, int]] | None = None
) -> Iterator[T]:
    """The results of ``work`` on the opened image of each of ``files``, in their order.

    ``draft``: the mode and minimum size for decoding a large JPEG at reduced size, which is much faster. One thread
    decodes all large images, because memory freed by one thread is not available to another.
    """
    with ThreadPoolExecutor(1) as large, ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:

        def one(file: Path) -> T:
            with _opened(file) as image:
                if draft is not None:
                    image.draft(*draft)
                if image.width * image.height > _LARGE:
                    return large.submit(work, image).result()
                return work(image)

        yield from pool.map(one, files)


def _mode_of(file: Path) -> str:
    with _opened(file) as image:
        return image.mode


def _extent(image: Image) -> Extent:
    return extent_of(np.asarray(image))


def _decode(image: Image, mode: Mode, size: int, scale: DeepScale) -> NDArray[np.uint8]:
    """Pixels (size, size, C): rotated upright, shorter side resized, centre cropped."""
    from PIL import ImageOps
    from PIL.Image import Resampling

    ImageOps.exif_transpose(image, in_place=True)
    fitted = ImageOps.fit(eight_bits(image, mode, scale), (size, size), method=Resampling.BILINEAR)
    return np.array(fitted, dtype=np.uint8).reshape(size, size, len(mode))


def eight_bits(image: Image, mode: Mode, scale: DeepScale) -> Image:
    """``image`` of any Pillow mode converted to ``mode``: deep pixels are scaled, transparent ones become white."""
    import PIL.Image

    if image.mode == mode and not image.has_transparency_data:
        image.load()
        return image
    result = PIL.Image.new(mode, image.size)
    rows = max(1, _STRIP // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        result.paste(_converted(strip, mode, scale), (0, top))
    return result


def _converted(image: Image, mode: Mode, scale: DeepScale) -> Image:
    import PIL.Image

    if image.mode in DEEP:
        return PIL.Image.fromarray(scale.to_bytes(np.asarray(image), image.info.get("transparency"))).convert(mode)
    if image.mode == "LAB":
        return _from_lab(image).convert(mode)
    if image.mode == "La":
        image = image.convert("LA")  # Pillow has no other conversion for this mode
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        image = PIL.Image.alpha_composite(PIL.Image.new("RGBA", layered.size, "white"), layered)
    return image.convert(mode)


def _from_lab(image: Image) -> Image:
    from PIL import ImageCms

    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, rgb, outputMode="RGB")
    assert converted is not None  # None is for conversions in place
    return converted


@contextmanager
def _opened(file: Path) -> Iterator[Image]:
    """Open an image and read its header; errors of the file, also in the block, become a DataError.

    Refuses files that are not regular files, and images so large that they may be an attack.
    """
    import PIL.Image

    try:
        with open(file, "rb", opener=_open_regular) as stream:
            with _OPENING, warnings.catch_warnings():
                warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
                image = PIL.Image.open(stream, formats=_formats())
            with image:
                yield image
    except MemoryError:
        raise
    except DataError as error:
        raise error.at(file=str(file)) from None
    except PIL.UnidentifiedImageError as error:
        raise _corrupt(file, f"content of none of the formats {', '.join(_formats())}") from error
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error
        raise _corrupt(file, f"{type(error).__name__}: {error}") from error


@cache
def _formats() -> tuple[str, ...]:
    """The formats of :data:`FORMATS` that the installed Pillow reads."""
    import PIL.Image

    PIL.Image.init()
    return tuple(name for name in FORMATS if name in PIL.Image.OPEN)


def _open_regular(path: str, flags: int) -> int:
    """A file descriptor; raises OSError for a FIFO, a socket or a device without blocking."""
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("not a regular file")
    return descriptor


def _corrupt(file: Path, reason: str) -> DataError:
    hint = "repair or remove the file"
    return DataError("the image cannot be decoded", place=Place(str(file)), found=raw(reason), hint=hint)
