"""Tests side by side share the cores: each process, and those it starts, keeps torch to one thread.

Two processes of two threads on two cores wait for one another in every parallel loop, and take nearly twice as long.
Properties are tried on 40 examples where they say nothing else; `--hypothesis-profile default` tries 100.
"""

import os

from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported, which is after this

settings.register_profile("quick", max_examples=40)
settings.load_profile("quick")
