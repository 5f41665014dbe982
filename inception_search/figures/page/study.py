"""The page of a study: its trials next to the network of the selected one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from inception_search.errors import ConfigError, InceptionSearchError
from inception_search.figures.page.data import network_data
from inception_search.figures.page.html_page import Page, study_page
from inception_search.numbers import counted
from inception_search.spec.documents.parse import network_from_data
from inception_search.store.query import leaderboard, quality_words
from inception_search.store.record import TrialRecord, trial_name

TOP = 30  # sampled trials on a page
OPENED = 3  # differing blocks that are open at the beginning


def page_of_study(title: str, records: Sequence[TrialRecord], *, top: int = TOP, path: str | None = None) -> Page:
    """The best ``top`` sampled trials and every baseline, the best first; then incompletely trained ones.

    Raises :class:`ConfigError`, naming ``path`` (or else the title), if no trial has a network to show.
    """
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise ConfigError(
            "top is the number of trials to show", found=top, expected="1 or more", hint=f"omit it for {TOP}"
        )
    ranked = leaderboard(records, len(records))
    places = {record.number: rank for rank, record in enumerate(ranked, start=1)}
    others = [r for r in records if r.number not in places and r.state != "duplicate" and r.network is not None]
    sampled = [r for r in (*ranked, *others) if r.origin != "baseline"]
    chosen = {r.number for r in sampled[:top]}
    shown = [r for r in (*ranked, *others) if r.origin == "baseline" or r.number in chosen]
    trials = [row for row in (_row(record, places.get(record.number)) for record in shown) if row]
    all_trials = counted(len(records), "trial")
    if not trials:
        found = all_trials if records else "no trials yet"
        hint = "view it again when a trial has ended, or view a network: inception-search view inception_v4"
        raise ConfigError("no trial has a network to show", path=path or title, found=found, hint=hint)
    note = f"{len(trials)} of {all_trials}: the best {min(top, len(sampled))} found, and every baseline"
    if len(sampled) <= top:
        note = f"All trials that have a network: {len(trials)}"
    words = quality_words(records)
    note += "" if words == "accuracy" else f". Accuracy is {words}"
    return study_page(
        title, f"{note}. A click shows a trial's network.", trials, differing([row["item"]["tree"] for row in trials])
    )


def differing(trees: Sequence[Any]) -> list[str]:
    """The paths of the blocks to open: those that differ between trees; of several copies only the first.

    If there are more than :data:`OPENED`, only the first ones, with the differing blocks inside them.
    """
    first, *others = [_bodies(tree) for tree in trees]
    found: list[str] = []
    seen: set[str] = set()
    for path, body in first.items():
        own = re.sub(rf'"{re.escape(path)}(\.0)?(?=[".])\.?', '"', body)  # copies differ only in their paths
        if own not in seen and any(other.get(path) != body for other in others):
            seen.add(own)
            found.append(path)
    outer = [path for path in found if not any(path.startswith(f"{other}.") for other in found)]
    opened = tuple(outer[:OPENED])
    return [path for path in found if path in opened or path.startswith(tuple(f"{other}." for other in opened))]


def _bodies(tree: Any) -> dict[str, str]:
    """The contents of every foldable block, by path, in drawing order."""
    found: dict[str, str] = {}
    stack = [tree]
    while stack:
        part = stack.pop()
        if not isinstance(part, list) or not part or part[0] == "x":
            continue
        if part[0] == "g" and part[3]:
            found[part[3][3]] = json.dumps(part[2], ensure_ascii=False)
        stack.extend(reversed(part))
    return found


def _row(record: TrialRecord, rank: int | None) -> dict[str, Any] | None:
    try:
        network = network_from_data(record.network) if record.network is not None else None
        data = network_data(network) if network else None
    except InceptionSearchError:
        return None  # it does not fit its images, or is damaged; the report shows the reason
    if data is None:
        return None
    return {
        "number": record.number,
        "rank": rank,
        "name": trial_name(record),
        "accuracy": record.score if rank is not None else None,
        "state": record.state,
        "params": record.cost.get("params"),
        "macs": record.cost.get("macs"),
        "baseline": record.origin == "baseline",
        "item": data | {"name": trial_name(record)},
    }
