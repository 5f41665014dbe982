"""An in-memory copy of a study for optuna-dashboard, with a figure of the module for every trial.

The run folder is only read; changes made in the dashboard stay in the copy.
"""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import optuna
from optuna.artifacts import FileSystemArtifactStore
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial

from inception_search.errors import MissingRequirementError
from inception_search.extras import install
from inception_search.optuna_bridge.export import StudyCopy, trial_of
from inception_search.optuna_bridge.optuna_logging import quiet
from inception_search.space.space import Space
from inception_search.store.record import QUALITIES, TrialRecord
from inception_search.store.run_folder import RunFolder

Draw = Callable[[TrialRecord], str | None]
COLUMNS = ("params", "macs", "depth", "receptive_field")
_ARTIFACT = "artifacts:"  # Optuna's prefix for artifacts among a trial's system attributes


def check_installed() -> None:
    """Raise MissingRequirementError where optuna-dashboard is missing."""
    if find_spec("optuna_dashboard") is None:
        raise MissingRequirementError(
            "the dashboard needs the optuna-dashboard package",
            hint=f"{install('dashboard')}; `inception-search report RUN` needs nothing more",
        )


@dataclass(frozen=True)
class _Noted:
    """The attributes of a trial that save_note reads."""

    storage: InMemoryStorage
    study: optuna.Study
    _trial_id: int


class DashboardCopy:
    """The copy; ``draw`` makes the SVG of a record's module (or None), ``folder`` is where the figures are stored."""

    def __init__(self, run: RunFolder, objectives: tuple[str, ...], name: str, draw: Draw, folder: Path) -> None:
        self.run, self.draw = run, draw
        self.objectives = objectives
        self.space = Space(run.space_text(), str(run.space_file))
        self.artifacts = FileSystemArtifactStore(str(folder))
        self.copy = StudyCopy(objectives, name)
        self.storage, self.study, self.shown = self.copy.storage, self.copy.study, self.copy.shown
        self.pictures: dict[int, dict[str, Any] | None] = {}

    def refresh(self) -> int:
        """Update the copy from the records and return the number of new ones. Raises the errors of reading them."""
        added = 0
        for trial_id, record in self.copy.refresh(self.run.records(), self._trial):
            self._note(trial_id, record, self.pictures.pop(record.number))
            added += 1
        return added

    def _trial(self, record: TrialRecord) -> FrozenTrial:
        """The trial of a record, with its figure as an artifact."""
        trial = trial_of(record, self.space, self.objectives, self._attributes(record))
        picture = self.pictures[record.number] = self._picture(record)
        if picture is not None:
            trial._system_attrs[_ARTIFACT + picture["artifact_id"]] = json.dumps(picture)
        return trial

    def _attributes(self, record: TrialRecord) -> dict[str, Any]:
        """The columns of the dashboard's table."""
        costs = {name: record.cost[name] for name in COLUMNS if name in record.cost}
        values = {
            "name": record.label or f"trial {record.number}",
            "origin": record.origin,
            **costs,
            "arch_id": record.arch_id,
            "reason": record.reason,
        }
        return {name: value for name, value in values.items() if value is not None}

    def _picture(self, record: TrialRecord) -> dict[str, Any] | None:
        """The artifact of a record's module; None where the module cannot be drawn."""
        svg = self.draw(record)
        if svg is None:
            return None
        artifact = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.study.study_name} {record.number}"))
        self.artifacts.write(artifact, io.BytesIO(svg.encode()))
        name = f"{record.number}.svg"
        return {"artifact_id": artifact, "filename": name, "mimetype": "image/svg+xml", "encoding": None}

    def _note(self, trial_id: int, record: TrialRecord, picture: dict[str, Any] | None) -> None:
        """Attach a note with the record's values and the figure in full size."""
        from optuna_dashboard import save_note

        values = self._attributes(record)
        lines = [f"**{_plain(values.pop('name'))}**, {record.state}", ""]
        lines += [f"- {name.replace('_', ' ')}: {_plain(value)}" for name, value in values.items()]
        if record.score is not None:
            lines.append(f"- validation {QUALITIES[record.quality]}: {100 * record.score:.2f} %")
        if picture is not None:
            lines += ["", f"![module](/artifacts/{self.study._study_id}/{trial_id}/{picture['artifact_id']})"]
        with quiet():
            save_note(_Noted(self.storage, self.study, trial_id), "\n".join(lines))


def _plain(value: Any) -> str:
    """A value on one line, escaped so that Markdown shows it unchanged."""
    if isinstance(value, int):
        return f"{value:,}"
    text = " ".join(str(value).split())
    return "".join(f"\\{char}" if char in r"\`*_{}[]()<>#+!|~&" else char for char in text)
