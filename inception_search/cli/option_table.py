"""The Markdown tables of options in docs/search.md; ``python -m inception_search.cli.option_table`` prints that of all
options of a study, with ``strategies`` or ``pruners`` those of each strategy or pruner.

The tables are generated from the classes that check the options (that of a study is also the JSON Schema that editors
use), so they cannot disagree.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from inception_search.cli.datasets import ABOUT
from inception_search.options import Options, meanings, option_schemas
from inception_search.proxies.table import PROXIES
from inception_search.spec.field_table import codes, default_in_words, values_in_words
from inception_search.store.objectives import OBJECTIVES
from inception_search.strategies.table import STRATEGIES, find_strategy
from inception_search.study.config import StudyConfig
from inception_search.study.pruner_options import PRUNER_OPTIONS
from inception_search.training.fidelity import OPTIMIZER_DEFAULTS

_MOST = 10**15  # upper limits beyond this only catch typing errors; the table leaves them out
_DEFAULT = re.compile(
    r" \(default[^:]*: (.*?)\)"
)  # the default that a docstring states for an option whose value is None


def option_table() -> str:
    """The table, one row for each option of a study: name, values, default, meaning."""
    meant = meanings(StudyConfig)
    rows = [_row(name, value, meant[name]) for name, value in option_schemas(StudyConfig).items()]
    return "| option | values | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def tables() -> dict[str, str]:
    """Every table, by the word that prints it."""
    strategies = {name: find_strategy(name).settings for name in STRATEGIES}
    return {"": option_table(), "strategies": owned("strategy", strategies), "pruners": owned("pruner", PRUNER_OPTIONS)}


def owned(what: str, kinds: Mapping[str, type[Options]]) -> str:
    """The table of the options of several owners: a row for each of their options."""
    rows = []
    for owner, kind in kinds.items():
        schema, meant = option_schemas(kind), meanings(kind)
        rows += [f"| `{owner}` {_row(name, value, meant[name])}" for name, value in schema.items()]
    return f"| {what} | option | values | default | meaning |\n|---|---|---|---|---|\n" + "\n".join(rows) + "\n"


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
    return ", ".join(f"{own[name]:g} with `{optimizer}`" for optimizer, own in OPTIMIZER_DEFAULTS.items())


_BY_OPTIMIZER = {name: _by_optimizer(name) for name in ("learning_rate", "weight_decay")}
# The values of options for which the schema says no more than text, object or list.
_NAMES = {
    "space": "a shipped space's name, or a path",
    "data": codes(ABOUT),
    "data_root": "a path",
    "objectives": f"one or several of {codes(OBJECTIVES)}",
    "reference": "a number for each objective: `accuracy=0.1,macs=1e7`, or a mapping",
    "warm_start": "paths",
    "strategy": f"{codes(STRATEGIES)}, `optuna:NAME`, `optunahub:samplers/NAME`; in Python also a sampler of Optuna's",
    "strategy_options": "a mapping: `{population: 20}`; as flags `--strategy-option population=20`, one for each",
    "pruner_options": "a mapping: `{eta: 4}`; as flags `--pruner-option eta=4`, one for each",
    "warmup_proxy": codes(PROXIES),
    "proxies": "some of those of `warmup_proxy`",
    "class_weights": "`none`, `balanced`, or a number by class name: `ok=1,bad=10`, or a mapping",
    "device": "`auto`, `cpu`, `cuda`, `cuda:1` ...",
    "storage": "a URL",
    "seed": "a whole number, 0 to 2,147,483,647",
    "run": "a path",
}

if __name__ == "__main__":
    print(tables()[sys.argv[1] if len(sys.argv) > 1 else ""], end="")
