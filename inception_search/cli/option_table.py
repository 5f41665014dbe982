"""The Markdown table of all study options in docs/search.md; ``python -m inception_search.cli.option_table`` prints it.

The table is generated from ``StudyConfig``, as is the JSON Schema that editors use, so the two cannot disagree.
"""

from __future__ import annotations

import re
from typing import Any

from inception_search.cli.datasets import ABOUT
from inception_search.proxies.table import PROXIES
from inception_search.spec.field_table import codes, default_in_words, values_in_words
from inception_search.store.objectives import OBJECTIVES
from inception_search.study.config import StudyConfig
from inception_search.study.json_schema import meanings
from inception_search.training.optimizers import OPTIMIZERS

_MOST = 10**15  # upper limits beyond this only catch typing errors; the table leaves them out
_DEFAULT = re.compile(
    r" \(default[^:]*: (.*?)\)"
)  # the default that a docstring states for an option whose value is None


def option_table() -> str:
    """The table, one row for each field of ``StudyConfig``: name, values, default, meaning."""
    schema, meant = StudyConfig.model_json_schema()["properties"], meanings()
    rows = [_row(name, value, meant[name]) for name, value in schema.items()]
    return "| option | values | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def _row(name: str, value: dict[str, Any], meaning: str) -> str:
    said = _DEFAULT.search(meaning)
    default = said[1] if said and value["default"] is None else default_in_words(_plain(value))
    values = _NAMES.get(name) or values_in_words(_plain(value), {})
    return f"| `{name}` | {values} | {_BY_OPTIMIZER.get(name, default)} | {_DEFAULT.sub('', meaning)} |"


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """The schema of a field without upper limits that only catch typing errors."""
    options = [_plain(option) for option in value.get("anyOf", ())]
    kept = {key: item for key, item in value.items() if key != "maximum" or item < _MOST}
    return {**kept, "anyOf": options} if options else kept


def _by_optimizer(name: str) -> str:
    return ", ".join(f"{row.defaults[name]:g} with `{optimizer}`" for optimizer, row in OPTIMIZERS.items())


_BY_OPTIMIZER = {name: _by_optimizer(name) for name in ("learning_rate", "weight_decay")}
# The values of options for which the schema says no more than text, object or list.
_NAMES = {
    "space": "a shipped space's name, or a path",
    "data": codes(ABOUT),
    "data_root": "a path",
    "objectives": f"one or several of {codes(OBJECTIVES)}",
    "reference": "a number for each objective: `accuracy=0.1,macs=1e7`, or a mapping",
    "warm_start": "paths",
    "warmup_proxy": codes(PROXIES),
    "proxies": "some of those of `warmup_proxy`",
    "class_weights": "`none`, `balanced`, or a number by class name: `ok=1,bad=10`, or a mapping",
    "device": "`auto`, `cpu`, `cuda`, `cuda:1` ...",
    "storage": "a URL",
    "seed": "a whole number, 0 to 2,147,483,647",
    "run": "a path",
}

if __name__ == "__main__":
    print(option_table(), end="")
