"""Warnings about a configuration: options without effect, skewed classes, a recipe that changed."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from inception_search.data.catalogue import EMBEDDED, may_download
from inception_search.lowering import lower
from inception_search.measures.plan_sources import random_networks
from inception_search.optuna_bridge.given_sampler import PREFIXES
from inception_search.space.space import Space
from inception_search.store.record import TrialRecord
from inception_search.strategies.protocol import Proposal
from inception_search.study.config import StudyConfig
from inception_search.study.feasibility import Screen

if TYPE_CHECKING:
    from inception_search.data.dataset import Dataset
    from inception_search.measures.device_table import DeviceTable


UNPLANNED = 1_000_000  # the first seed of random networks that are in no plan
SAMPLED = 5  # random networks whose ops are looked up in a table of latencies
FEW = 0.2  # share of timed ops below which a table was made for something else
SKEWED = 3  # ratio of images between classes from which they count as skewed


def without_effect(config: StudyConfig, reference: Mapping[str, float] | None) -> Iterator[str]:
    """A sentence for each option without effect, or whose default omits something."""
    if config.proxies and config.strategy != "predictor":
        yield f"proxies has no effect: only the strategy predictor uses it, not {config.strategy}"
    if config.data_root and config.data in EMBEDDED:
        yield f"data_root has no effect: {config.data} is part of a package"
    if config.download and not may_download(config.data):
        why = "is part of a package" if config.data in EMBEDDED else "is read from its folder and cannot be downloaded"
        yield f"download has no effect: {config.data} {why}"
    if config.reference is not None and len(config.objectives) == 1:
        yield "reference has no effect: with one objective there is no front"
    if config.latency_table and config.budget.max_latency_ms is None and "latency" not in config.objectives:
        yield "latency_table has no effect without max_latency_ms or the objective latency"
    if reference is None and len(config.objectives) > 1:
        names = ", ".join(config.objectives)
        yield f"no hypervolume is computed: an objective has no limit as its reference; set reference with {names}"


def about_data(dataset: Dataset, config: StudyConfig) -> Iterator[str]:
    """Sentences on how the files were read, and a warning if classes are skewed."""
    yield from (f"{dataset.name}: {note}" for note in dataset.notes)
    counts = dataset.train.labels.bincount(minlength=len(dataset.classes)).tolist()
    most, least = max(counts), min(counts)
    if most < SKEWED * least:
        return
    often, rarely = dataset.classes[counts.index(most)], dataset.classes[counts.index(least)]
    share = most / sum(counts)
    sentence = f"the classes are skewed: {often} has {most:,} training images and {rarely} {least:,}; "
    sentence += f"a network that always predicts {often} has an accuracy of {100 * share:.0f} %"
    if "accuracy" in config.objectives:
        sentence += "; the objectives balanced_accuracy and macro_f1 weight all classes equally"
    if config.training.class_weights == "none":
        sentence += "; class_weights: balanced gives images of rare classes more weight in the loss"
    yield sentence


def about_sampler(config: StudyConfig, space: Space) -> Iterator[str]:
    """A sentence if an Optuna sampler draws decisions of the space at random."""
    if config.strategy.startswith(PREFIXES):
        from inception_search.strategies.user_sampler import draws_at_random

        if sentence := draws_at_random(config.strategy, config.strategy_options, space):
            yield sentence


def about_latency(table: DeviceTable | None, space: Space, shape: tuple[int, int, int], classes: int) -> Iterator[str]:
    """A sentence on the table of latencies: its machine, and how much of it was timed for images (C, H, W)."""
    if table is None:
        return
    drawn = islice(random_networks(space, shape, classes, UNPLANNED), SAMPLED)
    shares = [table.latency(lower(network, aux=False)).timed for network in drawn]
    sentence = f"latency is that of {table.target}"
    sentence += "" if table.batch_size == 1 else f", for a batch of {table.batch_size} images"
    share = statistics.median(shares or [1.0])
    sentence += f"; {100 * share:.0f} % of the latency of random networks comes from ops that were timed there"
    if share < FEW:
        sentence += ", the rest is estimated: a plan for this space and these images would be more exact"
    yield sentence


def about_baselines(config: StudyConfig, canonical: Sequence[Proposal], screen: Screen) -> str | None:
    """A sentence if the canonical modules leave nothing to compare with, or nothing to search."""
    if not canonical:
        return None
    trained = sum(screen(proposal.params).fresh for proposal in canonical)
    if not trained:
        return "no canonical module can be trained within the budget: the study has no baselines to compare with"
    if trained >= config.trials:
        canon = (
            "the only trial is a canonical module"
            if config.trials == 1
            else f"all {config.trials} trials are canonical modules"
        )
        return f"{canon}: use more trials, or no baselines, to search"
    return None


def recipe_change(config: StudyConfig, records: Iterable[TrialRecord]) -> str | None:
    """A sentence about settings that differ between ``config`` and the latest trained record; None if none do.

    Threads are ignored, because they only affect speed and are chosen by the machine.
    """
    trained = [record for record in records if record.curve and record.fidelity]
    if not trained:
        return None
    had = {"class_weights": "none", **max(trained, key=lambda record: record.number).fidelity}
    now = config.fidelity(threads=None)
    words = [f"{name} {now[name]} (was {had[name]})" for name in now if name in had and now[name] != had[name]]
    if not words:
        return None
    return (
        f"study.yaml has {', '.join(words)}: new trials are not comparable with the {len(trained)} trained so far; "
        "restore the old value, or use a new run folder"
    )
