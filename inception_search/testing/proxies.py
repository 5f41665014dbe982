"""The suite of proxies: a number or a reason, reproducible, without changes to torch's state."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import torch

from inception_search.proxies.batch import ProxyBatch
from inception_search.proxies.probe import Probe, Unavailable
from inception_search.proxies.score import apart
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.network import Network
from inception_search.testing.expect import equal, true

Proxy: TypeAlias = Callable[[Probe], float]
Law: TypeAlias = Callable[[Proxy, Network], None]

_HEADER = "schema: inception-search/network\nversion: 1\nname: n\ninput: 2x6x6\n"
_BODY = "stages: {a: 3x3 4, b: {concat: [1x1 3, 3x3 4]}, c: {block: {skip: add, body: 3x3 7}}}\n"
NETWORKS: dict[str, Network] = {
    "plain": parse_network(f"{_HEADER}{_BODY}head: {{classes: 3}}\n"),
    "no norm": parse_network(f"{_HEADER}conv_defaults: {{norm: null, act: relu}}\n{_BODY}head: {{classes: 3}}\n"),
    "no activation": parse_network(f"{_HEADER}conv_defaults: {{norm: {{}}, act: none}}\n{_BODY}head: {{classes: 3}}\n"),
    "no classifier": parse_network(f"{_HEADER}{_BODY}head: {{classifier: none}}\n"),
    "no features": parse_network(f"{_HEADER}stages: {{a: 3x3 4, b: zero}}\nhead: {{classes: 3}}\n"),
}
"""Example networks: a proxy has a value for each, or raises Unavailable with the reason."""


def batch() -> ProxyBatch:
    """Sixteen images of the networks' input size, with labels of three classes; always the same."""
    generator = torch.Generator().manual_seed(0)
    return ProxyBatch(torch.randn(16, 2, 6, 6, generator=generator), torch.arange(16) % 3)


def value_is_a_number_or_has_a_reason(proxy: Proxy, network: Network) -> None:
    """The proxy returns a number or raises Unavailable with a reason, with and without images."""
    for images in (batch(), None):
        true(_value(proxy, Probe(network, images)) != "", "Unavailable is raised without a reason")


def value_is_the_same_each_time(proxy: Proxy, network: Network) -> None:
    """The value is reproducible for the same network, batch and seed."""
    values = [_value(proxy, Probe(network, batch())) for _ in range(2)]
    equal("the value when it is computed again", values[1], values[0])


def nothing_is_changed(proxy: Proxy, network: Network) -> None:
    """The proxy changes neither the images nor torch's global random state."""
    images, random_state = batch(), torch.random.get_rng_state()
    _value(proxy, Probe(network, images))
    true(torch.equal(images.images, batch().images), "the images of the batch were changed")
    true(not images.images.requires_grad, "the images of the batch now require gradients")
    true(torch.equal(torch.random.get_rng_state(), random_state), "torch's global random numbers were used")


PROXY_LAWS: tuple[Law, ...] = (
    value_is_a_number_or_has_a_reason,
    value_is_the_same_each_time,
    nothing_is_changed,
)


def check_proxy(proxy: Proxy) -> None:
    """Check a proxy on small networks of several kinds.

    Args:
        proxy: the function; it takes a ``Probe`` and returns a number, or raises ``Unavailable``.

    Raises:
        AssertionError: the proxy breaks a rule; the message names it.

    >>> from inception_search.proxies.score import find
    >>> check_proxy(find("synflow"))
    """
    for network in NETWORKS.values():
        for law in PROXY_LAWS:
            law(proxy, network)


def _value(proxy: Proxy, probe: Probe) -> float | str:
    with apart():  # as a study computes it
        try:
            value = float(proxy(probe))
        except Unavailable as error:
            return str(error)
    return value if math.isfinite(value) else "the result is not finite"
