"""Going on with a study in a space that has grown: new labels, wider ranges, more canonical networks.

Points are documents: every record's network is decoded in the space it was drawn from and found again in the new one.
The records are rewritten in one step (old lines kept, each followed by its new form), the Optuna study is emptied and
made anew from them when the search goes on. A kill in between leaves a note in the folder, and the next
resume ends what was begun.
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

NOTE = "growing.json"  # what is being done, until it is done


def begin_growth(run: RunFolder, space: Space, study_text: str, baselines: bool = True) -> str:
    """Replace the space of a held study by ``space`` and ``study.yaml`` by ``study_text``, if nothing is against it.

    Returns a sentence for the user. Raises :class:`NotInSpaceError` when a canonical network it says it contains is
    none of its points, and :class:`RunFolderError` when no earlier trial is, or while results of an interrupted run
    wait to be recorded.
    """
    if run.space_text() == space.text:
        return ""
    for label in space.fixed_points if baselines else ():
        contained_point(space, label)
    if run.read_results():
        hint = "resume it once without another space, then with it"
        raise RunFolderError("trained results wait to be recorded", place=Place(str(run.path)), hint=hint)
    records, before = [record for record in run.records() if record.holes], Space(run.space_text())
    inside = sum(bool(_moved(record, before, space).holes) for record in records)
    if records and not inside:
        hint = "begin a new run in it, or give a space that holds some of the trials"
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
    """End what :func:`begin_growth` began, if anything was; every step can be taken again."""
    path = run.path / NOTE
    if not path.is_file():
        return
    note = _read(run)
    before, after = Space(note["before"]), Space(note["after"])
    texts = [text for _, text in read_lines(run.trials_file)]
    if len(texts) == note["lines"]:
        moved = [sealed(_moved(record, before, after).to_json()) for record in run.records()]
        write_atomic(run.trials_file, "".join(f"{text}\n" for text in (*texts, *moved)))
    write_atomic(run.journal_file, "")  # the Optuna study of the old space; made anew from the records
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
        hint = "delete it, and resume with the space again"
        raise RunFolderError(rule, place=Place(str(path)), hint=hint) from None


def _moved(record: TrialRecord, before: Space, after: Space) -> TrialRecord:
    """The record with its point in the new space; without one where its network is outside."""
    try:
        found = after.encode(before.decode(record.holes))
    except NotInSpaceError:
        return record.model_copy(update={"holes": {}})
    except InceptionSearchError:  # a point that was refused then is no network now
        return record
    return record.model_copy(update={"holes": dict(found)})
