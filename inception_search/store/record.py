"""One self-contained record per trial: network, training, and result or reason of failure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_serializer,
    model_validator,
)

from inception_search.errors import DocumentError, Place
from inception_search.numbers import counted
from inception_search.store.versions import SCHEMA, UPGRADES, VERSION, Upgrade, present_document

State = Literal["complete", "pruned", "paused", "infeasible", "failed", "duplicate"]
Origin = Literal["baseline", "sampled", "warm_start"]
TRAINED = ("complete", "pruned", "paused", "failed")
FINAL = ("complete", "pruned", "infeasible", "failed", "duplicate")  # a paused trial may still continue

ROWS = 20  # records shown of a longer list
COLUMNS = ("trial", "network", "state", "accuracy", "epochs", "MACs", "parameters", "seconds")


def utc_now() -> str:
    """The current time in the format of records: UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _utc(text: str) -> str:
    try:
        offset = datetime.fromisoformat(text).utcoffset()
    except ValueError:
        offset = None
    if offset != timedelta(0):
        raise ValueError("must be a UTC time such as 2025-01-31T12:00:00+00:00")
    return text


def _storable(value: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Check that JSON can store the facts. A line with a correct checksum was already checked when it was written."""
    known = info.context is not None and info.context["sealed"]
    return value if known and isinstance(value, dict) else _checked(validate(value))


def _checked(value: Any) -> Any:
    """Refuse values that pydantic accepts but JSON cannot store: NaN, infinity, lone surrogates."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    if isinstance(value, str):
        value.encode("utf-8")  # the UnicodeEncodeError is a ValueError
    items = value if isinstance(value, list) else ()
    for item in (*value.keys(), *value.values()) if isinstance(value, dict) else items:
        _checked(item)
    return value


# Strict: neither True nor "1" is accepted as the number 1.
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0)]
Truth = Annotated[bool, Field(strict=True)]
Facts = Annotated[dict[str, JsonValue], WrapValidator(_storable)]


# Quality measures from 0 to 1, with their names in texts.
QUALITIES = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1"}


class EpochRecord(BaseModel):
    """The metrics after one epoch; losses are means per example, accuracies and F1 are 0..1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: Count
    train_loss: Number
    validation_loss: Number
    validation_accuracy: Number
    learning_rate: Number
    seconds: Number
    validation_balanced_accuracy: Number | None = None
    validation_macro_f1: Number | None = None
    """None in older records."""

    @model_serializer(mode="wrap")
    def _without_what_is_missing(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in serialize(self).items() if value is not None}


class TrialRecord(BaseModel):
    """All facts about one trial in any state; one line of ``trials.jsonl``."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_name: Literal["inception-search/trial"] = Field(default=SCHEMA, alias="schema")
    version: Literal[2] = VERSION
    number: Count
    """Trial number, from 0."""
    state: State
    origin: Origin
    label: str | None = None
    """Name of the canonical network or module, if the trial is a baseline."""
    arch_id: str | None = None
    network: Facts | None = None
    """The network document in its long form, exactly as trained."""
    holes: dict[str, str | Whole | Number | Truth] = Field(default_factory=dict)
    """The point of the space."""
    cost: dict[str, Count] = Field(default_factory=dict)
    """``params``, ``macs``, ``activation_bytes``, ``depth``, ``receptive_field`` (pixels; not in older records)."""
    latency: Annotated[Number, Field(ge=0)] | None = None
    """Milliseconds for one image on the device, summed over ops, if the study limits or minimises latency."""
    value: Number | None = None
    """Validation accuracy, 0..1."""
    objectives: dict[str, Number] = Field(default_factory=dict)
    """The objectives of the study, name to value."""
    curve: tuple[EpochRecord, ...] = ()
    duplicate_of: Count | None = None
    """Number of the trial that has already trained this architecture."""
    repeat_of: Count | None = None
    """Number of the trial whose architecture this one trains again with another seed (option ``repeats``)."""
    reason: str | None = None
    """Why it is infeasible, failed, pruned or paused."""
    facts: Facts = Field(default_factory=dict)
    """Facts from the strategy about the point: its parents, the edit that made it ..."""
    seed: Whole
    attempt: Annotated[int, Field(strict=True, ge=1)] = 1
    device: str | None = None
    node: str | None = None
    """Name of the node of the Ray cluster that finished it; missing if it was trained by another executor."""
    seconds: Annotated[Number, Field(ge=0)]
    """Duration by a monotonic clock, over all attempts that contributed to the result."""
    resources: dict[str, Number] = Field(default_factory=dict)
    """``peak_bytes`` of device memory, ``images_per_second`` trained, ``resumed_from`` (epochs of earlier attempts)."""
    rewrites: dict[str, Count] = Field(default_factory=dict)
    """Passes that rewrote the network for its training steps, and at how many places; not in older records."""
    started: Annotated[str, AfterValidator(_utc)]
    """UTC, ISO 8601; see :func:`utc_now`."""
    data: Facts = Field(default_factory=dict)
    """Dataset name, fingerprint, sizes."""
    fidelity: Facts = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_what_its_state_needs(self) -> Self:
        if self.state == "complete" and (self.value is None or self.network is None):
            raise ValueError("a complete trial needs a value and a network")
        if self.state == "duplicate" and self.duplicate_of is None:
            raise ValueError("a duplicate trial needs duplicate_of, the number of the trial it repeats")
        if self.state in ("failed", "infeasible") and not self.reason:
            raise ValueError(f"a trial that is {self.state} needs a reason")
        return self

    @property
    def ranked_by(self) -> str:
        """The measure that ranks trials: the first objective of :data:`QUALITIES` or ``loss``; else ``accuracy``."""
        return next((name for name in self.objectives if name in (*QUALITIES, "loss")), "accuracy")

    @property
    def quality(self) -> str:
        """The measure that ranks the study's trials: its first objective in :data:`QUALITIES`, else ``accuracy``."""
        for name in self.objectives:
            if name in QUALITIES:
                return name
        return "accuracy"

    @property
    def score(self) -> float | None:
        """The value of :attr:`quality`, 0..1; None if the trial is not complete."""
        if self.value is None or self.quality == "accuracy":
            return self.value
        return self.objectives.get(self.quality, self.value)

    @property
    def reached(self) -> float | None:
        """The :attr:`score`, or the value of the last epoch if the trial is not complete."""
        return self.score if self.value is not None else self.scores[-1][1] if self.scores else None

    @property
    def scores(self) -> tuple[tuple[int, float], ...]:
        """Epoch and value of :attr:`quality` for each point of the curve."""
        name = f"validation_{self.quality}"
        known = [(point.epoch, getattr(point, name)) for point in self.curve]
        return tuple((epoch, value) for epoch, value in known if value is not None)

    def __repr__(self) -> str:
        return f"TrialRecord({words_of(self)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return html_table(COLUMNS, [row_of(self)], self.reason or "")

    @property
    def measures(self) -> dict[str, int | float]:
        """All measures made before training, by name (see ``measures``)."""
        return {**self.cost} if self.latency is None else {**self.cost, "latency": self.latency}

    def to_json(self) -> str:
        """The record as one line of JSON. Keys keep their order, because the order of a network's stages matters."""
        optional = {"latency": self.latency, "rewrites": self.rewrites or None, "node": self.node}
        without = {name for name, value in optional.items() if value is None}
        return json.dumps(self.model_dump(mode="json", by_alias=True, exclude=without), allow_nan=False)

    @classmethod
    def from_json(
        cls,
        line: str,
        file: str | Path | None = None,
        line_no: int | None = None,
        *,
        upgrades: Mapping[int, Upgrade] = UPGRADES,
        sealed: bool = False,
    ) -> Self:
        """Read one line of ``trials.jsonl``; ``upgrades`` converts older versions.

        ``sealed`` means that the line had a correct checksum, so its facts are not checked again.

        Raises :class:`DocumentError`, or :class:`SchemaVersionError` for an unknown version.
        """
        place = Place(None if file is None else str(file), line_no)
        document = present_document(line, place, upgrades, sealed=sealed)
        try:
            return cls.model_validate(document, context={"sealed": sealed})
        except ValidationError as error:
            raise explained(error, place, "trial record") from error


def explained(error: ValidationError, place: Place, what: str) -> DocumentError:
    """The first error that pydantic found, with its path inside the record; ``what`` is the kind of the record."""
    first = error.errors(include_url=False)[0]
    parts = [str(part) for part in first["loc"]]
    path = ".".join(part if part.isprintable() else repr(part) for part in parts) or None
    more = error.error_count() - 1
    hint = [f"{more} more fields are wrong"] if more else []
    hint += [] if place.line is None else ["delete the line, or correct it"]
    return DocumentError(
        f"not a valid {what}: " + first["msg"].removeprefix("Value error, "),
        place=Place(place.file, place.line, path),
        found=first["input"] if path else None,
        hint="; ".join(hint) or None,
    )


def trial_name(record: TrialRecord) -> str:
    """The display name of a trial: a baseline's label, else for example ``trial 17``."""
    return record.label or f"trial {record.number}"


def percent(accuracy: float) -> str:
    """``93.40 %``."""
    return f"{100 * accuracy:.2f} %"


def words_of(record: TrialRecord) -> str:
    """One line: ``trial 12, complete, 97.77 % after 6 epochs, 2.51 M MACs, 75,258 parameters``."""
    parts = [f"trial {record.number}", *([record.label] if record.label else []), record.state]
    if record.curve:
        last = record.curve[-1]
        parts.append(f"{percent(record.reached or 0.0)} after {counted(last.epoch, 'epoch')}")
    parts += [f"{record.cost['macs'] / 1e6:,.2f} M MACs"] if "macs" in record.cost else []
    parts += [f"{record.cost['params']:,} parameters"] if "params" in record.cost else []
    parts += [record.reason if len(record.reason) <= 80 else f"{record.reason[:77]}..."] if record.reason else []
    return ", ".join(parts)


def row_of(record: TrialRecord) -> tuple[str, ...]:
    """The cells of a record, in the order of :data:`COLUMNS`."""
    last = record.curve[-1] if record.curve else None
    accuracy = record.reached
    macs, params = record.cost.get("macs"), record.cost.get("params")
    return (
        str(record.number),
        record.label or "",
        record.state,
        "" if accuracy is None else percent(accuracy),
        str(last.epoch) if last else "",
        "" if macs is None else f"{macs / 1e6:,.2f} M",
        "" if params is None else f"{params:,}",
        f"{record.seconds:.1f}",
    )


class Records(list[TrialRecord]):
    """A list of records that shows its first :data:`ROWS` as a table."""

    def __repr__(self) -> str:
        lines = [f"  {words_of(record)}" for record in self[:ROWS]]
        return "\n".join([f"{counted(len(self), 'trial')}:" if lines else "no trials", *lines, *self._more()])

    def _repr_html_(self) -> str:
        return html_table(COLUMNS, map(row_of, self[:ROWS]), ", ".join([counted(len(self), "trial"), *self._more()]))

    def _more(self) -> list[str]:
        return [f"  ... and {len(self) - ROWS} more"] if len(self) > ROWS else []


def html_table(columns: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """An HTML table with escaped texts, without the columns that are empty in every row."""
    rows = list(rows)
    filled = [i for i in range(len(columns)) if not rows or any(row[i] for row in rows)]
    columns, rows = [columns[i] for i in filled], [[row[i] for i in filled] for row in rows]
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
