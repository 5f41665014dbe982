"""The catalogue of published weights: one row of ``weights.json`` for each file.

A fact that no source gives is None. ``sources`` has, for each fact, the Python module or the page that it comes from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from inception_search.canonical.catalogue import list_dialects, names
from inception_search.errors import ConfigError, Place, WeightsError, raw, unknown_name
from inception_search.published import caches
from inception_search.spec.network import Network, Preprocess
from inception_search.spec.transform import remake

PRETRAINED = "pretrained"
_TABLE = Path(__file__).with_name("weights.json")


@dataclass(frozen=True)
class PublishedWeights:
    """A published file of weights.

    ``network`` is the dialect that it belongs to, and ``tag`` distinguishes the files of one dialect. ``sha256`` may be
    the beginning of the checksum. ``megabytes`` is the size as published (2**20 bytes in torchvision's tables).
    ``accuracies`` are fractions. ``preprocess`` has the values that replace those of the dialect, where
    the file expects others.
    """

    network: str
    tag: str
    dataset: str | None
    classes: int
    file: str
    url: str
    sha256: str | None
    md5: str | None
    megabytes: float | None
    licence: str | None
    accuracies: Mapping[str, float]
    cache: Literal["torch hub", "torch home", "Keras", "Hugging Face hub", "own"]
    preprocess: Mapping[str, Any] | None
    sources: Mapping[str, str]

    @property
    def name(self) -> str:
        """How a message names the file: the dialect, and the tag."""
        return f"{self.network} ({self.tag})"

    @property
    def location(self) -> Path:
        """Where the file is, or will be, in the cache of its ecosystem. For the Hugging Face hub: its snapshot."""
        return caches.location(self)

    @property
    def path(self) -> Path | None:
        """The file in the cache, or None if it is not there."""
        return caches.find(self)

    def to_dict(self) -> dict[str, Any]:
        """The facts as JSON data, with ``path``."""
        path = self.path
        return {**asdict(self), "path": None if path is None else str(path)}


def published_weights(network: str | Network | None = None) -> tuple[PublishedWeights, ...]:
    """List the published weights of the canonical networks: files, checksums, licences, accuracies and their sources.

    Facts that no source gives are None. Nothing is downloaded: :func:`compile` does that with
    ``weights="pretrained", download=True``.

    Args:
        network: a canonical network or one of its dialects, such as ``"inception_v3"`` or ``"inception_v3@keras"``
            (default: all).

    Returns:
        The weights; for each dialect its default comes first. ``path`` is the file in the cache of its ecosystem (torch
        hub, Hugging Face hub, Keras), or None if it is not there.

    Raises:
        UnknownNameError: the network or the dialect is unknown.

    >>> for weights in ins.published_weights("inception_v3@timm"):
    ...     print(weights.tag, weights.classes, weights.accuracies["top-1"])
    tv_in1k 1000 0.77434
    tf_in1k 1000 0.77862
    tf_adv_in1k 1000 0.77592
    gluon_in1k 1000 0.78806
    """
    if network is None:
        return _rows()
    base, dialect = _base_and_dialect(network)
    of_base = tuple(row for row in _rows() if row.network.partition("@")[0] == base)
    return of_base if dialect is None else tuple(row for row in of_base if row.network == f"{base}@{dialect}")


def _base_and_dialect(network: str | Network) -> tuple[str, str | None]:
    """The canonical network and the dialect, which is None if all are meant."""
    base, at, dialect = (network if isinstance(network, str) else network.name).partition("@")
    if isinstance(network, Network):
        return base, dialect or network.dialect
    if base not in names():
        raise unknown_name("network", base, names())
    if at and dialect not in (known := list_dialects(base)):
        raise unknown_name(f"dialect of {base}", dialect, known)
    return base, dialect if at else None


def is_pretrained(weights: object) -> bool:
    """Whether ``weights`` is ``"pretrained"`` or ``"pretrained:TAG"``."""
    return isinstance(weights, str) and weights.partition(":")[0] == PRETRAINED


def chosen(network: Network, weights: str) -> PublishedWeights:
    """The published weights that ``weights`` (:func:`is_pretrained`) means for a network.

    Raises :class:`ConfigError` if none exist for its dialect, or if the tag is unknown.
    """
    rows, tag = published_weights(network), weights.partition(":")[2]
    if not rows:
        base = _base_and_dialect(network)[0]
        others = dict.fromkeys(row.network for row in _rows() if row.network.partition("@")[0] == base)
        raise ConfigError(
            f"no weights are published for {network.name} in the dialect {network.dialect or 'of its document'}",
            found=raw(f"weights={weights!r}"),
            expected=f"one of {', '.join(others)}" if others else None,
            hint=None if others else "inception-search weights lists the networks that have published weights",
        )
    found = [row for row in rows if tag in ("", row.tag)]
    if not found:
        raise unknown_name(f"tag of the published weights of {rows[0].network}", tag, [row.tag for row in rows])
    return found[0]


def prepared_as(network: Network, row: PublishedWeights) -> Network:
    """``network`` with the image normalisation of ``row``, where that differs from the dialect's."""
    if not row.preprocess or network.preprocess is None:
        return network
    facts = {name: tuple(value) for name, value in row.preprocess.items()}
    return remake(network, preprocess=Preprocess(**{**network.preprocess.model_dump(), **facts}))


@lru_cache(maxsize=1)
def _rows() -> tuple[PublishedWeights, ...]:
    data = json.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(PublishedWeights(**row) for row in data["weights"])


def missing(row: PublishedWeights) -> WeightsError:
    """The error for weights that are not in the cache, and that must not be downloaded."""
    return WeightsError(
        f"the weights of {row.name} are not in the cache",
        place=Place(str(row.location)),
        hint=f"permit the download with download=True, or {by_hand(row)}",
    )


def by_hand(row: PublishedWeights) -> str:
    """What to do without this package's download."""
    if row.cache == "own":
        return f"unpack {caches.address(row)} in {row.location}"
    if row.cache == "Hugging Face hub":
        return f"fetch {caches.address(row)} and give its path as weights"
    return f"store {caches.address(row)} as {row.location}"
