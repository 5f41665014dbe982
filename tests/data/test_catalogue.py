"""The table of datasets, and what every dataset in it must do."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path

import pytest

import inception_search.data
from inception_search.data.catalogue import DATASETS, find_loader, load_data, names
from inception_search.data.dataset import Dataset
from inception_search.errors import ConfigError, DataError, UnknownNameError
from inception_search.testing.datasets import DATASET_LAWS, Law
from tests.data import datasets_on_disk as disk

ROOTS: dict[str, Callable[[Path], Path | None]] = {
    "cifar10": lambda folder: disk.write_cifar_binary(folder / "cifar-10-batches-bin"),
    "digits": lambda folder: None,
    "fashion_mnist": disk.write_fashion_mnist,
    "image_folder": lambda folder: disk.write_pictures(folder / "animals", {"cat": 20, "dog": 30}),
}


@pytest.fixture(scope="module", params=sorted(DATASETS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def root(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    return ROOTS[name](tmp_path_factory.mktemp(name))


@pytest.fixture(scope="module")
def dataset(name: str, root: Path | None) -> Dataset:
    return load_data(name, root=root)


def test_table_and_folder_agree() -> None:
    modules = [m.name for m in pkgutil.iter_modules(inception_search.data.__path__)]
    with_load = [m for m in modules if hasattr(importlib.import_module(f"inception_search.data.{m}"), "load")]
    assert {f"inception_search.data.{m}:load" for m in with_load} == set(DATASETS.values())
    assert names() == tuple(sorted(with_load))


@pytest.mark.parametrize("law", DATASET_LAWS, ids=lambda law: law.__name__)
def test_a_dataset_keeps_the_laws(law: Law, name: str, root: Path | None) -> None:
    law(find_loader(name), root)


def test_a_dataset_is_named_as_in_the_table(name: str, dataset: Dataset) -> None:
    assert dataset.name == name


def test_a_shift_is_a_few_pixels_and_digits_are_never_mirrored(name: str, dataset: Dataset) -> None:
    assert 1 <= round(dataset.augmentation.shift * dataset.shape[1]) <= dataset.shape[1] // 8
    assert dataset.augmentation.flip == (name != "digits")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        load_data("fashion-mnist")
    text = "unknown dataset, got 'fashion-mnist'; expected one of cifar10, digits, fashion_mnist, image_folder"
    assert str(caught.value) == f"{text}; did you mean 'fashion_mnist'?"


BAD_OPTIONS = [
    ({"image_size": 0}, "image_size: image_size cannot be used, got 0; expected 1 to 4096"),
    ({"image_size": 100_000}, "image_size: image_size cannot be used, got 100000; expected 1 to 4096"),
    ({"limit": -1}, "limit: limit cannot be used, got -1; expected 1 or more"),
    ({"limit": 9}, "limit: too few training images, got 9; expected at least 10, one for each class"),
]


@pytest.mark.parametrize(("options", "words"), BAD_OPTIONS)
def test_bad_options(options: dict[str, int], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_data("digits", **options)
    assert str(caught.value) == words


@pytest.mark.parametrize("name", sorted(set(DATASETS) - {"digits"}))
def test_a_folder_that_is_not_there_is_named_with_a_hint(name: str, tmp_path: Path) -> None:
    missing = tmp_path / "nothing" / "here"
    with pytest.raises(DataError) as caught:
        load_data(name, root=str(missing))
    assert str(missing) in str(caught.value)
    assert "--data-root" in str(caught.value)
