"""The JSON Schema of network documents, short forms included, for completion in editors.

``inception-search schema network -o search_spaces/network.schema.json`` writes it; a test fails when the committed
file drifts from the classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from inception_search.spec.documents.dialect import FIXED
from inception_search.spec.documents.shorthand import (
    ACTIVATIONS,
    FACTORS,
    FOLLOWED,
    NORMS,
    PAIRS,
    POOLS,
    PRINCIPAL,
    RESERVED,
    SINGLES,
    STEPS,
)
from inception_search.spec.limits import MAX_KERNEL
from inception_search.spec.network import VERSION, Network
from inception_search.spec.step import KINDS

STEP = {"$ref": "#/$defs/AnyStep"}
NORM_NAMES = {"enum": [*NORMS, True, False, None]}


def pair(least: int, *words: str) -> dict[str, Any]:
    """The schema of a (height, width) field: ``2``, ``2x1`` or ``[2, 1]``, at least ``least``, or one of ``words``."""
    side = {"type": "integer", "minimum": least, "maximum": MAX_KERNEL}
    forms: list[dict[str, Any]] = [{"enum": list(words)}] if words else []
    forms += [{"type": "string", "pattern": r"^\d{1,3}x\d{1,3}$"}, side]
    forms.append({"type": "array", "items": side, "minItems": 2, "maxItems": 2})
    named = ", ".join([*words, "2, 2x1 or [2, 1]"])
    return {"description": f"{named}: (height, width)", "anyOf": forms}


def line_pattern() -> str:
    """The regular expression of a step on one line, from the grammar of short forms.

    It uses only syntax that Python, JavaScript and other readers of JSON Schemas share.
    """
    side, width = r"0*[1-9]\d{0,2}", r"0*[1-9]\d{0,4}"
    kernel, flag = rf"{side}x{side}", rf"s{side}"
    once = rf"(?!.*\s{flag}\s(?:.*\s)?{flag}(?:\s|$))" + "".join(
        rf"(?!.*\s{words}\s(?:.*\s)?{words}(?:\s|$))" for words in ("valid", "linear", _any(FACTORS))
    )
    conv = rf"{once}{kernel}\s+(?:{width}>)?{width}(?:\s+(?:{flag}|valid|linear|{_any(FACTORS)}))*"
    pool = rf"{once}{_any(POOLS)}\s+{kernel}(?:\s+(?:{flag}|valid))*"
    dropout = r"dropout\s+(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
    block = rf"(?!{_any(sorted(RESERVED))}\s*$)[a-z][a-z0-9_]{{0,63}}"
    steps = "|".join([_any(SINGLES), _any(ACTIVATIONS), dropout, pool, conv, block])
    return rf"^\s*(?:{width} x )?\s*(?:{steps})\s*$"


def _any(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(words)})"


LINE = {
    "type": "string",
    "pattern": line_pattern(),
    "description": "a step on one line: '3x3 64 s2 valid', '7x7 128>192 row_col', 'max 3x3 s2', '4 x inception_a'",
}


def network_schema() -> dict[str, Any]:
    """The schema, as plain JSON data."""
    schema = Network.model_json_schema(by_alias=True)
    schema["description"] = schema["description"].partition("\n\n>>>")[0]  # without the example for Python
    models = schema["$defs"]
    for kind, model in KINDS.items():
        _loosen(models[model.__name__], kind)
        models[model.__name__]["properties"]["kind"] = {"const": kind}
        models[model.__name__]["required"] = [*models[model.__name__].get("required", []), "kind"]
    for name in ("ConvDefaults", *(KINDS[kind].__name__ for kind in FOLLOWED)):
        models[name]["properties"]["norm"] = {"anyOf": [NORM_NAMES, _ref("BatchNorm")]}
    number = {"type": "integer", "minimum": 0}
    models["DagNode"]["properties"]["inputs"]["items"] = {"anyOf": [number, _ref("DagInput")]}
    models["DagNode"]["properties"]["then"] = models["DagInput"]["properties"]["step"] = STEP
    models["AnyStep"] = {"anyOf": [LINE, {"type": "array", "items": STEP}, *_tagged(models), *_long()]}
    _steps_anywhere(schema)
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
    """The schema of overlays: parts of any section of the document; null removes an entry."""
    sections: dict[str, Any] = {name: {} for name in schema["properties"] if name not in FIXED}
    steps = {"type": "object", "additionalProperties": {"anyOf": [STEP, {"type": "null"}]}}
    sections |= {"like": {"type": "string"}, "stages": steps, "blocks": steps}
    overlay = {"type": "object", "properties": sections, "additionalProperties": False}
    return {"description": "overlays by name: name@dialect is the network with one", "additionalProperties": overlay}


def _long() -> list[dict[str, Any]]:
    return [_ref(model.__name__) for model in KINDS.values()]


def _tagged(models: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas of ``{kind: fields}``, with the short values of some kinds."""
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
    """Let a schema accept pairs such as ``7x7``, and steps in any form."""
    properties = model["properties"]
    for name in (*PAIRS.get(kind, ()), *STEPS.get(kind, ())):
        if name in properties:
            default = {"default": properties[name]["default"]} if "default" in properties[name] else {}
            properties[name] = {**(pair(0, "same", "valid", "tf") if name == "padding" else pair(1)), **default}
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
