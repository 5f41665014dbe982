"""``score``: compute the proxies of one network in a fraction of a second each, without changes to torch's state."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch

from inception_search.errors import InceptionSearchError, PluginError, SpecError, shorten
from inception_search.plugins import find as find_added
from inception_search.plugins import guarded, unusable
from inception_search.proxies.batch import ProxyBatch, proxy_batch
from inception_search.proxies.probe import Probe, Unavailable
from inception_search.proxies.table import PROXIES, known
from inception_search.spec.network import Network

__all__ = ["ProxyBatch", "Scores", "find", "proxy_batch", "score", "score_with_reasons"]


@dataclass(frozen=True)
class Scores:
    """The finite ``values`` by proxy, and the ``reasons`` why other proxies have none."""

    values: Mapping[str, float]
    reasons: Mapping[str, str]


def score(
    network: Network, batch: ProxyBatch | None, names: Iterable[str] | None = None, *, seed: int = 0
) -> dict[str, float]:
    """The proxies of ``network`` with the initial weights of ``seed``, by name; a higher value predicts a better one.

    ``batch`` may be None for proxies that need no data. ``names`` default to all. A proxy without a finite value is
    omitted; :func:`score_with_reasons` returns the reason. Computes on one CPU thread. The number of threads, the
    global random state and the gradient mode are restored, so other threads should not change them meanwhile. Raises
    UnknownNameError for an unknown proxy.
    """
    return dict(score_with_reasons(network, batch, names, seed=seed).values)


def score_with_reasons(
    network: Network, batch: ProxyBatch | None, names: Iterable[str] | None = None, *, seed: int = 0
) -> Scores:
    """As :func:`score`, with the reasons for omitted proxies."""
    if not isinstance(network, Network):
        raise SpecError("only a network can be scored", found=network, hint="write score(load(...), batch)")
    probe = Probe(network, batch, seed)
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    with apart():
        for name in known(names):
            try:
                values[name] = _finite(find(name)(probe))
            except PluginError:
                raise
            except (Unavailable, InceptionSearchError) as error:
                reasons[name] = str(error)
            except RuntimeError as error:  # torch raises it if memory is short or a decomposition does not converge
                reasons[name] = str(error).strip().partition("\n")[0]
    return Scores(values, reasons)


def find(name: str) -> Callable[[Probe], float]:
    """The function of the proxy ``name``, which raises :class:`Unavailable` if it has no value for a network."""
    known((name,))
    if (added := find_added("proxy", name, PROXIES)) is not None:
        return _guarded(name, added)
    module, _, function = PROXIES[name].function.partition(":")
    found: Callable[[Probe], float] = getattr(import_module(module), function)
    return found


def _guarded(name: str, function: Any) -> Callable[[Probe], float]:
    """The proxy ``name`` of another package; its unexpected errors become a PluginError that names the package."""
    if not callable(function):
        raise unusable("proxy", name, shorten(function), "a function of a Probe that returns a number")

    def computed(probe: Probe) -> float:
        with guarded("proxy", name, Unavailable, RuntimeError):
            return float(function(probe))

    return computed


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise Unavailable(f"the result is not finite ({value:g})")
    return float(value)


@contextmanager
def apart() -> Iterator[None]:
    """Use one thread and let proxies change the gradient mode; restore both at the end."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)
