"""Resuming a study in an extended space: new labels, wider ranges, more canonical networks.

Every record's network is decoded in the old space and encoded in the new one. The records are rewritten in one step
(old lines are kept, each followed by its new form). The Optuna study is emptied and recreated from them when the search
continues. A kill in between leaves a note in the folder, and the next resume completes the migration.
"""

from __future__ import annotations

import json
from typing import Any

from inception_search.errors import InceptionSearchError, NotInSpaceError, Place, RunFolderError
from inception_search.space.contents import contained_point
from inception_search.space.space import Space
from inception_search.store.atomic import write_atomic
from inception_search.store.jsonl import read_lines, sealed
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder

NOTE = "growing.json"  # describes a migration until it is complete


def begin_growth(run: RunFolder, space: Space, study_text: str, baselines: bool = True) -> str:
    """Replace the space of a locked study with ``space`` and ``study.yaml`` with ``study_text``, if that is possible.

    Returns a sentence for the user. Raises :class:`NotInSpaceError` if the space does not contain a canonical network
    that it lists. Raises :class:`RunFolderError` if it contains none of the earlier trials, or while results of an
    interrupted run are not recorded.
    """
    if run.space_text() == space.text:
        return ""
    for label in space.fixed_points if baselines else ():
        contained_point(space, label)
    if run.read_results():
        hint = "resume once without the new space, then with it"
        raise RunFolderError("some training results are not recorded yet", place=Place(str(run.path)), hint=hint)
    records, before = [record for record in run.records() if record.holes], Space(run.space_text())
    inside = sum(bool(_moved(record, before, space).holes) for record in records)
    if records and not inside:
        hint = "start a new run in it, or use a space that contains some of the trials"
        rule = f"none of the {len(records)} earlier trials is in space {space.name!r}"
        raise RunFolderError(rule, place=Place(str(run.path)), hint=hint)
    lines = sum(1 for _ in read_lines(run.trials_file))
    note = {"before": run.space_text(), "after": space.text, "study": study_text, "lines": lines}
    write_atomic(run.path / NOTE, json.dumps(note))
    finish_growth(run)
    return (
        f"{inside} of {len(records)} earlier trials are points of space {space.name!r}, in which the search continues"
    )


def finish_growth(run: RunFolder) -> None:
    """Complete an interrupted :func:`begin_growth`, if there is one; every step can be repeated."""
    path = run.path / NOTE
    if not path.is_file():
        return
    note = _read(run)
    before, after = Space(note["before"]), Space(note["after"])
    texts = [text for _, text in read_lines(run.trials_file)]
    if len(texts) == note["lines"]:
        moved = [sealed(_moved(record, before, after).to_json()) for record in run.records()]
        write_atomic(run.trials_file, "".join(f"{text}\n" for text in (*texts, *moved)))
    write_atomic(run.journal_file, "")  # the Optuna study of the old space is recreated from the records
    write_atomic(run.space_file, note["after"])
    write_atomic(run.study_file, note["study"])
    path.unlink()


def _read(run: RunFolder) -> dict[str, Any]:
    path = run.path / NOTE
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        texts = {name: str(note[name]) for name in ("before", "after", "study")}
        return {**texts, "lines": int(note["lines"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        rule = f"the note of a change of space cannot be read ({type(error).__name__})"
        hint = "delete it, and resume with the new space again"
        raise RunFolderError(rule, place=Place(str(path)), hint=hint) from None


def _moved(record: TrialRecord, before: Space, after: Space) -> TrialRecord:
    """The record with its point in the new space, or without a point if the space does not contain its network."""
    try:
        found = after.encode(before.decode(record.holes))
    except NotInSpaceError:
        return record.model_copy(update={"holes": {}})
    except InceptionSearchError:  # an infeasible point may not be decodable
        return record
    return record.model_copy(update={"holes": dict(found)})
