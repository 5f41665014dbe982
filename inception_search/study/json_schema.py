"""The JSON Schema of study files, the options read by ``inception-search search FILE``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from inception_search.data.catalogue import DATASETS
from inception_search.numbers import PATTERN
from inception_search.options import groups, meanings, option_schemas
from inception_search.proxies.table import PROXIES
from inception_search.spec.documents.field_table import codes
from inception_search.store.objectives import OBJECTIVES
from inception_search.strategies.table import STRATEGIES
from inception_search.study.config import SCHEMA, VERSION, StudyConfig

NUMBERS = ("integer", "number")
LISTS = {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}
# Names that an option may have, for editors. Not an ``enum``: other packages can add datasets, strategies and proxies.
NAMES: dict[str, Iterable[str]] = {
    "data": DATASETS,
    "objectives": OBJECTIVES,
    "strategy": STRATEGIES,
    "warmup_proxy": PROXIES,
    "proxies": PROXIES,
}
POINT = {"anyOf": [{"type": "object", "additionalProperties": {"type": "number"}}, {"type": "string"}]}


def study_schema() -> dict[str, Any]:
    """The schema as plain JSON data: every option with its default and meaning."""
    meant = meanings(StudyConfig)
    properties = {name: _written(name, value, meant[name]) for name, value in option_schemas(StudyConfig).items()}
    for name, group in groups(StudyConfig).items():
        properties[name] = {
            "description": f"{meant[name]} These options may also be written without the group.",
            "type": "object",
            "properties": {option: {"$ref": f"#/properties/{option}"} for option in group.model_fields},
            "additionalProperties": False,
        }
    properties["schema"] = {"const": SCHEMA}
    properties["version"] = {"type": "integer", "minimum": 1, "maximum": VERSION}
    properties["facts"] = {"type": "object", "description": "what was found when the study began; written by the study"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"inception-search study, version {VERSION}",
        "description": StudyConfig.__doc__,
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _written(name: str, value: dict[str, Any], meaning: str) -> dict[str, Any]:
    """An option in the forms users may write: numbers also as ``10M``, lists also comma-separated."""
    listed = f" Names: {codes(NAMES[name])}." if name in NAMES else ""
    value = {**value, "description": meaning + listed}
    rest = {key: item for key, item in value.items() if key in ("description", "default", "title")}
    if isinstance(value.get("default"), list | tuple):
        return {**rest, **LISTS}
    if name in ("strategy_options", "pruner_options"):
        return {**rest, "anyOf": [{"type": "object"}, *LISTS["anyOf"]]}
    if name == "reference":
        return {**rest, "anyOf": [*POINT["anyOf"], {"type": "null"}]}
    options = value.get("anyOf", [value])
    if any(option.get("type") in NUMBERS for option in options):
        bare = [{key: item for key, item in option.items() if key not in rest} for option in options]
        return {**rest, "anyOf": [*bare, {"type": "string", "pattern": PATTERN}]}
    return value
