"""A recipe in ``study.yaml`` that is not the one earlier trials were trained with: their results do not compare."""

from __future__ import annotations

from collections.abc import Iterable

from inception_search.store.record import TrialRecord
from inception_search.study.config import StudyConfig


def recipe_change(config: StudyConfig, records: Iterable[TrialRecord]) -> str | None:
    """What ``config`` asks for and the latest trained of ``records`` did not have, in a sentence; None: nothing.

    Threads do not count: they make training faster, and are chosen by the machine.
    """
    trained = [record for record in records if record.curve and record.fidelity]
    if not trained:
        return None
    had = {"class_weights": "none", **max(trained, key=lambda record: record.number).fidelity}
    asked = config.fidelity(threads=None)
    words = [f"{name} {asked[name]} (was {had[name]})" for name in asked if name in had and asked[name] != had[name]]
    if not words:
        return None
    return (
        f"study.yaml asks for {', '.join(words)}: new trials do not compare with the {len(trained)} trained so far; "
        "put it back, or search in a new run"
    )
