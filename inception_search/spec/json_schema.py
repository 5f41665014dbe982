"""The JSON Schema of network documents, short forms included, for editors to complete from.

``python -m inception_search.spec.json_schema > search_spaces/network.schema.json`` writes it; a test fails when
the committed file drifts from the classes.
"""

from __future__ import annotations

import json
from typing import Any

from inception_search.spec.dialect import FIXED
from inception_search.spec.network import VERSION, Network
from inception_search.spec.shorthand import PRINCIPAL, SINGLES, SIZES
from inception_search.spec.step import KINDS

STEP = {"$ref": "#/$defs/AnyStep"}
KERNEL = {
    "description": "7x7, 7 or [7, 7]: (height, width)",
    "anyOf": [
        {"type": "string", "pattern": r"^\d{1,3}x\d{1,3}$"},
        {"type": "integer", "minimum": 1},
        {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
    ],
}
LINE = {
    "type": "string",
    "description": "a step on one line: '3x3 64 s2 valid', '7x7 128>192 row_col', 'max 3x3 s2', '4 x inception_a'",
}


def network_schema() -> dict[str, Any]:
    """The schema, as plain JSON data."""
    schema = Network.model_json_schema(by_alias=True)
    models = schema["$defs"]
    for kind, model in KINDS.items():
        _loosen(models[model.__name__], kind)
        models[model.__name__]["properties"]["kind"] = {"const": kind}
        models[model.__name__]["required"] = [*models[model.__name__].get("required", []), "kind"]
    number = {"type": "integer", "minimum": 0}
    models["DagNode"]["properties"]["inputs"]["items"] = {"anyOf": [number, _ref("DagInput")]}
    models["DagNode"]["properties"]["then"] = models["DagInput"]["properties"]["step"] = STEP
    models["AnyStep"] = {"anyOf": [LINE, {"type": "array", "items": STEP}, *_tagged(models), *_long()]}
    _steps_anywhere(schema)
    models["ConvDefaults"]["properties"]["norm"] = {"anyOf": [{"enum": ["none", "batch", None]}, _ref("BatchNorm")]}
    schema["properties"]["input"] = {
        "description": "[channels, height, width], or 3x299x299",
        "anyOf": [
            {"type": "string", "pattern": r"^\d+x\d+x\d+$"},
            {"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 3},
            _ref("Input"),
        ],
    }
    schema["properties"]["dialects"] = _dialects(schema)
    schema["required"] = ["schema", "version", "name", "stages"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"inception-search network, version {VERSION}",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _dialects(schema: dict[str, Any]) -> dict[str, Any]:
    """Overlays: any section of the document, in part; null takes something away."""
    sections: dict[str, Any] = {name: {} for name in schema["properties"] if name not in FIXED}
    steps = {"type": "object", "additionalProperties": {"anyOf": [STEP, {"type": "null"}]}}
    sections |= {"like": {"type": "string"}, "stages": steps, "blocks": steps}
    overlay = {"type": "object", "properties": sections, "additionalProperties": False}
    return {"description": "overlays by name: name@dialect is the network with one", "additionalProperties": overlay}


def _long() -> list[dict[str, Any]]:
    return [_ref(model.__name__) for model in KINDS.values()]


def _tagged(models: dict[str, Any]) -> list[dict[str, Any]]:
    """``{kind: fields}``, and the short values of some kinds."""
    forms = []
    for kind, model in KINDS.items():
        definition = models[model.__name__]
        fields = {name: value for name, value in definition["properties"].items() if name != "kind"}
        required = [name for name in definition["required"] if name != "kind"]
        values: list[dict[str, Any]] = [{"type": "object", "properties": fields, "additionalProperties": False}]
        if required:
            values[0]["required"] = required
        if kind in PRINCIPAL:
            values.append(fields[PRINCIPAL[kind]])
        if kind in SINGLES:
            values.append({"type": "null"})
        one = {"type": "object", "properties": {kind: {"anyOf": values}}, "required": [kind]}
        forms.append({**one, "additionalProperties": False})
    return forms


def _loosen(model: dict[str, Any], kind: str) -> None:
    """Kernels may be written ``7x7``; steps in any form."""
    properties = model["properties"]
    for name in SIZES.get(kind, ("kernel",)):
        if name in properties:
            properties[name] = KERNEL
    if "body" in properties:
        properties["body"] = STEP
    for name in ("steps", "branches"):
        if name in properties:
            properties[name] = {"type": "array", "items": STEP}


def _steps_anywhere(schema: dict[str, Any]) -> None:
    for section in ("blocks", "stages"):
        names = schema["properties"][section].get("patternProperties", {})
        pattern = next(iter(names), "^[a-z][a-z0-9_]{0,63}$")
        section_schema = {"type": "object", "patternProperties": {pattern: STEP}, "additionalProperties": False}
        schema["properties"][section] = section_schema
    schema["$defs"]["Aux"]["properties"]["body"] = STEP


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def schema_text() -> str:
    """The schema as it is committed."""
    return json.dumps(network_schema(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
