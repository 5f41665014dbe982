"""The folder of one study: the only source of its state, readable without any tool."""

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

# The start of a record that this package wrote; records of other form are parsed as JSON.
_BEGINNING = re.compile(r'\{"schema": "inception-search/trial", "version": \d+, "number": (\d+),')


class RunFolder(Layout):
    """A study on disk; make one with :meth:`create` or :meth:`open`."""

    @classmethod
    def create(cls, path: str | Path, *, study_text: str, space_text: str, table_text: str | None = None) -> Self:
        """Create the folder of a new study, completely or not at all; ``table_text``: its table of latencies.

        Raises :class:`RunFolderError` if the folder is not empty or cannot be written.
        """
        run = cls(Path(path))
        with typed_errors(run.path):
            refuse_occupied(run)
            with _new_folders(run.path), hold(run.lock_file):
                refuse_occupied(run)  # checked again, because the lock now excludes other creators
                run._fill(study_text, space_text, table_text)
        return run

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The folder of an existing study; raises :class:`RunFolderError` if ``path`` is not a run folder."""
        run = cls(Path(path))
        place = Place(file=str(run.path))
        hint = "give the run folder of a search"
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
        """Exclude all other searches, and remove leftovers of killed ones at the start and end.

        Raises :class:`RunInUseError` naming the holder, :class:`RunFolderError` if the folder cannot be written to, or
        if it contains a link.
        """
        refuse_links(self.path)
        with hold(self.lock_file) as lease:
            with typed_errors(self.path):
                for name in FOLDERS:  # git and some archives drop empty folders
                    (self.path / name).mkdir(exist_ok=True)
            for file in (self.trials_file, self.journal_file):
                append_lines(file, [], create=False)  # repairs an incomplete last line before anything reads the file
            self._sweep()
            yield lease
            with suppress(RunFolderError):  # not critical: the next holder tries again
                self._sweep()

    def _sweep(self) -> None:
        """Remove temporary files of killed searches and trials, except files that are still being written."""
        for name in ("", *FOLDERS):
            sweep_temporaries(self.path / name)

    def study_text(self) -> str:
        """The text of ``study.yaml``."""
        return _text(self.study_file)

    def space_text(self) -> str:
        """The text of ``space.yaml``."""
        return _text(self.space_file)

    def append_record(self, record: TrialRecord) -> Line:
        """Append a record durably and return its location; the latest record of a trial replaces earlier ones.

        Raises :class:`StorageFullError` or :class:`RunFolderError`; the file is then unchanged.
        """
        return Line(self.trials_file, append_line(self.trials_file, sealed(record.to_json())))

    def records(self) -> list[TrialRecord]:
        """The latest record of each trial, by number.

        Raises :class:`DocumentError` or :class:`SchemaVersionError` with the line that cannot be read or was modified.
        """
        return sorted(self.history(), key=lambda record: record.number)

    def lean_records(self) -> list[TrialRecord]:
        """Like :meth:`records`, but the large fields of a record are read from the file on access.

        See :class:`~inception_search.store.lean_record.LeanRecord`. Raises the same errors as :meth:`records`.
        """
        latest: dict[int, TrialRecord] = {}
        shared: Shared = {}
        for line_no, start, text in placed_lines(self.trials_file):
            line = Line(self.trials_file, start, line_no)
            record = line.record(text)
            latest[record.number] = lean(record, line, shared)
        return [latest[number] for number in sorted(latest)]

    def record(self, number: int) -> TrialRecord | None:
        """The latest record of one trial, or None; for other trials only the checksums are verified.

        Raises the same errors as :meth:`records`.
        """
        latest: tuple[int, str] | None = None
        for line_no, plain, found in self._numbered():
            latest = (line_no, plain) if found == number else latest
        return None if latest is None else TrialRecord.from_json(latest[1], self.trials_file, latest[0])

    def numbers(self) -> set[int]:
        """The numbers of the trials that have a record. Raises the same errors as :meth:`records`."""
        return {number for _, _, number in self._numbered()}

    def _numbered(self) -> Iterator[tuple[int, str, int]]:
        """Line number, text and trial number of every record, without parsing the record."""
        for line_no, text in read_lines(self.trials_file):
            place = Place(str(self.trials_file), line_no)
            plain = unsealed(text, place)
            found = _BEGINNING.match(plain)
            yield line_no, plain, int(found[1]) if found else TrialRecord.from_json(plain, place.file, line_no).number

    def history(self) -> list[TrialRecord]:
        """The latest record of each trial, in the order of writing."""
        latest: dict[int, TrialRecord] = {}
        for line_no, start, text in placed_lines(self.trials_file):
            record = Line(self.trials_file, start, line_no).record(text)
            latest.pop(record.number, None)
            latest[record.number] = record
        return list(latest.values())

    def read_results(self) -> dict[int, dict[str, Any]]:
        """The results in the outbox, by trial number; damaged ones are renamed to ``*.corrupt``."""
        return outbox.waiting(self.results_folder)

    def _fill(self, study_text: str, space_text: str, table_text: str | None) -> None:
        try:
            for name in FOLDERS:
                (self.path / name).mkdir(exist_ok=True)
            append_lines(self.journal_file, [])
            append_lines(self.trials_file, [])
            write_atomic(self.space_file, space_text)
            if table_text is not None:
                write_atomic(self.latency_table_file, table_text)
            write_atomic(self.study_file, study_text)  # written last, because this file makes the folder a study
        except BaseException:
            self._clear()
            raise

    def _clear(self) -> None:
        for name in (*FILES, self.latency_table_file.name, self.lock_file.name):
            with suppress(OSError):
                (self.path / name).unlink()
        for name in FOLDERS:
            with suppress(OSError):
                (self.path / name).rmdir()


@contextmanager
def _new_folders(path: Path) -> Iterator[None]:
    """Create the missing folders down to ``path``; if the block fails, remove those that are still empty."""
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
