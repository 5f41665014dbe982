"""Tables and code generated from the options classes.

``python -m inception_search.cli.option_table`` prints the table of all options of a study in docs/search.md. With
``finalize`` it prints the options of final trainings, with ``strategies`` or ``pruners`` the options of each, with
``flags`` the flags of ``search`` and ``finalize``, and with ``keywords`` the keywords of these functions.
``python docs/refresh.py`` writes all of them to their files.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from inception_search.cli.naming import ABOUT_DATASETS
from inception_search.options import Keyword, Open, Options, meanings, number_kind, option_fields, option_schemas
from inception_search.proxies.table import PROXIES
from inception_search.spec.documents.field_table import codes, default_in_words, values_in_words
from inception_search.store.objectives import OBJECTIVES
from inception_search.strategies.table import STRATEGIES, find_strategy
from inception_search.study.config import StudyConfig
from inception_search.study.final.options import FinalOptions
from inception_search.study.pruner_options import PRUNER_OPTIONS
from inception_search.training.fidelity import OPTIMIZER_DEFAULTS

_MOST = 10**15  # larger upper limits only catch typing errors and are omitted from the table
_PLAIN = ("", "1 or more", "more than 0", "a number", "a whole number")  # ranges too obvious to show
_LISTED = ("data", "objectives", "warmup_proxy")  # options whose help lists the same values as the table
_DEFAULT = re.compile(
    r" \(default[^:]*: (.*?)\)"
)  # the default in a docstring, for an option whose default value is None


def option_table(options: type[Options]) -> str:
    """The table of an options class with one row per option: name, values, default, meaning."""
    meant = meanings(options)
    rows = [_row(name, value, meant[name]) for name, value in option_schemas(options).items()]
    return "| option | values | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def tables() -> dict[str, str]:
    """Every table, by the argument that prints it."""
    strategies = {name: find_strategy(name).settings for name in STRATEGIES}
    owners = {"strategies": owned("strategy", strategies), "pruners": owned("pruner", PRUNER_OPTIONS)}
    finals = {"finalize": option_table(FinalOptions)}
    return {"": option_table(StudyConfig), **finals, **owners, "flags": flag_table(), "keywords": keyword_table()}


def owned(what: str, kinds: Mapping[str, type[Options]]) -> str:
    """A table of the options of several strategies or pruners. Owners of the same option share a row."""
    owners: dict[str, list[str]] = {}
    for owner, kind in kinds.items():
        schema, meant = option_schemas(kind), meanings(kind)
        for name, value in schema.items():
            owners.setdefault(_row(name, value, meant[name]), []).append(f"`{owner}`")
    rows = [f"| {', '.join(names)} {row}" for row, names in owners.items()]
    return f"| {what} | option | values | default | meaning |\n|---|---|---|---|---|\n" + "\n".join(rows) + "\n"


def _row(name: str, value: dict[str, Any], meaning: str) -> str:
    return f"| `{name}` | {_values(name, value)} | {_default(name, value, meaning)} | {_DEFAULT.sub('', meaning)} |"


def _values(name: str, value: dict[str, Any]) -> str:
    return _NAMES.get(name) or values_in_words(_plain(value), {})


def _default(name: str, value: dict[str, Any], meaning: str) -> str:
    documented = _DEFAULT.search(meaning)
    default = documented[1] if documented and value["default"] is None else default_in_words(_plain(value))
    return _BY_OPTIMIZER.get(name, default) if value["default"] is None else default


def flag_table() -> str:
    """The flags of verbs with an options class, as JSON for :mod:`inception_search.cli.flags`."""
    tables: dict[str, type[Options]] = {"search": StudyConfig, "finalize": FinalOptions}
    return json.dumps({verb: list(_flags(kind)) for verb, kind in tables.items()}, indent=1) + "\n"


def _flags(kind: type[Options]) -> Iterator[dict[str, str]]:
    meant, fields, schemas = meanings(kind), option_fields(kind), option_schemas(kind)
    for name, value in schemas.items():
        sort = _sort(name, fields[name])
        allowed = _values(name, value).rpartition(", ")[2] if sort in ("whole", "number") else ""
        default = _default(name, value, meant[name]).replace("`true`", "yes").replace("`false`", "no").replace("`", "")
        allowed = _values(name, value).replace("`", "") if name in _LISTED else allowed
        facts = f"default: {default}" if allowed in _PLAIN else f"{allowed}; default: {default}"
        more = " Repeat the flag for each option." if sort == "options" else ""
        meaning = re.sub("`(.*?)`", lambda named: _as_flag(named[1], schemas), _DEFAULT.sub("", meant[name]))
        choices = [word for option in value.get("anyOf", [value]) for word in option.get("enum", ())]
        choices += _MORE_CHOICES.get(name, ())
        found = {"name": name, "kind": sort, "help": f"{meaning}{more} [{facts}]"}
        yield {**found, "choices": "|".join(choices)} if choices else found


def _sort(name: str, field: FieldInfo) -> str:
    if kind := number_kind(field.annotation):
        return "whole" if kind is int else "number"
    if bool in (field.annotation, *get_args(field.annotation)):
        return "switch on" if field.default is False else "switch"
    return "options" if name.endswith("_options") else "text"


def _as_flag(name: str, known: Container[str]) -> str:
    return f"--{name.replace('_', '-')}" if name in known else name


def keyword_table() -> str:
    """The source of ``typed_options.py``: typed keywords for type checkers and editors."""
    classes: dict[str, type[Options]] = {"SearchOptions": StudyConfig, "FinalizeOptions": FinalOptions}
    return _KEYWORDS + "".join(_typed(name, kind) for name, kind in classes.items())


def _typed(name: str, kind: type[Options]) -> str:
    own = {option: field for option, field in option_fields(kind).items() if option != "space"}
    lines = "".join(f"    {option}: {_type(field.annotation, field.metadata)}\n" for option, field in own.items())
    about = f"The options of :class:`~{kind.__module__}.{kind.__name__}`, which documents them."
    return f'\n\nclass {name}(TypedDict, total=False):\n    """{about}"""\n\n{lines}'


def _type(annotation: Any, marks: Sequence[Any] = ()) -> str:
    """The type of a keyword as Python source."""
    if written := next((mark.types for mark in marks if isinstance(mark, Keyword)), None):
        return str(written)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(parts[0], parts[1:])
    if origin is Literal:
        found = f"Literal[{', '.join(json.dumps(part) for part in parts)}]"
    elif parts:
        found = " | ".join("None" if part is type(None) else _type(part) for part in parts)
    else:
        found = annotation.__name__
    return f"{found} | None" if any(isinstance(mark, Open) for mark in marks) else found


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """The schema of a field without upper limits that only catch typing errors."""
    options = [_plain(option) for option in value.get("anyOf", ())]
    kept = {key: item for key, item in value.items() if key != "maximum" or item < _MOST}
    return {**kept, "anyOf": options} if options else kept


def _by_optimizer(name: str) -> str:
    return ", ".join(f"{own[name]:g} with `{optimizer}`" for optimizer, own in OPTIMIZER_DEFAULTS.items())


_BY_OPTIMIZER = {name: _by_optimizer(name) for name in ("learning_rate", "weight_decay")}
_KEYWORDS = '''"""The keywords of ``ins.search`` and ``ins.finalize``; written by ``python docs/refresh.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
'''
# Values of options in addition to those in their schema.
_MORE_CHOICES = {"strategy": ("optuna:NAME", "optunahub:samplers/NAME")}
# The values of options whose schema is only a string, object or list.
_NAMES = {
    "space": "a shipped space's name, or a path",
    "data": codes(ABOUT_DATASETS),
    "data_root": "a path",
    "objectives": f"one or more of {codes(OBJECTIVES)}",
    "reference": "a number for each objective: `accuracy=0.1,macs=1e7`, or a mapping",
    "warm_start": "one or more paths",
    "strategy": f"{codes(STRATEGIES)}, `optuna:NAME`, `optunahub:samplers/NAME`; in Python also a sampler object",
    "strategy_options": "a mapping: `{population: 20}`; as flags `--strategy-option population=20`, repeated",
    "pruner_options": "a mapping: `{eta: 4}`; as flags `--pruner-option eta=4`, repeated",
    "warmup_proxy": codes(PROXIES),
    "proxies": "one or more of the values of `warmup_proxy`",
    "class_weights": "`none`, `balanced`, or a number by class name: `ok=1,bad=10`, or a mapping",
    "device": "`auto`, `cpu`, `cuda`, `cuda:1` ...",
    "storage": "a URL",
    "seed": "a whole number, 0 to 2,147,483,647",
    "run": "a path",
}

if __name__ == "__main__":
    print(tables()[sys.argv[1] if len(sys.argv) > 1 else ""], end="")
