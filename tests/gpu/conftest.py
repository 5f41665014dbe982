"""The device of a test: the CPU in the fast suite, a GPU with ``-m gpu``."""

import pytest
import torch

CUDA = pytest.param("cuda", marks=pytest.mark.gpu)


@pytest.fixture(params=["cpu", CUDA], scope="module")
def device(request: pytest.FixtureRequest) -> torch.device:
    """Where the test computes: the same body runs on both."""
    return checked(request.param)


@pytest.fixture(params=[CUDA], scope="module")
def gpu(request: pytest.FixtureRequest) -> torch.device:
    """The GPU, for what a CPU cannot do."""
    return checked(request.param)


def checked(name: str) -> torch.device:
    """The device; the test is skipped if there is none."""
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return torch.device(name, 0) if name == "cuda" else torch.device(name)
