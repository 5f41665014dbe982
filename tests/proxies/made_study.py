"""A run folder with trained networks whose accuracies are made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from inception_search.measures.measured_network import at_size
from inception_search.space.load_space import load_space
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.network import Network
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig
from inception_search.study.context import make_plan
from tests.study.spaces import TINY


def networks(count: int) -> list[Network]:
    """Different points of the tiny space on 8x8 images."""
    space = load_space(TINY)
    drawn = (at_size(space.draw(seed)[0], (1, 8, 8), 10) for seed in range(4 * count))
    return list({arch_id(network): network for network in drawn}.values())[:count]


def record(number: int, network: Network | None = None, value: float | None = None, **facts: Any) -> TrialRecord:
    """A trial that is complete, unless ``facts`` say otherwise."""
    given: dict[str, Any] = {
        "number": number,
        "state": "complete",
        "origin": "sampled",
        "arch_id": network and arch_id(network),
        "network": network and network.to_dict(),
        "value": value,
        "seed": number,
        "seconds": 1.0,
        "started": "2025-01-31T12:00:00+00:00",
    }
    return TrialRecord(**{**given, **facts})


def made(path: Path, accuracy: Callable[[Network, int], float], count: int = 8) -> RunFolder:
    """The folder of a study that has trained ``count`` networks; the number of each is given to ``accuracy``, too."""
    space = load_space(TINY)
    config = StudyConfig.of(space=space.name, data="digits", image_size=8, train_images=64, trials=count or 1)
    facts = make_plan(config, space).facts()
    run = RunFolder.create(path, study_text=config.text(facts), space_text=space.text)
    for number, network in enumerate(networks(count)):
        run.append_record(record(number, network, accuracy(network, number)))
    return run
