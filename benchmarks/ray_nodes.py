"""A Ray cluster of several nodes on the loopback address of this machine, whose nodes can be killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from benchmarks.kill_watch import family

STORE = 80 * 2**20  # bytes, about the least that Ray accepts


class Nodes:
    """A head without CPUs, and nodes with one CPU each by name."""

    def __init__(self, names: tuple[str, ...]) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster()
        self.cluster.add_node(num_cpus=0, include_dashboard=False, object_store_memory=STORE)
        self.named: dict[str, Any] = {}
        for name in names:
            self.add(name)

    @property
    def address(self) -> str:
        """``host:port`` of the cluster."""
        return str(self.cluster.address)

    def add(self, name: str) -> None:
        """Add a node."""
        self.named[name] = self.cluster.add_node(num_cpus=1, object_store_memory=STORE, node_name=name)

    def raylet(self, name: str) -> int:
        """The process above all others of a node."""
        return int(self.named[name].all_processes["raylet"][0].process.pid)

    def kill(self, name: str) -> None:
        """Kill all processes of a node, as a machine does that loses its power."""
        everything = family(self.raylet(name))
        for pid in everything:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(Exception):  # Ray finds processes that have ended
            self.cluster.remove_node(self.named[name], allow_graceful=False)
        del self.named[name]


@contextmanager
def cluster(*names: str) -> Iterator[Nodes]:
    """A cluster of nodes with these names."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # so do programs that this one starts
    import ray._private.ray_constants as constants

    before, constants.ENABLE_RAY_CLUSTER = constants.ENABLE_RAY_CLUSTER, False  # listen on the loopback address
    nodes = Nodes(names)
    try:
        yield nodes
    finally:
        nodes.cluster.shutdown()
        constants.ENABLE_RAY_CLUSTER = before
