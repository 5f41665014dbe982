"""The folder of one study: the truth about it, readable without any tool."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from inception_search.errors import DocumentError, Place, RunFolderError, raw
from inception_search.store import outbox
from inception_search.store.atomic import sweep_temporaries, write_atomic
from inception_search.store.disk import typed_errors
from inception_search.store.jsonl import append_line, append_lines, placed_lines, read_lines, sealed, unsealed
from inception_search.store.layout import FILES, FOLDERS, Layout, refuse_occupied
from inception_search.store.lean_record import Line, Shared, lean
from inception_search.store.lease import Lease, hold
from inception_search.store.links import refuse_links
from inception_search.store.record import TrialRecord

# How a record that this package wrote begins; what others wrote is read as JSON.
_BEGINNING = re.compile(r'\{"schema": "inception-search/trial", "version": \d+, "number": (\d+),')


class RunFolder(Layout):
    """A study on disk; make one with :meth:`create` or :meth:`open`."""

    @classmethod
    def create(cls, path: str | Path, *, study_text: str, space_text: str) -> Self:
        """Make the folder of a new study: all of it, or nothing.

        Raises :class:`RunFolderError` if the folder has a study, holds anything else, or cannot be written.
        """
        run = cls(Path(path))
        with typed_errors(run.path):
            refuse_occupied(run)
            with _new_folders(run.path), hold(run.lock_file):
                refuse_occupied(run)  # again: only now nobody else can be making it
                run._fill(study_text, space_text)
        return run

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The folder of an existing study; raises :class:`RunFolderError` if it is none."""
        run = cls(Path(path))
        place = Place(file=str(run.path))
        hint = "give the folder that a search was started with"
        with typed_errors(run.path):
            is_folder = run.path.is_dir()
        if not is_folder:
            rule = "this is a file, not a run folder" if run.path.exists() else "there is no such run folder"
            raise RunFolderError(rule, place=place, hint=hint)
        missing = [name for name in FILES if not (run.path / name).is_file()]
        if missing:
            found = raw("a folder without " + ", ".join(missing))
            raise RunFolderError("this is not a run folder", place=place, found=found, hint=hint)
        return run

    @contextmanager
    def hold(self) -> Iterator[Lease]:
        """Keep every other search out, and clear away what killed ones left, before and after.

        Raises :class:`RunInUseError` naming the holder, :class:`RunFolderError` if it cannot be written to, or if a
        link in it leads elsewhere.
        """
        refuse_links(self.path)
        with hold(self.lock_file) as lease:
            with typed_errors(self.path):
                for name in FOLDERS:  # empty ones get lost when a folder is copied through git or an archive
                    (self.path / name).mkdir(exist_ok=True)
            for file in (self.trials_file, self.journal_file):
                append_lines(file, [], create=False)  # repairs a torn end: read now, and not found there later
            self._sweep()
            yield lease
            with suppress(RunFolderError):  # what is done is done; the next one to hold it tries again
                self._sweep()

    def _sweep(self) -> None:
        """Remove what killed writers left, be it a search or a trial; what is being written stays."""
        for name in ("", *FOLDERS):
            sweep_temporaries(self.path / name)

    def study_text(self) -> str:
        """The text of ``study.yaml``."""
        return _text(self.study_file)

    def space_text(self) -> str:
        """The text of ``space.yaml``."""
        return _text(self.space_file)

    def append_record(self, record: TrialRecord) -> None:
        """Add a record durably; the latest one of a number is the one that counts.

        Raises :class:`StorageFullError` or :class:`RunFolderError`, after which the file is as before.
        """
        append_line(self.trials_file, sealed(record.to_json()))

    def records(self) -> list[TrialRecord]:
        """The latest record of each trial, by number.

        Raises :class:`DocumentError` or :class:`SchemaVersionError` with the line that cannot be read, or was
        changed since it was written.
        """
        return sorted(self.history(), key=lambda record: record.number)

    def lean_records(self) -> list[TrialRecord]:
        """Like :meth:`records`, but the large fields of a record are read from the file on access.

        See :class:`~inception_search.store.lean_record.LeanRecord`. Raises what :meth:`records` raises.
        """
        latest: dict[int, TrialRecord] = {}
        shared: Shared = {}
        for line_no, start, text in placed_lines(self.trials_file):
            line = Line(self.trials_file, start, line_no)
            record = line.record(text)
            latest[record.number] = lean(record, line, shared)
        return [latest[number] for number in sorted(latest)]

    def record(self, number: int) -> TrialRecord | None:
        """The latest record of one trial, None where it has none; of the others only the checksums are read.

        Raises what :meth:`records` raises.
        """
        latest: tuple[int, str] | None = None
        for line_no, plain, found in self._numbered():
            latest = (line_no, plain) if found == number else latest
        return None if latest is None else TrialRecord.from_json(latest[1], self.trials_file, latest[0])

    def numbers(self) -> set[int]:
        """The numbers of the trials that have a record. Raises what :meth:`records` raises."""
        return {number for _, _, number in self._numbered()}

    def _numbered(self) -> Iterator[tuple[int, str, int]]:
        """Line number, text and trial number of every record, without building it."""
        for line_no, text in read_lines(self.trials_file):
            place = Place(str(self.trials_file), line_no)
            plain = unsealed(text, place)
            found = _BEGINNING.match(plain)
            yield line_no, plain, int(found[1]) if found else TrialRecord.from_json(plain, place.file, line_no).number

    def history(self) -> list[TrialRecord]:
        """The latest record of each trial, in the order in which they were written."""
        latest: dict[int, TrialRecord] = {}
        for line_no, start, text in placed_lines(self.trials_file):
            record = Line(self.trials_file, start, line_no).record(text)
            latest.pop(record.number, None)
            latest[record.number] = record
        return list(latest.values())

    def read_results(self) -> dict[int, dict[str, Any]]:
        """The results that wait in the outbox, by trial number; damaged ones are renamed to ``*.corrupt``."""
        return outbox.waiting(self.results_folder)

    def _fill(self, study_text: str, space_text: str) -> None:
        try:
            for name in FOLDERS:
                (self.path / name).mkdir(exist_ok=True)
            append_lines(self.journal_file, [])
            append_lines(self.trials_file, [])
            write_atomic(self.space_file, space_text)
            write_atomic(self.study_file, study_text)  # last: with it, and not before, there is a study
        except BaseException:
            self._clear()
            raise

    def _clear(self) -> None:
        for name in (*FILES, self.lock_file.name):
            with suppress(OSError):
                (self.path / name).unlink()
        for name in FOLDERS:
            with suppress(OSError):
                (self.path / name).rmdir()


@contextmanager
def _new_folders(path: Path) -> Iterator[None]:
    """Make the missing folders down to ``path``; if the block fails, those that are still empty go again."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()
        raise


def _text(path: Path) -> str:
    try:
        with typed_errors(path):
            return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError("this file is not UTF-8 text", place=Place(str(path))) from error
