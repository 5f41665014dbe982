"""Tests side by side share the cores: each process, and those it starts, keeps torch to one thread.

Two processes of two threads on two cores wait for one another in every parallel loop, and take nearly twice as long.
Properties are tried on 25 examples where they say nothing else; `make slow` tries 200.  However long an example takes,
it is no failure: other work may have the cores.
"""

import gc
import os

from hypothesis import HealthCheck, settings

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported, which is after this

for name, examples in {"quick": 25, "thorough": 200}.items():
    settings.register_profile(name, max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("quick")


def pytest_collection_finish() -> None:
    """What was imported stays: every pass of the garbage collector would look at a million objects of it again."""
    gc.collect()
    gc.freeze()
