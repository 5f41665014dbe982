"""Missing or damaged parts of a run folder, for verbs that only read it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from inception_search.errors import InceptionSearchError
from inception_search.space.space import Space
from inception_search.store.jsonl import complete_lines
from inception_search.store.run_folder import RunFolder

COMPLETE = 1  # Optuna's number for this state in a journal
CREATE, FINISH = 4, 6  # Optuna's numbers for the operations that begin and end a trial
SHOWN = 8  # trial numbers shown in one sentence


def damage(run: RunFolder) -> list[str]:
    """A sentence for each missing or damaged part of ``run``; empty for an intact study.

    Detects lost records of trials in the Optuna study, a truncated last line, and an unreadable space or ``env.json``.
    Raises the errors of reading damaged records, because nothing can be shown without them.
    """
    return [*_space(run), *_environment(run), *_records(run)]


def _space(run: RunFolder) -> Iterator[str]:
    try:
        Space(run.space_text(), str(run.space_file))
    except InceptionSearchError as error:
        yield f"the space cannot be read: {error}"


def _environment(run: RunFolder) -> Iterator[str]:
    file = run.environment_file
    if not file.exists():
        return  # a study of an earlier version has none
    try:
        json.loads(file.read_text(encoding="utf-8"))["environments"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        yield f"{file} cannot be read ({type(error).__name__}); the environment is omitted"


def _records(run: RunFolder) -> Iterator[str]:
    finished = _finished(run)  # read before the records, because a record is written before its trial
    if finished is None:
        yield f"{run.journal_file} cannot be read; `inception-search resume` recreates it from the records"
    gone = sorted((finished or set()) - run.numbers())
    if gone:
        named = ", ".join(map(str, gone[:SHOWN])) + (", ..." if gone[SHOWN:] else "")
        yield f"{run.trials_file} has lost the record of trial {named}; `inception-search resume` trains it again"
    with run.trials_file.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 1))
        if size and file.read() != b"\n":
            yield f"the last line of {run.trials_file} is cut off and not read; `inception-search resume` repairs it"


def _finished(run: RunFolder) -> set[int] | None:
    """The numbers of complete trials in the folder's journal; None if it cannot be read."""
    begun, finished = 0, set()
    try:
        for line in complete_lines(run.journal_file):
            entry = json.loads(line)
            if entry["op_code"] == CREATE:
                if entry.get("state") == COMPLETE:
                    finished.add(begun)
                begun += 1
            elif entry["op_code"] == FINISH and entry.get("state") == COMPLETE:
                finished.add(int(entry["trial_id"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return finished
