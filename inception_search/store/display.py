"""How records look at a prompt and in a notebook: short lines, and tables that fit a screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from inception_search.plural import counted

if TYPE_CHECKING:
    from inception_search.store.record import TrialRecord

ROWS = 20  # records shown of a longer list
COLUMNS = ("trial", "network", "state", "accuracy", "epochs", "MACs", "parameters", "seconds")


def trial_name(record: TrialRecord) -> str:
    """What people call a trial: a baseline's label, else ``trial 17``."""
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


def html_table(columns: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """A plain HTML table without the columns that are empty in every row; all texts are escaped."""
    rows = list(rows)
    filled = [i for i in range(len(columns)) if not rows or any(row[i] for row in rows)]
    columns, rows = [columns[i] for i in filled], [[row[i] for i in filled] for row in rows]
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{said}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class Records(list["TrialRecord"]):
    """A list of records that shows its first :data:`ROWS` as a table."""

    def __repr__(self) -> str:
        lines = [f"  {words_of(record)}" for record in self[:ROWS]]
        return "\n".join([f"{counted(len(self), 'trial')}:" if lines else "no trials", *lines, *self._more()])

    def _repr_html_(self) -> str:
        return html_table(COLUMNS, map(row_of, self[:ROWS]), ", ".join([counted(len(self), "trial"), *self._more()]))

    def _more(self) -> list[str]:
        return [f"  ... and {len(self) - ROWS} more"] if len(self) > ROWS else []
