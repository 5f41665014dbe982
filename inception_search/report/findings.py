"""What a report says of a study besides its records: its state, its space, its front, what matters, its machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inception_search.analysis.decision_importance import hole_importance
from inception_search.analysis.front import front, hypervolume
from inception_search.analysis.importance import Importance
from inception_search.analysis.property_importance import statistic_importance
from inception_search.errors import InceptionSearchError
from inception_search.report.material import SpaceFacts
from inception_search.space.describe import hole_words
from inception_search.space.holes import varying_parts
from inception_search.space.space import Space
from inception_search.spec.yaml_reader import read_yaml
from inception_search.store.environment import read_environments
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import FIDELITY, StudyConfig
from inception_search.study.progress import progress
from inception_search.study.reference_point import reference_of


def findings(run: RunFolder, records: Sequence[TrialRecord]) -> dict[str, Any]:
    """The fields of a report's material that are not in the records, by name; the same records give the same."""
    config = StudyConfig.read(run.study_file)
    several = len(config.objectives) > 1
    reference = reference_of(run, config) if several else None
    space = _space(run)
    return {
        "state": progress(run, config, records, name=config.run).words(),
        "space": None if space is None else _words(space),
        "front": [record.number for record in front(records, config.objectives)] if several else None,
        "hypervolume": hypervolume(records, config.objectives, reference) if reference else None,
        "rankings": _rankings(space, records, config.run or str(run.path)),
        "environments": read_environments(run),
    }


def settings_of(run: RunFolder, records: Sequence[TrialRecord]) -> dict[str, Any]:
    """What ``study.yaml`` holds, by name; settings of the training that are empty there are those of the last trial.

    Studies of version 0.1 wrote down only the settings that had been given.
    """
    study: dict[str, Any] = dict(read_yaml(run.study_text(), str(run.study_file)))
    trained = [record for record in records if record.fidelity]
    used = max(trained, key=lambda record: record.number).fidelity if trained else {}
    return {**study, **{name: used[name] for name in FIDELITY if study.get(name) is None and name in used}}


def _space(run: RunFolder) -> Space | None:
    """The study's space; None where its document cannot be read (any more): the report does without."""
    try:
        return Space(run.space_text(), str(run.space_file))
    except InceptionSearchError:
        return None


def _words(space: Space) -> SpaceFacts:
    holes = tuple((name, hole_words(hole)) for name, hole in space.holes.items())
    about, size = " ".join(space.about.split()), f"{space.size_in_words} points"
    return SpaceFacts(space.name, about, size, holes, space.rounded_size, varying_parts(space.template.root))


def _rankings(space: Space | None, records: Sequence[TrialRecord], run: str) -> list[Importance]:
    holes = [] if space is None else [hole_importance(space, records, run)]
    return [*holes, statistic_importance(records, run)]
