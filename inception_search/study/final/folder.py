"""Where the final trainings lie in a run folder, and which settings their tests have been seen under."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_search.errors import DocumentError, Place, RunFolderError
from inception_search.store.atomic import sweep_temporaries
from inception_search.store.disk import typed_errors
from inception_search.store.jsonl import append_line, read_lines
from inception_search.store.record import utc_now
from inception_search.store.run_folder import RunFolder
from inception_search.study.final.record import FinalRecord, read_finals
from inception_search.study.final.selection import Setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inception_search.data.dataset import Dataset

FOLDERS = ("jobs", "results", "checkpoints")


class FinalsFolder:
    """``finals.jsonl`` and ``finals/`` of a held run folder."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.root = run.path / "finals"
        self.records_file = run.path / "finals.jsonl"
        self.table_file = run.path / "finals.json"
        self.markdown_file = run.path / "finals.md"
        self.seen_file = self.root / "settings.jsonl"

    def prepare(self) -> None:
        """Make what is missing, and clear away what killed trainings left half-written. Raises RunFolderError."""
        for name in ("", *FOLDERS):
            with typed_errors(self.root / name):
                (self.root / name).mkdir(exist_ok=True)
            sweep_temporaries(self.root / name)
        for name in ("data", "test"):
            self._remove(self.images_file(name))

    def records(self) -> list[FinalRecord]:
        """What has been trained."""
        return read_finals(self.records_file)

    def images_file(self, name: str) -> Path:
        """``data``: what is trained on; ``test``: the test images. There only while something is trained."""
        return self.root / "jobs" / f"{name}.safetensors"

    def file(self, folder: str, stem: str, suffix: str) -> Path:
        """A file of one training."""
        return self.root / folder / f"{stem}{suffix}"

    def result(self, stem: str) -> dict[str, Any] | None:
        """What a training left, where it came to its end and is not recorded yet."""
        path = self.file("results", stem, ".json")
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            self._remove(path)
            return None
        return found if isinstance(found, dict) else None

    def clear(self, stem: str, *, state: bool = True) -> None:
        """Forget the job and result of a training that is recorded, and how far it came; its weights stay."""
        for folder, suffix in (
            ("jobs", ".json"),
            ("results", ".json"),
            *([("checkpoints", ".state")] if state else []),
        ):
            self._remove(self.file(folder, stem, suffix))

    @contextmanager
    def images(self, dataset: Dataset) -> Iterator[None]:
        """The images in files that trainings read, for as long as the block lasts; the test images in one apart."""
        from safetensors import SafetensorError

        from inception_search.data.frozen import SEEN, freeze

        try:
            for name, splits in (("data", SEEN), ("test", ("test",))):
                path = self.images_file(name)
                with typed_errors(path):
                    freeze(dataset, path, splits)
            yield
        except SafetensorError as error:
            rule = f"the images cannot be written for the trainings: {error}"
            raise RunFolderError(rule, place=Place(str(self.root))) from None
        finally:
            for name in ("data", "test"):
                with suppress(OSError):
                    self.images_file(name).unlink(missing_ok=True)

    def seen(self, records: Sequence[FinalRecord]) -> set[str]:
        """The ids of the settings under which test results have been seen."""
        lines = read_lines(self.seen_file) if self.seen_file.exists() else ()
        noted = {_id(text, Place(str(self.seen_file), number)) for number, text in lines}
        return noted | {record.setting for record in records if record.state == "complete"}

    def note(self, setting: Setting) -> None:
        """Test results are about to be seen under ``setting``: durable before they are."""
        if setting.id in self.seen(()):
            return
        networks = {entrant.name: entrant.record.arch_id for entrant in setting.entrants}
        line = {"id": setting.id, "at": utc_now(), "networks": networks, "seeds": setting.seeds}
        append_line(self.seen_file, json.dumps({**line, "recipe": setting.recipe}))

    def _remove(self, path: Path) -> None:
        with typed_errors(path):
            path.unlink(missing_ok=True)


def _id(line: str, place: Place) -> str:
    """The id in a line of ``settings.jsonl``."""
    try:
        return str(json.loads(line)["id"])
    except (ValueError, KeyError, TypeError):
        hint = "the file was damaged; restore it from a copy, or delete the line"
        raise DocumentError("this line does not name a setting", place=place, found=line, hint=hint) from None
