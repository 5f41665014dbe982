"""A Ray cluster of several nodes on the loopback address, for tests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

LOOPBACK = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
"""The loopback addresses as Linux writes them."""
STORE = 80 * 2**20  # bytes, the least that Ray accepts


@contextmanager
def cluster(names: tuple[str, ...] = ("one", "two", "three"), **options: Any) -> Iterator[Any]:
    """A head without CPUs, and a node with one CPU for each name; ``nodes`` of the result has them by name."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray._private.ray_constants as constants
    from ray.cluster_utils import Cluster

    before, constants.ENABLE_RAY_CLUSTER = constants.ENABLE_RAY_CLUSTER, False  # listen on the loopback address
    made = Cluster()
    try:
        made.add_node(num_cpus=0, include_dashboard=False, object_store_memory=STORE)
        made.nodes = {}
        for name in names:
            add_node(made, name, **options)
        yield made
    finally:
        made.shutdown()
        constants.ENABLE_RAY_CLUSTER = before


def add_node(made: Any, name: str, **options: Any) -> None:
    """Add a node with one CPU."""
    made.nodes[name] = made.add_node(**{"num_cpus": 1, "object_store_memory": STORE, "node_name": name, **options})


def kill_node(made: Any, name: str) -> None:
    """Kill a node: its raylet without warning, and with it all its processes."""
    made.remove_node(made.nodes.pop(name), allow_graceful=False)


def until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Wait for ``condition``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def listening() -> set[str]:
    """The addresses on which this process and those below it listen."""
    tables = [path for name in ("tcp", "tcp6") if (path := Path("/proc/net", name)).exists()]
    rows = [line.split() for path in tables for line in path.read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]": row[1].partition(":")[0] for row in rows if row[3] == "0A"}
    opened: set[str] = set()
    for pid in _family(os.getpid()):
        with suppress(OSError):
            opened |= {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()}
    return {sockets[name] for name in opened & sockets.keys()}


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    return [pid, *(each for thread in _threads(pid) for child in thread for each in _family(child))]


def _threads(pid: int) -> list[list[int]]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [[int(word) for word in (task / "children").read_text().split()] for task in tasks]
    except OSError:
        return []
