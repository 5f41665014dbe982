"""Repeats and trials have much in common: what stands in a page's data more than once is written once."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

LEAST = 16  # characters of JSON; a reference takes about ten itself
REFERENCE = "@"  # the key of a reference, which no path or field is


def shared(data: Any) -> dict[str, Any]:
    """``{"pool": [...], "data": ...}``: lists and mappings that repeat are in the pool, inner ones before outer ones,
    and ``{"@": index}`` stands where they stood."""
    counts: Counter[str] = Counter()
    _count(data, counts)
    pool: list[Any] = []
    return {"data": _refer(data, counts, {}, pool), "pool": pool}


def _count(value: Any, counts: Counter[str]) -> None:
    if not isinstance(value, list | dict):
        return
    told = _told(value)
    counts[told] += 1
    if counts[told] == 1:
        for inner in value.values() if isinstance(value, dict) else value:
            _count(inner, counts)


def _refer(value: Any, counts: Counter[str], places: dict[str, int], pool: list[Any]) -> Any:
    if not isinstance(value, list | dict):
        return value
    told = _told(value)
    if told not in places:
        made: Any = (
            {name: _refer(inner, counts, places, pool) for name, inner in value.items()}
            if isinstance(value, dict)
            else [_refer(inner, counts, places, pool) for inner in value]
        )
        if counts[told] < 2 or len(told) < LEAST:
            return made
        places[told] = len(pool)
        pool.append(made)
    return {REFERENCE: places[told]}


def _told(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
