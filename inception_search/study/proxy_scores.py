"""Proxy scores of a study's networks, stored in its run folder so that they are computed once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_search.analysis.proxy_ranking import Score
from inception_search.errors import RunFolderError
from inception_search.spec.network import Network
from inception_search.store.atomic import write_atomic
from inception_search.store.links import refuse_links

if TYPE_CHECKING:
    from inception_search.proxies.batch import ProxyBatch

SCHEMA = "inception-search/proxies"
VERSION = 1
"""Increased when the computation of a proxy changes; scores of an older version are recomputed."""
FILE = "proxies.json"


class ProxyScores:
    """The file ``proxies.json`` of a run folder: scores by architecture, proxy, number of images, seed and data.

    A damaged file, or one of another version, counts as empty and is replaced, with a note in ``notes``.
    """

    def __init__(self, folder: Path, data: str) -> None:
        self.path = folder / FILE
        self.data = data
        self.notes: list[str] = []
        self._changed = False
        self._kept = self._read()

    def get(self, arch_id: str, proxy: str, images: int, seed: int) -> Score | None:
        """The stored score, or None."""
        return self._kept.get(self._key(arch_id, proxy, images, seed))

    def put(self, arch_id: str, proxy: str, images: int, seed: int, score: Score) -> None:
        """Store ``score``; it is on disk only after :meth:`save`."""
        self._kept[self._key(arch_id, proxy, images, seed)] = score
        self._changed = True

    def save(self) -> None:
        """Write new scores; if the folder is not writable, only note that."""
        if not self._changed:
            return
        document = {"schema": SCHEMA, "version": VERSION, "scores": self._kept}
        try:
            refuse_links(self.path.parent)
            write_atomic(self.path, json.dumps(document, allow_nan=False, indent=0) + "\n")
            self._changed = False
        except RunFolderError as error:
            self.notes.append(f"the scores are not saved: {error}")

    def _key(self, arch_id: str, proxy: str, images: int, seed: int) -> str:
        return f"{arch_id} {proxy} images={images} seed={seed} data={self.data}"

    def _read(self) -> dict[str, Score]:
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            self.notes.append(f"{self.path} cannot be read and is replaced: {error}")
            return {}
        scores = _checked(document)
        if scores is None:
            self.notes.append(f"{self.path} is damaged or of another version and is replaced")
        return scores or {}


def _checked(document: Any) -> dict[str, Score] | None:
    """The scores in a file's ``document``; None if it is not a file of this version."""
    if not isinstance(document, dict) or (document.get("schema"), document.get("version")) != (SCHEMA, VERSION):
        return None
    scores = document.get("scores")
    if not isinstance(scores, dict) or not all(_is_score(score) for score in scores.values()):
        return None
    return scores


def _is_score(score: Any) -> bool:
    return isinstance(score, str) or (isinstance(score, float) and math.isfinite(score))


def fill(
    kept: ProxyScores,
    arch_id: str,
    network: Callable[[], Network],
    names: Iterable[str],
    images: int,
    seed: int,
    batch: Callable[[], ProxyBatch],
) -> None:
    """Compute the missing scores of one network at one seed; nothing is loaded unless it is needed."""
    missing = [name for name in names if kept.get(arch_id, name, images, seed) is None]
    if not missing:
        return
    from inception_search.proxies.score import score_with_reasons

    scores = score_with_reasons(network(), batch(), missing, seed=seed)
    for name in missing:
        kept.put(arch_id, name, images, seed, scores.values.get(name, scores.reasons.get(name, "")))
