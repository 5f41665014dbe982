"""The published weights that ``compile`` and ``convert`` load into a network, and the names of their classes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from inception_search.backend.network_module import NetworkModule
from inception_search.errors import ConfigError, raw
from inception_search.published.catalogue import PublishedWeights, chosen, is_pretrained, prepared_as
from inception_search.published.imagenet import IMAGENET, names_for
from inception_search.spec.network import Network


class ForNetwork(NamedTuple):
    """Published weights: their row, their file, and the network with its images prepared as they expect."""

    row: PublishedWeights
    file: Path
    network: Network

    def name_classes(self, module: NetworkModule) -> None:
        """Set ``module.classes`` if its classifier is the published one and the classes of its dataset are known.

        A classifier with another number of classes is new, and has no names.
        """
        names = names_for(module.num_classes) if self.row.dataset == IMAGENET else None
        if names is not None and not any(key.startswith("head.") for key in module.loaded.fresh):
            module.classes = names


def published_for(network: Network, weights: object, *, download: bool) -> ForNetwork | None:
    """The published weights that ``weights`` means for ``network``; None if it is not ``"pretrained"``.

    Raises :class:`ConfigError` if none exist, or for ``download`` with other weights, and :class:`WeightsError` if the
    file is missing or damaged, or cannot be downloaded.
    """
    if not is_pretrained(weights):
        if download:
            hint = "write weights='pretrained' too, or leave out download"
            raise ConfigError("only published weights are downloaded", found=raw("download=True"), hint=hint)
        return None
    from inception_search.downloads.progress import shown
    from inception_search.published.obtain import obtain

    row = chosen(network, str(weights))
    return ForNetwork(row, obtain(row, download=download, shown=shown), prepared_as(network, row))
