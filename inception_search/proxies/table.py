"""The table of proxies: a new one is a file in ``kinds`` and a row here. This module does not import torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from inception_search.errors import ConfigError, unknown_name
from inception_search.plugins import added, all_names

BASELINES = ("params", "macs")
"""A proxy should predict better than these counts, which need no computation with weights."""


@dataclass(frozen=True)
class Proxy:
    """The module of a proxy, its inputs and a short description.

    ``better`` is the direction that predicts higher accuracy; for every proxy here it is ``higher``. ``needs``:
    ``nothing`` but the network, a batch of ``images``, or images and ``labels``.
    """

    function: str
    needs: Literal["nothing", "images", "labels"]
    about: str
    paper: str = ""
    better: Literal["higher"] = "higher"


def _row(name: str, needs: Literal["nothing", "images", "labels"], about: str, paper: str = "") -> tuple[str, Proxy]:
    return name, Proxy(f"inception_search.proxies.kinds.{name}:{name}", needs, about, paper)


PROXIES: dict[str, Proxy] = dict(
    (
        _row("params", "nothing", "parameters (baseline)"),
        _row("macs", "nothing", "multiply-adds for one image (baseline)"),
        _row("grad_norm", "labels", "gradient norms of the loss, summed over layers", "2101.08134"),
        _row("snip", "labels", "change of the loss if single weights were removed, summed", "1810.02340"),
        _row("grasp", "labels", "change of the gradient norm if single weights were removed", "2002.07376"),
        _row("synflow", "nothing", "absolute weights along all paths from input to output", "2006.05467"),
        _row("jacob_cov", "images", "how much the input gradients of images differ", "2006.04647v1"),
        _row("naswot", "images", "how much the activation patterns of images differ", "2006.04647"),
        _row("zen", "nothing", "sensitivity of the last feature maps to small input changes", "2102.01063"),
        _row("fisher", "labels", "change of the loss if single channels were removed, summed", "1906.04113"),
        _row("zico", "labels", "size and stability of gradients between batches", "2301.11300"),
    )
)


def known(names: Iterable[str] | None = None) -> tuple[str, ...]:
    """``names`` without repeats, in their order; None means all proxies of this package.

    Proxies of other packages (docs/plugins.md) are computed only if they are named.

    Raises :class:`UnknownNameError` for an unknown name, :class:`ConfigError` for an empty list.
    """
    chosen = tuple(dict.fromkeys(PROXIES if names is None else names))
    for name in chosen:
        if name not in PROXIES and name not in added("proxy"):
            raise unknown_name("proxy", name, all_names("proxy", PROXIES))
    if not chosen:
        raise ConfigError("no proxies are named", expected=f"some of {', '.join(all_names('proxy', PROXIES))}")
    return chosen
