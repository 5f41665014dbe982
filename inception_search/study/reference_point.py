"""The reference point of a study's hypervolume, fixed before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping

from inception_search.space.space import Space
from inception_search.store.record import QUALITIES
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig, facts_of
from inception_search.study.trial import make_candidate

WIDER = 2.0  # factor on the largest canonical network's cost, for costs without a limit
_LIMITS = {
    "params": "max_params",
    "macs": "max_macs",
    "activation_bytes": "max_activation_bytes",
    "latency": "max_latency_ms",
    "seconds": "trial_seconds",
}


def reference_of(run: RunFolder, config: StudyConfig) -> Mapping[str, float] | None:
    """The reference point of a study's hypervolume, fixed when the study began; None if it has none.

    Studies of version 0.1 stored it among the facts of ``study.yaml``.
    """
    return config.reference or facts_of(run.study_file).get("reference")


def reference_point(
    config: StudyConfig, space: Space, shape: tuple[int, int, int], classes: int
) -> dict[str, float] | None:
    """The configured reference point, or a default one that is fixed before training.

    The default has zero accuracy, the loss of a random guess, and for a cost its limit or else twice the cost of the
    largest canonical network. None if a cost has neither; then no hypervolume is computed.
    """
    if config.reference is not None:
        return dict(config.reference)
    known = {**dict.fromkeys(QUALITIES, 0.0), "loss": math.log(classes)}
    options = config.options()
    found = {name: known.get(name, options.get(_LIMITS.get(name, ""))) for name in config.objectives}
    missing = [name for name, value in found.items() if value is None]
    costs = [_costs(space, label, shape, classes) for label in space.fixed_points] if missing else []
    for name in missing:
        sizes = [cost[name] for cost in costs if name in cost]
        found[name] = WIDER * max(sizes) if sizes else None
    point = {name: float(value) for name, value in found.items() if value is not None}
    return point if len(point) == len(found) else None


def _costs(space: Space, label: str, shape: tuple[int, int, int], classes: int) -> Mapping[str, float]:
    return make_candidate(space.fixed_points[label], {}, shape, classes).cost
