"""The table of proxies: a new one is a file in ``kinds`` and a row here. Nothing here imports torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from inception_search.errors import ConfigError, unknown_name
from inception_search.plugins import added, all_names

BASELINES = ("params", "macs")
"""What a proxy has to beat: both are known without looking at a network at all."""


@dataclass(frozen=True)
class Proxy:
    """Where a proxy is computed, what it needs, and a line about it.

    ``better`` is the direction that predicts higher accuracy; every proxy here is oriented so that it is ``higher``.
    ``needs``: ``nothing`` but the network, a batch of ``images``, or ``labels`` (and images), too.
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
        _row("grad_norm", "labels", "lengths of the loss's gradients, summed over layers", "2101.08134"),
        _row("snip", "labels", "what the loss would change if single weights went", "1810.02340"),
        _row("grasp", "labels", "what the gradient's length would gain if weights went", "2002.07376"),
        _row("synflow", "nothing", "weights of all paths from input to output, without data", "2006.05467"),
        _row("jacob_cov", "images", "how unlike the input gradients of different images are", "2006.04647v1"),
        _row("naswot", "images", "how unlike the activation patterns of different images are", "2006.04647"),
        _row("zen", "nothing", "how far a small change of the input moves the last maps", "2102.01063"),
        _row("fisher", "labels", "what the loss would change if single channels went", "1906.04113"),
        _row("zico", "labels", "how large and how steady gradients are from batch to batch", "2301.11300"),
    )
)


def known(names: Iterable[str] | None = None) -> tuple[str, ...]:
    """``names`` once each, in their order; all of this package when None.

    Proxies that other packages add (docs/plugins.md) are computed where they are named.

    Raises :class:`UnknownNameError` for one that nothing has, :class:`ConfigError` for none at all.
    """
    chosen = tuple(dict.fromkeys(PROXIES if names is None else names))
    for name in chosen:
        if name not in PROXIES and name not in added("proxy"):
            raise unknown_name("proxy", name, all_names("proxy", PROXIES))
    if not chosen:
        raise ConfigError("no proxies are named", expected=f"some of {', '.join(all_names('proxy', PROXIES))}")
    return chosen
