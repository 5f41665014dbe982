"""Reasons why weights do not fit a network, each with a hint."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from inception_search.canonical.catalogue import list_dialects, names
from inception_search.spec.network import Network
from inception_search.weights.naming import Naming
from inception_search.weights.source import network_of_implementation


class Cause(Enum):
    """The kind of a mismatch; each kind has its own hint."""

    CLASSES = auto()
    CLASSIFIER = auto()  # the file has none
    HEAD = auto()  # the file has one of its own
    CHANNELS = auto()
    WIDTH = auto()
    AUX = auto()
    GAMMA = auto()
    VALUES = auto()
    LAYERS = auto()  # tensors that only one of the two has


class Mismatch(NamedTuple):
    """A description of one tensor that does not fit, and the values in file and network if the hint needs them."""

    cause: Cause
    what: str
    theirs: object = None
    ours: object = None


def hint_of(wrong: Sequence[Mismatch], naming: Naming, network: Network, in_channels: bool) -> str:
    """A hint that corrects ``wrong``; ``in_channels`` is True if the caller requested other input channels."""
    first = {mismatch.cause: mismatch for mismatch in reversed(wrong)}
    is_theirs = not naming.alike or network.dialect in naming.alike
    hints = [] if is_theirs else [f"compile {_their_network(naming)} for them"]
    for cause, mismatch in sorted(first.items(), key=lambda item: item[0].value):
        if is_theirs or cause in _OF_ANY_NETWORK:
            hints.append(_hint(mismatch, naming, network, in_channels))
    return "; ".join(dict.fromkeys(hints))


# Causes that also occur for a network in the dialect of the file.
_OF_ANY_NETWORK = (Cause.CLASSES, Cause.CLASSIFIER, Cause.HEAD, Cause.CHANNELS, Cause.VALUES)


def _hint(mismatch: Mismatch, naming: Naming, network: Network, in_channels: bool) -> str:
    cause, _, theirs, ours = mismatch
    if cause is Cause.CLASSES:
        return f"num_classes={theirs} given to compile takes the file's classifier, num_classes={ours} starts a new one"
    if cause is Cause.CLASSIFIER:
        classes = network.head.classes
        return f"num_classes=0 given to compile leaves the classifier out, num_classes={classes} starts a new one"
    if cause is Cause.HEAD:
        return _head_hint(str(theirs))
    if cause is Cause.CHANNELS:
        return (
            f"in_channels={ours} given to compile brings the first convolution to {ours}, in_channels={theirs} keeps it"
        )
    if cause is Cause.AUX:
        return f"leave the auxiliary classifiers out (aux=False): the file has only a part of {theirs}"
    if cause is Cause.GAMMA:
        return _gamma_hint(naming)
    if cause is Cause.VALUES:
        return "check that the file is whole and holds floats that the network's dtype can hold"
    if cause is Cause.WIDTH and in_channels:
        return "leave in_channels out (a depthwise first convolution keeps its channels), and a width of your own"
    return _unchanged(naming, "with their width" if cause is Cause.WIDTH else "unchanged")


def _head_hint(widths: str) -> str:
    """A hint for a custom head in the file: linear layers of ``widths`` ("256, 5"), or other layers ("")."""
    leave = "the file has a head of its own: num_classes=0 given to compile omits the head"
    *hidden, classes = widths.split(", ")
    if not classes:
        return leave
    head = f"'head: {{hidden: [{', '.join(hidden)}], classes: {classes}}}'"
    return f"{leave}; compile a document with {head} to load it as well"


def _gamma_hint(naming: Naming) -> str:
    named = f"{naming.implementation}_gamma"
    if naming.network in names() and named in list_dialects(naming.network):
        return f"compile {naming.network}@{named}, which has gammas"
    return "compile a network whose norms have gammas (conv_defaults: {norm: {gamma: true}})"


def _unchanged(naming: Naming, how: str) -> str:
    if not naming.alike:
        return f"compile the network that they were saved from, {how}"
    return f"compile {_their_network(naming)} {how}, or check that the file is whole"


def _their_network(naming: Naming) -> str:
    return network_of_implementation(naming.network, naming.implementation)
