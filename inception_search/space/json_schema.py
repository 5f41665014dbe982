"""The JSON Schema of space documents: the schema of networks, with holes allowed for values of the template."""

from __future__ import annotations

from typing import Any

from inception_search.space.document import VERSION, SpaceDocument
from inception_search.space.template import CONCRETE
from inception_search.spec.documents.json_schema import network_schema

HOLE, STEP_HOLE = {"$ref": "#/$defs/Hole"}, {"$ref": "#/$defs/StepHole"}
STEP = {"$ref": "#/$defs/AnyStep"}
NAME = {"type": "string", "pattern": r"^/?[a-z][a-z0-9_]{0,63}$"}
RANGE = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 3}
COUNTS = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 2}
USE = {"$use": {"type": "string"}, "$name": NAME, "$depth": {"type": "integer", "minimum": 1}}
_LITERAL = ("schema", "version", "name", "kind")  # fields that cannot be holes


def space_schema() -> dict[str, Any]:
    """The schema, as plain JSON data."""
    network = network_schema()
    models, fields = network.pop("$defs"), network["properties"]
    for name, model in models.items():
        if "properties" in model:
            model["properties"] = {key: _open(key, value) for key, value in model["properties"].items()}
        elif name == "AnyStep":
            models[name] = {"anyOf": [*map(_inside, model["anyOf"]), STEP_HOLE]}
    fields.pop("dialects")
    template = {key: value if key in CONCRETE else _open(key, value) for key, value in fields.items()}
    template["stages"] = template["blocks"] = {"type": "object", "additionalProperties": STEP}
    template["aux"] = {"type": "object", "additionalProperties": {"anyOf": [{"$ref": "#/$defs/Aux"}, HOLE]}}
    schema = SpaceDocument.model_json_schema(by_alias=True)
    schema["properties"]["network"] = {
        "type": "object",
        "description": "the template: a network document in which values and steps may be holes",
        "properties": template,
        "required": ["name", "stages"],
        "additionalProperties": False,
    }
    schema["properties"]["contains"] = _contains(schema["properties"]["contains"])
    schema["$defs"] |= {**models, "Hole": _hole(), "StepHole": _step_hole()}
    schema["required"] = ["schema", "version", "name", "network"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"inception-search space, version {VERSION}",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _contains(fields: dict[str, Any]) -> dict[str, Any]:
    """The schema of ``contains``: entries by label, as fields or names; or a list of names."""
    ((pattern, entry),) = fields["patternProperties"].items()
    labelled = {"type": "object", "patternProperties": {pattern: {"anyOf": [{"type": "string"}, entry]}}}
    names = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
    return {
        "description": "canonical networks or modules that are points of the space; a search trains them first",
        "default": {},
        "anyOf": [labelled | {"additionalProperties": False}, names],
    }


def _open(name: str, value: Any) -> Any:
    """The schema of a field that also accepts a hole."""
    if name in _LITERAL or value == STEP:
        return value
    return {"anyOf": [_inside(value), HOLE]}


def _inside(value: Any) -> Any:
    """A schema that also accepts holes for inner items and fields."""
    if not isinstance(value, dict):
        return value
    out = dict(value)
    if "items" in out and out["items"] != STEP:
        out["items"] = {"anyOf": [out["items"], HOLE]}
    if "prefixItems" in out:
        out["prefixItems"] = [{"anyOf": [item, HOLE]} for item in out["prefixItems"]]
    if "anyOf" in out:
        out["anyOf"] = [_inside(option) for option in out["anyOf"]]
    if "properties" in out:
        out["properties"] = {key: _open(key, item) for key, item in out["properties"].items()}
    return out


def _hole() -> dict[str, Any]:
    """The schema of a hole for a value."""
    options = {"anyOf": [{"type": "array", "minItems": 1}, {"type": "object", "minProperties": 1}]}
    common = {"$name": NAME, "$log": {"type": "boolean"}}
    forms: list[dict[str, Any]] = [
        {"$choice": options, "$name": NAME, "$weights": {"type": "object"}},
        {"$int": RANGE, **common},
        {"$float": RANGE, **common},
        {"$of": {"type": "string", "description": "2*c, c/4 or c, where c is the $name of an integer, or in"}},
        USE,
    ]
    return {"description": "a hole: a value that a search decides", "anyOf": list(map(_form, forms))}


def _step_hole() -> dict[str, Any]:
    """The schema of a hole for a step."""
    labelled = {"type": "object", "minProperties": 1, "additionalProperties": STEP}
    options = {"anyOf": [{"type": "array", "items": STEP, "minItems": 1}, labelled]}
    forms: list[dict[str, Any]] = [
        {"$choice": options, "$name": NAME, "$weights": {"type": "object"}},
        {"$many": COUNTS, "of": STEP, "$name": NAME},
        USE,
    ]
    return {"description": "a hole for a step, or for several", "anyOf": list(map(_form, forms))}


def _form(fields: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object with these fields, of which the first is required."""
    required = ["$many", "of"] if "of" in fields else [next(iter(fields))]
    return {"type": "object", "properties": fields, "required": required, "additionalProperties": False}
