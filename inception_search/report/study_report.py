"""The report of a run folder: the page with its pictures, or the same as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inception_search.credentials import masked_values
from inception_search.report.data import report_data
from inception_search.report.findings import findings, settings_of
from inception_search.report.material import Material
from inception_search.report.write import write_report
from inception_search.spec.document import network_from_data
from inception_search.spec.document_files import with_checksum
from inception_search.spec.text import network_text
from inception_search.store.atomic import write_atomic
from inception_search.store.links import refuse_links
from inception_search.store.query import best
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder


def write_study_report(
    run: RunFolder, out: str | Path | None = None, records: Sequence[TrialRecord] | None = None
) -> list[Path]:
    """The report of a run folder, its best network and its pictures, made from the records; the files written.

    They are written into the run folder, or into the folder ``out``; ``out`` may also be the name of an ``.html`` file,
    and then only the page is written. With ``out`` nothing in the run folder changes. ``records`` are those of the
    run, where they have been read.

    Of a study that is running or was broken off, what there is of it.
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
    """What the report of a run folder says, as plain JSON data; ``docs/json.md`` lists its keys. Nothing is written."""
    records = run.lean_records()
    study = masked_values(settings_of(run, records))
    return report_data(Material(records, study, _title(study), **findings(run, records)), top)


def _title(study: Mapping[str, Any]) -> str:
    return f"Search of {study['space']} on {study['data']}"
