"""The connection to a Ray cluster: start or connect, errors with a hint, and the nodes with their resources."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from inception_search.errors import ConfigError, InceptionSearchError, MissingRequirementError, raw
from inception_search.extras import install
from inception_search.store.provenance import cores

_REACH = 10.0  # seconds to reach the address of a cluster
_STORE = 256 * 2**20  # bytes of the object store of a local Ray, in addition to the images
_DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Node:
    """A node that is alive."""

    id: str
    name: str
    cpus: float
    gpus: float


class RayCluster:
    """A connection to a cluster."""

    def __init__(self, ray: Any) -> None:
        self.ray = ray

    @property
    def nodes(self) -> list[Node]:
        """The nodes that are alive."""
        return [_node(facts) for facts in self.ray.nodes() if facts["Alive"]]

    def device(self, name: str) -> str:
        """The device of trials: ``cpu`` or ``cuda``. Raises ConfigError for a GPU that no node has."""
        gpus = sum(node.gpus for node in self.nodes)
        if name not in _DEVICES:
            hint = "Ray assigns the GPUs, so a number has no effect"
            raise ConfigError(
                "not a device of a cluster", path="device", found=name, expected=" or ".join(_DEVICES), hint=hint
            )
        if name == "cuda" and not gpus:
            hint = "use device 'cpu', or wait until a node with a GPU has joined"
            raise ConfigError("no node of the cluster has a GPU", path="device", found=name, hint=hint)
        return "cuda" if name == "cuda" or (name == "auto" and gpus) else "cpu"


def _node(facts: dict[str, Any]) -> Node:
    resources = facts["Resources"]
    named = facts.get("NodeName") not in (None, "", facts["NodeManagerAddress"])
    name = facts["NodeName"] if named else facts["NodeManagerHostname"]
    return Node(facts["NodeID"], str(name), resources.get("CPU", 0.0), resources.get("GPU", 0.0))


def load_ray() -> Any:
    """The package ray; raises :class:`MissingRequirementError` if it is not installed.

    Ray replaces the handler of SIGTERM when it is imported and connected; :func:`_own_handlers` restores it.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        with _own_handlers():
            return importlib.import_module("ray")
    except ImportError as error:
        if error.name not in ("ray", None):
            raise
        raise MissingRequirementError(
            "the executor ray needs ray, which is not installed", path="executor", hint=install("ray")
        ) from None


@contextmanager
def connected(address: str | None, *, threads: int | None = None, images: int = 0) -> Iterator[RayCluster]:
    """Connect to the cluster at ``address``, or start Ray on this machine if that is None.

    A Ray of this process that is already connected is used and left connected. ``threads`` are the CPUs of one trial,
    ``images`` the bytes of all images. Raises MissingRequirementError or ConfigError.
    """
    ray = load_ray()
    if ray.is_initialized():
        yield RayCluster(ray)
        return
    with _own_handlers(), _errors(address):
        if address is None:
            _start(ray, max(cores(), threads or 1), images)
        else:
            _check_reachable(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
        _silence()
    try:
        yield RayCluster(ray)
    finally:
        with _own_handlers():
            ray.shutdown()


def _start(ray: Any, cpus: int, images: int) -> None:
    """Start Ray on this machine, reachable from this machine only, without its dashboard."""
    constants: Any = importlib.import_module("ray._private.ray_constants")
    before = constants.ENABLE_RAY_CLUSTER
    # Without "clusters" Ray listens on the loopback address, as it always does on macOS and Windows.
    constants.ENABLE_RAY_CLUSTER = False
    try:
        ray.init(
            address="local",
            num_cpus=cpus,
            object_store_memory=_STORE + 2 * images,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
        )
    finally:
        constants.ENABLE_RAY_CLUSTER = before


def _silence() -> None:
    """Keep Ray's messages about lost processes off the terminal, because the search reports them itself."""
    worker: Any = importlib.import_module("ray._private.worker")
    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = lambda *arguments, **options: None


def _check_reachable(address: str) -> None:
    """Raise ConnectionError if nothing listens at ``host:port``; Ray would wait for long, or end this process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdigit()):
        return  # "auto"
    services: Any = importlib.import_module("ray._private.services")
    found = services.resolve_ip_for_localhost(host.strip("[]"))  # Ray uses the address of this machine in a network
    try:
        socket.create_connection((found, int(port)), timeout=_REACH).close()
    except OSError as error:
        raise ConnectionError(f"{address}: {error.strerror or error}") from None


@contextmanager
def _errors(address: str | None) -> Iterator[None]:
    """Translates the errors of a connection."""
    try:
        yield
    except InceptionSearchError:
        raise
    except Exception as error:
        rule, hint = _explained(error, address)
        text = " ".join(str(error).split())[:300]
        raise ConfigError(rule, path="address", found=raw(text or type(error).__name__), hint=hint) from error


def _explained(error: Exception, address: str | None) -> tuple[str, str]:
    """What an error of Ray means, with a hint."""
    text = str(error)
    if "Version mismatch" in text or "version mismatch" in text:
        return "the cluster has another version of Ray or Python", "install the same versions here and on all nodes"
    if "uthentication" in text or "token" in text.lower():
        return "the cluster refuses the token", "set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to that of the cluster"
    if isinstance(error, ImportError) or "ray[client]" in text or "ray[default]" in text:
        return "an address ray://host:port needs Ray's client", 'pip install "ray[client]", or use host:port'
    if isinstance(error, ConnectionError | TimeoutError):
        where = "on this machine" if address == "auto" else "at this address"
        hint = "start one with `ray start --head`, or omit the address to use this machine alone"
        return f"there is no Ray cluster {where}", hint
    rule = "Ray cannot be started on this machine" if address is None else "the cluster cannot be used"
    return rule, "look into the logs below /tmp/ray/session_latest/logs"


@contextmanager
def _own_handlers() -> Iterator[None]:
    """Restore the handlers of signals after the block, because Ray installs its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
