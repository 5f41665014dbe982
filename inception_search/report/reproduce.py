"""The commands that do it again, go on, and end it."""

from __future__ import annotations

import shlex

from inception_search.report.html import commands
from inception_search.report.material import Material


def reproduce_section(material: Material) -> str:
    """One command a line, with what it does."""
    run = material.run
    at = shlex.quote(run)
    again = shlex.quote(f"{run}-again")
    study, space = shlex.quote(f"{run}/study.yaml"), shlex.quote(f"{run}/space.yaml")
    lines = [
        (f"inception-search search {study} --space {space} --run {again}", "the same search in a new folder"),
        (f"inception-search resume {at}", "go on where it was stopped; --trials N makes it longer"),
        (f"inception-search finalize {at}", "train the best and the canonical in full, test them once"),
        (f"inception-search report {at}", "this page again"),
        (f"inception-search dashboard {at}", "the study in optuna-dashboard, with every module's picture"),
    ]
    return commands(lines) + f"<p>{_exact(material)}</p>"


def _exact(material: Material) -> str:
    if material.option("workers") == 1:
        return (
            "With one worker, as here, the same processor and the same versions give the same networks and the same "
            "curves to the last bit."
        )
    return (
        "A seed gives the same curve of one network on the same processor. Which networks are tried depends on the "
        "order in which workers finish: only <code>--workers 1</code> repeats a search exactly."
    )
