"""Tests side by side share the cores: each process, and those it starts, keeps torch to one thread.

Two processes of two threads on two cores wait for one another in every parallel loop, and take nearly twice as long.
"""

import os

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported, which is after this


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """With ``-n auto`` one process more than there are cores: many a test waits for programs that it has started."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + 1
