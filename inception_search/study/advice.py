"""What a person should hear when a search begins: options without effect, canonical modules that say nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from inception_search.data.catalogue import EMBEDDED
from inception_search.study.config import StudyConfig
from inception_search.study.proposer import Wanted
from inception_search.study.screen import Screen


def without_effect(config: StudyConfig, reference: Mapping[str, float] | None) -> Iterator[str]:
    """A sentence for each option that changes nothing, or whose default leaves something out."""
    if config.proxies and config.strategy != "predictor":
        yield f"proxies are looked at by the predictor alone, not by {config.strategy}"
    for name, value in (("data_root", config.data_root), ("download", config.download)):
        if value and config.data in EMBEDDED:
            yield f"{name} has no effect: {config.data} is part of a package"
    if config.reference is not None and len(config.objectives) == 1:
        yield "reference has no effect: with one objective there is no front"
    if reference is None and len(config.objectives) > 1:
        names = ", ".join(config.objectives)
        yield f"no hypervolume: a cost has no limit to measure it from; give a reference with {names}"


def about_baselines(config: StudyConfig, canonical: Sequence[Wanted], screen: Screen) -> str | None:
    """A sentence where the canonical modules leave nothing to compare with, or nothing to search."""
    if not canonical:
        return None
    trained = sum(screen(wanted.params).fresh for wanted in canonical)
    if not trained:
        return "no canonical module is within the limits: there will be nothing to compare with"
    if trained >= config.trials:
        return f"all {config.trials} trials are canonical modules: more trials, or no baselines, let it search"
    return None
