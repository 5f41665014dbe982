"""The file paths inside a run folder, and the check that a new one may be created."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inception_search.errors import Place, RunFolderError, raw
from inception_search.store.atomic import is_temporary

FOLDERS = ("results", "jobs", "checkpoints", "workers", "figures")
FILES = ("study.yaml", "space.yaml", "journal.log", "trials.jsonl")


@dataclass(frozen=True)
class Layout:
    """Every file path of a run folder; this class reads and writes nothing."""

    path: Path

    @property
    def study_file(self) -> Path:
        """The complete configuration, with all defaults filled in."""
        return self.path / "study.yaml"

    @property
    def space_file(self) -> Path:
        """The search space at the start of the study."""
        return self.path / "space.yaml"

    @property
    def latency_table_file(self) -> Path:
        """The times of ops on the machine that networks are for, if the study has a table of them."""
        return self.path / "latency_table.json"

    @property
    def journal_file(self) -> Path:
        """The journal of the Optuna study, for :class:`inception_search.optuna_bridge.storage.JournalBackend`."""
        return self.path / "journal.log"

    @property
    def trials_file(self) -> Path:
        """The records, one :class:`inception_search.store.record.TrialRecord` per line."""
        return self.path / "trials.jsonl"

    @property
    def environment_file(self) -> Path:
        """The machines and package versions of the study."""
        return self.path / "env.json"

    @property
    def best_file(self) -> Path:
        """The document of the best network; written with the report."""
        return self.path / "best.yaml"

    @property
    def lock_file(self) -> Path:
        """The lock file, which names the process that holds the folder."""
        return self.path / "run.lock"

    @property
    def results_folder(self) -> Path:
        """The outbox: results of finished trainings that are not yet recorded."""
        return self.path / "results"

    @property
    def jobs_folder(self) -> Path:
        """The job files of trials."""
        return self.path / "jobs"

    @property
    def images_file(self) -> Path:
        """The images that trials read; exists while trials are trained."""
        return self.jobs_folder / "data.safetensors"

    @property
    def test_images_file(self) -> Path:
        """The test images; exists while trials are trained that are tested at their end."""
        return self.jobs_folder / "test.safetensors"

    @property
    def checkpoints_folder(self) -> Path:
        """Weights, one file per trial."""
        return self.path / "checkpoints"

    @property
    def workers_folder(self) -> Path:
        """One folder for each worker attached to the study."""
        return self.path / "workers"

    def stem(self, number: int) -> str:
        """The name, without suffix, of the files of trial ``number``."""
        return str(checked(number))

    def result_file(self, number: int) -> Path:
        """The result of trial ``number`` in the outbox."""
        return self.results_folder / f"{self.stem(number)}.json"

    def job_file(self, number: int) -> Path:
        """The job file of trial ``number``."""
        return self.jobs_folder / f"{self.stem(number)}.json"

    def checkpoint_file(self, number: int) -> Path:
        """The weight file of trial ``number``."""
        return self.checkpoints_folder / f"{self.stem(number)}.safetensors"

    def state_file(self, number: int) -> Path:
        """The training state of trial ``number`` after its last epoch; exists until the trial ends."""
        return self.checkpoints_folder / f"{self.stem(number)}.state"


def checked(number: int) -> int:
    """``number`` if it is a valid trial number; otherwise raises :class:`RunFolderError`."""
    if type(number) is not int or number < 0:
        raise RunFolderError("this is not a trial number", found=number, expected="an integer from 0 up")
    return number


def refuse_occupied(layout: Layout) -> None:
    """Raise :class:`RunFolderError` unless a new study can be created here without overwriting anything."""
    place = Place(file=str(layout.path))
    if layout.study_file.exists():
        raise RunFolderError(
            "this folder already holds a study",
            place=place,
            hint=f"continue it with `inception-search resume {layout.path}`, or choose another folder",
        )
    if not layout.path.exists():
        return
    if not layout.path.is_dir():
        raise RunFolderError("this is a file, not a folder", place=place, hint="choose another folder")
    foreign = sorted(entry.name for entry in layout.path.iterdir() if not _is_blank(entry))
    if foreign:
        raise RunFolderError(
            "the folder is not empty and is not a run folder",
            place=place,
            found=raw(", ".join(repr(name) for name in foreign[:3]) + (", ..." if foreign[3:] else "")),
            hint="choose a new or empty folder",
        )


def _is_blank(entry: Path) -> bool:
    """Whether ``entry`` is an empty leftover of an interrupted creation of the folder."""
    if entry.is_symlink():
        return False
    if entry.name in FOLDERS:
        return entry.is_dir() and not any(entry.iterdir())
    if entry.name in ("journal.log", "trials.jsonl"):
        return entry.is_file() and entry.stat().st_size == 0
    return entry.name in ("run.lock", "space.yaml") or is_temporary(entry)
