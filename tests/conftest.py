"""Tests side by side share the cores: each process, and those it starts, keeps torch to one thread.

Two processes of two threads on two cores wait for one another in every parallel loop, and take nearly twice as long.
Properties are tried on 15 examples where they say nothing else; `make slow` tries 200.  However long an example takes,
it is no failure: other work may have the cores.
"""

import gc
import os
import sys
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported, which is after this

# pytest rewrites 5,000 assertions, half of what collection costs: it keeps them where Python may write its .pyc files.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

for name, examples in {"quick": 15, "thorough": 200}.items():
    settings.register_profile(name, max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("quick")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Processes take neighbouring tests, and from one another at the end: most fixtures of a module are made once."""
    if getattr(config.option, "numprocesses", None) and config.option.dist == "no":
        config.option.dist = "worksteal"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collection makes a million objects that stay: the garbage collector does not look at them, then or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)
        gc.enable()


@pytest.fixture
def without_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports whose plots are empty pictures, for tests of their words: drawing a plot takes longer than the rest."""
    monkeypatch.setattr("inception_search.report.write.plot_svg", lambda figure, name: "<svg/>")
