"""How well zero-cost proxies predict the accuracies measured in a study."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from inception_search.analysis.proxy_ranking import LEAST, ProxyRow, Score, compare, top_count
from inception_search.analysis.rank_correlation import varies
from inception_search.errors import ConfigError, TrainingError
from inception_search.proxies.table import BASELINES, known
from inception_search.space.space import Space
from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.network import Network
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig, facts_of
from inception_search.study.context import check_same, make_plan
from inception_search.study.proxy_scores import ProxyScores, fill

if TYPE_CHECKING:
    from inception_search.data.dataset import Dataset
    from inception_search.proxies.batch import ProxyBatch

MANY = 30  # networks from which a correlation is meaningful
MOST = {"images": 4096, "seeds": 100}


@dataclass(frozen=True)
class Architecture:
    """One trained architecture: a record, and the mean validation accuracy (0..1) of its complete trials."""

    arch_id: str
    record: TrialRecord
    accuracy: float

    def network(self) -> Network:
        """The trained network."""
        return network_from_data(self.record.network or {})


@dataclass(frozen=True)
class ProxyReport:
    """The rows, best Spearman's rho first; ``left_out``: why a proxy has no row; ``notes``: other problems.

    ``baseline`` is the better of parameters and MACs; ``top_networks`` is the size of the best tenth (0: too few
    networks).
    """

    rows: tuple[ProxyRow, ...]
    left_out: Mapping[str, str]
    baseline: str | None
    networks: int
    top_networks: int
    images: int
    seeds: int
    notes: tuple[str, ...] = ()


def proxy_report(
    run: RunFolder,
    names: Iterable[str] | None = None,
    *,
    images: int = 64,
    seeds: int = 1,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> ProxyReport:
    """The report on the study in ``run``; ``names``: all proxies if None; the baselines are always included.

    A score is the mean over ``seeds`` draws of weights and of ``images`` training images. ``progress`` is called with
    the number of scored networks and the total. Raises TrainingError if fewer than 5 architectures are trained or all
    are equally accurate. Raises UnknownNameError or ConfigError for unusable options, and DataError or RunFolderError
    if the study's data is missing or has changed.
    """
    chosen = known((*BASELINES, *known(names)))
    for option, value in (("images", images), ("seeds", seeds)):
        if not 1 <= value <= MOST[option]:
            raise ConfigError("not a usable value", path=option, found=value, expected=f"1 to {MOST[option]}")
    found = architectures(run.records())
    accuracies = np.array([architecture.accuracy for architecture in found])
    if len(found) < LEAST or not varies(accuracies):
        raise _too_few(run, found)
    kept = ProxyScores(run.path, _fingerprint(run))
    _fill(run, kept, found, chosen, images, seeds, progress)
    scores = {
        name: [_mean([kept.get(a.arch_id, name, images, seed) for seed in range(seeds)]) for a in found]
        for name in chosen
    }
    rows, left_out, baseline = compare(scores, accuracies)
    count = len(found)
    return ProxyReport(rows, left_out, baseline, count, top_count(count), images, seeds, tuple(kept.notes))


def architectures(records: Iterable[TrialRecord]) -> list[Architecture]:
    """The distinct architectures among complete trials, in order; trials of the same one are averaged."""
    trials: dict[str, list[TrialRecord]] = {}
    for record in records:
        if record.state == "complete" and record.score is not None and record.network is not None:
            identity = record.arch_id or arch_id(network_from_data(record.network))
            trials.setdefault(identity, []).append(record)
    return [
        Architecture(identity, same[0], math.fsum(record.score or 0.0 for record in same) / len(same))
        for identity, same in trials.items()
    ]


def _fill(
    run: RunFolder,
    kept: ProxyScores,
    found: list[Architecture],
    names: tuple[str, ...],
    images: int,
    seeds: int,
    progress: Callable[[int, int], object],
) -> None:
    """Compute the missing scores; the study's images are loaded only if some are missing."""
    dataset = cache(lambda: _dataset(run))

    @cache
    def batch(seed: int) -> ProxyBatch:
        from inception_search.proxies.batch import proxy_batch

        return proxy_batch(dataset(), images, seed)

    progress(0, len(found))
    try:
        for done, one in enumerate(found, 1):
            for seed in range(seeds):
                fill(kept, one.arch_id, one.network, names, images, seed, partial(batch, seed))
            progress(done, len(found))
    finally:  # keeps the scores computed before a Ctrl-C
        kept.save()


def _dataset(run: RunFolder) -> Dataset:
    """The study's images, checked as in a resume; on the CPU."""
    config = StudyConfig.read(run.study_file).model_copy(update={"device": "cpu"})
    plan = make_plan(config, Space(run.space_text(), str(run.space_file)), run)
    check_same(run, plan, facts_of(run.study_file))
    return plan.dataset


def _fingerprint(run: RunFolder) -> str:
    """The fingerprint of the study's data; empty if it is not recorded."""
    data = facts_of(run.study_file).get("data")
    return str(data.get("fingerprint", "")) if isinstance(data, dict) else ""


def _mean(scores: list[Score | None]) -> Score:
    """The mean of the numeric scores; else the first reason."""
    numbers = [score for score in scores if isinstance(score, int | float)]
    return math.fsum(numbers) / len(numbers) if numbers else str(scores[0])


def _too_few(run: RunFolder, found: list[Architecture]) -> TrainingError:
    some = "1 architecture" if len(found) == 1 else f"{len(found) or 'no'} architectures"
    what = some if len(found) < LEAST else f"{some}, all equally accurate"
    return TrainingError(
        f"{what} trained to the last epoch: too few to evaluate proxies",
        path=str(run.trials_file),
        expected=f"at least {LEAST}, of different accuracy",
        hint=f"train more: inception-search resume {shlex.quote(str(run.path))} --trials {MANY}",
    )
