"""``fast.predict``: many images on several workers give what one call gives."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

import inception_search as ins
from inception_search.errors import ConfigError, ShapeError
from inception_search.execution.optimized_model import OptimizedModel
from tests.execution.test_optimized_model import images, small


def fast_and_expected(count: int) -> tuple[OptimizedModel, Tensor, Tensor]:
    model = small()
    x = images(count)
    with torch.inference_mode():
        return ins.optimize(model), x, model(x)


@pytest.mark.parametrize("batch_size", [None, 1, 3, 50])
@pytest.mark.parametrize("workers", [None, 1, 3])
@pytest.mark.parametrize("count", [0, 1, 8])
def test_the_result_does_not_depend_on_batches_and_workers(count: int, workers: int | None, batch_size: int) -> None:
    fast, x, expected = fast_and_expected(count)
    found = fast.predict(x, batch_size=batch_size, workers=workers)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("workers", [1, 2])
def test_feature_maps_of_several_sizes_are_an_error(workers: int) -> None:
    fast = ins.optimize(ins.compile("nin_cifar10", width=0.1, num_classes=0, global_pool="none").eval(), record=False)
    with pytest.raises(
        ShapeError, match="images: feature maps of several sizes cannot be joined, got 20x8x8, 20x16x16"
    ):
        fast.predict([torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 64, 64)], workers=workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_batches_of_an_iterable(workers: int) -> None:
    fast, x, expected = fast_and_expected(20)
    found = fast.predict((batch for batch in x.split(3)), workers=workers)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_threads_are_those_of_before() -> None:
    """Also for threads that start later, which take the number that was set last."""
    fast, x, _ = fast_and_expected(4)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        fast.predict(x, workers=3)
        assert torch.get_num_threads() == 2
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == 2
    finally:
        torch.set_num_threads(threads)


def test_an_error_in_a_worker_is_raised() -> None:
    fast, x, _ = fast_and_expected(4)
    with pytest.raises(ShapeError, match="not the images"):
        fast.predict([x, x[:, :1]], workers=2)
    with pytest.raises(ConfigError, match="no images"):
        fast.predict([])
    with pytest.raises(ConfigError, match="1 or more"):
        fast.predict(x, workers=0)


def test_calls_from_several_threads() -> None:
    """A model that nobody has called yet is called by all at once."""
    fast, x, expected = fast_and_expected(2)
    fast.refresh()
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(fast, [x] * 16):
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_copies_and_pickles() -> None:
    fast, x, expected = fast_and_expected(2)
    for other in (copy.deepcopy(fast), pickle.loads(pickle.dumps(fast))):
        assert other.model is not fast.model
        torch.testing.assert_close(other(x), expected, rtol=1e-4, atol=1e-5)
