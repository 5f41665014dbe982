"""The table of datasets, and :func:`load_data`, which returns the ``Dataset`` for a name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from inception_search.errors import ConfigError, shorten, unknown_name
from inception_search.plugins import all_names, find, guarded, unusable

if TYPE_CHECKING:
    from inception_search.data.dataset import Dataset

DATASETS: dict[str, str] = {
    "cifar10": "inception_search.data.cifar10:load",
    "digits": "inception_search.data.digits:load",
    "fashion_mnist": "inception_search.data.fashion_mnist:load",
    "image_folder": "inception_search.data.image_folder:load",
}

EMBEDDED = frozenset({"digits"})  # part of an installed package: neither a folder nor a download changes them

DOWNLOADED = frozenset({"cifar10"})  # datasets that this package can download
LARGEST_SIDE = 4096  # pixels; a larger image_size is probably a typing error


class LoadFunction(Protocol):
    """The signature of every dataset's ``load``, which ignores options that do not apply to it."""

    def __call__(
        self, *, root: Path | None, image_size: int | None, seed: int, download: bool, limit: int | None
    ) -> Dataset: ...


def names() -> tuple[str, ...]:
    """The names for :func:`load_data`, sorted; those of other packages (docs/plugins.md) come last."""
    return all_names("dataset", sorted(DATASETS))


def may_download(name: str) -> bool:
    """Whether the dataset may download files; always True for a dataset of another package."""
    return name in DOWNLOADED or name not in DATASETS


def load_data(
    name: str,
    *,
    root: str | Path | None = None,
    image_size: int | None = None,
    seed: int = 0,
    download: bool = False,
    limit: int | None = None,
    validation_images: int | None = None,
) -> Dataset:
    """Load a dataset of images by name, split into training, validation and test images.

    Args:
        name: ``"digits"``, ``"fashion_mnist"``, ``"cifar10"`` or ``"image_folder"`` (docs/data.md).
        root: the folder with the files; some datasets have a default.
        image_size: the side of the square images in pixels (default: the dataset's).
        seed: seed of the split into training and validation images.
        download: allow the dataset to be downloaded.
        limit: maximum number of training images; the classes keep their proportions (stratified).
        validation_images: the number of validation images (default: the dataset's own). If the dataset has fewer, extra
            ones are taken from unused training images.

    Returns:
        The dataset: ``data.train``, ``data.validation`` and ``data.test`` have ``images``, uint8 (N, C, H, W), and
        ``labels`` (N,); ``data.classes`` are the names of the classes.

    Raises:
        UnknownNameError: the dataset does not exist.
        ConfigError: an option has an invalid value.
        DataError: the files are missing, damaged or too large.

    >>> data = ins.load_data("digits", image_size=16, limit=100)
    >>> data.train.images.shape
    torch.Size([100, 1, 16, 16])
    """
    if name not in names():
        raise unknown_name("dataset", name, names())
    _check_range("image_size", image_size, LARGEST_SIDE)
    _check_range("limit", limit, None)
    _check_range("validation_images", validation_images, None)
    folder = None if root is None else Path(root).expanduser()
    load = find_loader(name)
    if validation_images is None:
        return load(root=folder, image_size=image_size, seed=seed, download=download, limit=limit)
    whole = load(root=folder, image_size=image_size, seed=seed, download=download, limit=None)
    from inception_search.data.partition import resize_validation

    return resize_validation(whole, validation_images, limit, seed)


def find_loader(name: str) -> LoadFunction:
    """The ``load`` function of a dataset. Raises PluginError if that of another package is broken."""
    if (added := find("dataset", name, DATASETS)) is not None:
        return _guarded(name, added)
    module, _, function = DATASETS[name].partition(":")
    return cast(LoadFunction, getattr(import_module(module), function))


def _guarded(name: str, function: Any) -> LoadFunction:
    """The ``load`` of the dataset ``name`` of another package; its errors name the package."""
    if not callable(function):
        raise unusable("dataset", name, shorten(function), "a function with the arguments of LoadFunction")

    def load(**options: Any) -> Dataset:
        from inception_search.data.dataset import Dataset

        with guarded("dataset", name):
            found = function(**options)
        if not isinstance(found, Dataset):
            raise unusable("dataset", name, shorten(found), "a Dataset")
        return found

    return load


def _check_range(option: str, value: int | None, most: int | None) -> None:
    if value is not None and (value < 1 or (most is not None and value > most)):
        expected = "1 or more" if most is None else f"1 to {most}"
        raise ConfigError(f"{option} cannot be used", path=option, found=value, expected=expected)
