"""The report of a run folder, as a page with figures or as data, with analyses made from the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inception_search.analysis.decision_importance import hole_importance
from inception_search.analysis.front import front, hypervolume
from inception_search.analysis.importance import Importance
from inception_search.analysis.property_importance import statistic_importance
from inception_search.credentials import masked_values
from inception_search.errors import InceptionSearchError
from inception_search.report.data import report_data
from inception_search.report.latency_facts import LatencyFacts, latency_facts
from inception_search.report.material import Material, SpaceFacts
from inception_search.report.write import write_report
from inception_search.space.holes import hole_words, varying_parts
from inception_search.space.space import Space
from inception_search.spec.documents.files import with_checksum
from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.documents.to_yaml import network_text
from inception_search.spec.documents.yaml_reader import read_yaml
from inception_search.store.atomic import write_atomic
from inception_search.store.links import refuse_links
from inception_search.store.provenance import read_environments
from inception_search.store.query import best
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import FIDELITY, StudyConfig
from inception_search.study.context import table_of
from inception_search.study.progress import progress
from inception_search.study.reference_point import reference_of


def write_study_report(
    run: RunFolder, out: str | Path | None = None, records: Sequence[TrialRecord] | None = None
) -> list[Path]:
    """Write the report of a run folder, its best network and its figures; return the written paths.

    They are written into the run folder, or into the folder ``out``. If ``out`` is the name of an ``.html`` file, only
    the page is written. With ``out`` nothing in the run folder changes. ``records`` are those of the run, if they have
    been read already.

    The report of a running or interrupted study covers the trials so far.
    """
    target = run.path if out is None else Path(out)
    refuse_links(target)
    records = run.lean_records() if records is None else records
    study = settings_of(run, records)
    written = write_report(target, records, study=study, title=_title(study), **findings(run, records))
    winner = best(records)
    if winner is not None and winner.network is not None and target.suffix != ".html":
        best_file = target / run.best_file.name
        write_atomic(best_file, with_checksum(network_text(network_from_data(winner.network))))
        written.insert(1, best_file)
    return written


def study_report(run: RunFolder, top: int = 10) -> dict[str, Any]:
    """The content of a run folder's report as plain JSON data; ``docs/json.md`` lists its keys. Nothing is written."""
    records = run.lean_records()
    study = masked_values(settings_of(run, records))
    return report_data(Material(records, study, _title(study), **findings(run, records)), top)


def _title(study: Mapping[str, Any]) -> str:
    return f"Search of {study['space']} on {study['data']}"


def findings(run: RunFolder, records: Sequence[TrialRecord]) -> dict[str, Any]:
    """The fields of a report's material that are computed from the records, by name; deterministic."""
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
        "latency": _latency(run, config, records),
    }


def settings_of(run: RunFolder, records: Sequence[TrialRecord]) -> dict[str, Any]:
    """The settings in ``study.yaml`` by name; missing settings of the training are those of the last trial.

    Studies of version 0.1 stored only the settings that the user gave.
    """
    study: dict[str, Any] = dict(read_yaml(run.study_text(), str(run.study_file)))
    trained = [record for record in records if record.fidelity]
    used = max(trained, key=lambda record: record.number).fidelity if trained else {}
    return {**study, **{name: used[name] for name in FIDELITY if study.get(name) is None and name in used}}


def _latency(run: RunFolder, config: StudyConfig, records: Sequence[TrialRecord]) -> LatencyFacts | None:
    """The facts of the study's table of latencies; None without one, or if it cannot be read."""
    try:
        table = table_of(config, run)
    except InceptionSearchError:
        return None
    return None if table is None else latency_facts(table, best(records))


def _space(run: RunFolder) -> Space | None:
    """The study's space; None if its document cannot be read, because the report is also useful without it."""
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
