"""One line of ``finals.jsonl``: a final training with its test result, or the reason why it has none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from inception_search.analysis.significance import Bools
from inception_search.errors import Place
from inception_search.store.jsonl import append_line, read_lines
from inception_search.store.record import Count, Facts, Number, explained, utc_now
from inception_search.store.versions import Kind, present_document
from inception_search.training.score_parts import Classes, Floats, image_parts, unpacked

KIND: Final = Kind("record of a final training", "inception-search/final", 1)


class FinalRecord(BaseModel):
    """A final training. ``failed``: it would fail again; ``lost``: its process was lost, and the next call retries."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_name: Literal["inception-search/final"] = Field(default="inception-search/final", alias="schema")
    version: Literal[1] = 1
    state: Literal["complete", "failed", "lost"]
    recipe: str
    """Id of the recipe; trainings with the same recipe are in one table."""
    setting: str
    """Id of the networks, recipe and seeds under which it was trained."""
    trial: Count
    origin: str
    label: str | None = None
    arch_id: str
    seed: Count
    attempt: Count = 1
    test_accuracy: Number | None = None
    """0..1."""
    test_balanced_accuracy: Number | None = None
    test_macro_f1: Number | None = None
    """0..1; missing in older records."""
    test_loss: Number | None = None
    """Cross-entropy in nats."""
    test_images: Count | None = None
    test_right: str | None = None
    """Whether each test image was classified correctly: packed bits (first image highest), in hexadecimal."""
    test_truth: str | None = None
    test_answers: str | None = None
    """The true and the predicted class of each test image (:func:`~inception_search.training.score_parts.packed`);
    missing in older records."""
    validation_accuracy: Number | None = None
    validation_balanced_accuracy: Number | None = None
    validation_macro_f1: Number | None = None
    """After the last epoch, 0..1; the last two are missing in older records."""
    seconds: Number = 0.0
    started: str
    ended: str = Field(default_factory=utc_now)
    """UTC, ISO 8601."""
    cost: dict[str, Count]
    """``params``, ``macs`` ... at the final image size."""
    fidelity: Facts = Field(default_factory=dict)
    device: str
    node: str | None = None
    """Name of the node of the Ray cluster, if it was trained on one."""
    data: Facts
    """The dataset as trained on: name, fingerprint, sizes."""
    versions: dict[str, str]
    reason: str | None = None

    @model_validator(mode="after")
    def _has_what_its_state_needs(self) -> Self:
        if self.state != "complete":
            if not self.reason:
                raise ValueError("a training that is not complete needs a reason")
        elif None in (self.test_accuracy, self.test_images, self.test_right, self.validation_accuracy):
            raise ValueError("a complete training needs its test results")
        elif len(self.test_right or "") != 2 * -(-(self.test_images or 0) // 8):
            raise ValueError("test_right does not have one bit per image")
        elif not np.array_equal(self.right, np.equal(*self.answered) if self.answered else self.right):
            raise ValueError("test_right contradicts test_truth and test_answers")
        return self

    @property
    def right(self) -> Bools:
        """Whether each test image was classified correctly."""
        packed = np.frombuffer(bytes.fromhex(self.test_right or ""), dtype=np.uint8)
        return np.unpackbits(packed, count=self.test_images or 0).astype(np.bool_)

    @property
    def answered(self) -> tuple[Classes, Classes] | None:
        """The true and the predicted class of each test image; None in an older record."""
        if self.test_truth is None or self.test_answers is None:
            return None
        images = self.test_images or 0
        return unpacked(self.test_truth, images), unpacked(self.test_answers, images)

    def parts(self, quality: str) -> Floats:
        """The contribution of each test image to ``quality``, which is their mean; see :func:`image_parts`."""
        if quality == "accuracy":
            return self.right.astype(np.float64)
        assert self.answered is not None
        return image_parts(*self.answered, quality)


def append_final(path: Path, record: FinalRecord) -> None:
    """Add a line durably. Raises StorageFullError or RunFolderError; the file is then unchanged."""
    without = {"node"} if record.node is None else set()
    append_line(path, json.dumps(record.model_dump(mode="json", by_alias=True, exclude=without), allow_nan=False))


def read_finals(path: Path) -> list[FinalRecord]:
    """All records; of several for one training the first that is not lost. Empty if there is no file.

    Raises DocumentError or SchemaVersionError with the unreadable line.
    """
    if not path.exists():
        return []
    latest: dict[tuple[str, str, int], FinalRecord] = {}
    for number, text in read_lines(path):
        record = _read(text, Place(str(path), number))
        key = (record.recipe, record.arch_id, record.seed)
        if key not in latest or latest[key].state == "lost":
            latest[key] = record
    return list(latest.values())


def _read(text: str, place: Place) -> FinalRecord:
    document = present_document(text, place, {}, kind=KIND)
    try:
        return FinalRecord.model_validate(document)
    except ValidationError as error:
        raise explained(error, place, KIND.words) from None
