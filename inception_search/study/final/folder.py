"""The files of the final trainings in a run folder, and the settings whose test results have been seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inception_search.errors import DocumentError, Place
from inception_search.store.atomic import sweep_temporaries
from inception_search.store.disk import remove, typed_errors
from inception_search.store.final_training import weight_file
from inception_search.store.jsonl import append_line, read_lines
from inception_search.store.layout import Layout
from inception_search.store.record import utc_now
from inception_search.study.final.record import FinalRecord
from inception_search.study.final.selection import Setting


@dataclass(frozen=True)
class FinalsFolder(Layout):
    """``finals/`` of a locked run folder, with files named by recipe, trial and seed; the results are next to it."""

    setting: Setting

    @property
    def records_file(self) -> Path:
        """One :class:`~inception_search.study.final.record.FinalRecord` per line."""
        return self.path.with_name("finals.jsonl")

    @property
    def table_file(self) -> Path:
        """The table and the verdict, as JSON."""
        return self.path.with_name("finals.json")

    @property
    def markdown_file(self) -> Path:
        """The table and the verdict, as Markdown."""
        return self.path.with_name("finals.md")

    @property
    def seen_file(self) -> Path:
        """The settings under which test results have been seen."""
        return self.path / "settings.jsonl"

    def stem(self, number: int) -> str:
        """The name of the files of a training; the same in every session."""
        entrant, seed = self.setting.trainings[number]
        return weight_file(self.path.parent, self.setting.recipe_id, entrant.record.number, seed).stem

    def prepare(self) -> None:
        """Create missing folders, and remove partial files of killed trainings. Raises RunFolderError."""
        for folder in (self.path, self.jobs_folder, self.results_folder, self.checkpoints_folder):
            with typed_errors(folder):
                folder.mkdir(exist_ok=True)
            sweep_temporaries(folder)
        remove(self.images_file)
        remove(self.test_images_file)

    def seen(self, records: Sequence[FinalRecord]) -> set[str]:
        """The ids of the settings whose test results have been seen."""
        lines = read_lines(self.seen_file) if self.seen_file.exists() else ()
        noted = {_id(text, Place(str(self.seen_file), number)) for number, text in lines}
        return noted | {record.setting for record in records if record.state == "complete"}

    def note(self) -> None:
        """Record durably that test results of the setting will be seen, before they are."""
        setting = self.setting
        if setting.id in self.seen(()):
            return
        networks = {entrant.name: entrant.record.arch_id for entrant in setting.entrants}
        line = {"id": setting.id, "at": utc_now(), "networks": networks, "seeds": setting.seeds}
        append_line(self.seen_file, json.dumps({**line, "recipe": setting.recipe}))


def _id(line: str, place: Place) -> str:
    """The id in a line of ``settings.jsonl``."""
    try:
        return str(json.loads(line)["id"])
    except (ValueError, KeyError, TypeError):
        hint = "the file was damaged; restore it from a copy, or delete the line"
        raise DocumentError("this line does not name a setting", place=place, found=line, hint=hint) from None
