"""Every field of a document and its values, as Markdown tables for the documentation (``python -m`` this module).

The tables come from the JSON Schema, so that they always agree with the completion of editors and the reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from inception_search.spec.documents.json_schema import network_schema
from inception_search.spec.documents.shorthand import ACTIVATIONS, FACTORS, NORMS, POOLS, SINGLES
from inception_search.spec.step import KINDS

# Sections of a document, and the class of each; "" is the document itself.
SECTIONS = {
    "": "",
    "input": "Input",
    "conv_defaults": "ConvDefaults",
    "norm": "BatchNorm",
    "pool_defaults": "PoolDefaults",
    "head": "Head",
    "head.embedding": "Embedding",
    "aux.NAME": "Aux",
    "preprocess": "Preprocess",
    "recipe": "Recipe",
    "a node of a dag": "DagNode",
    "an input of a node": "DagInput",
}
# The defaults of fields that are taken from another field.
_LEFT = {("conv", name): "as in `conv_defaults`" for name in ("norm", "act", "bias")}
_LEFT |= {("depthwise", name): "as in `conv_defaults`" for name in ("norm", "act", "bias")}
_LEFT |= {("pool", name): "as in `pool_defaults`" for name in ("count_pad", "ceil")}
_LEFT |= {("conv", "mid"): "`width`", ("conv_defaults", "norm"): "`batch`", ("aux.NAME", "body"): "`identity`"}
_LEFT |= {("a node of a dag", "then"): "`identity`", ("an input of a node", "step"): "`identity`"}
_LISTS = {
    "a list: a step": "list of steps",
    "a list: a node, see below": "list of nodes, see below",
    "a list: 1 to 65,536": "list of whole numbers, 1 to 65,536",
    "a list: a number": "list of numbers",
    "a list: a number, more than 0": "list of numbers, more than 0",
    "a list: a whole number, 0 or more or a node, see below": "list of node numbers, or of inputs, see below",
}
_STEP, _NODES = "#/$defs/AnyStep", ("#/$defs/DagNode", "#/$defs/DagInput")
_ELSEWHERE = ("schema", "version", "blocks", "stages", "aux", "dialects", "input", "preprocess", "recipe", "head")


def words() -> dict[str, tuple[str, ...]]:
    """The fixed words of the document language, by topic."""
    return {
        "activations": ("none", *ACTIVATIONS),
        "norms": NORMS,
        "factors": FACTORS,
        "pools": POOLS,
        "steps of one word": SINGLES,
        "kinds of steps": tuple(KINDS),
    }


def tables() -> str:
    """The tables as Markdown text."""
    schema = network_schema()
    models = schema["$defs"]
    listed = "\n".join(f"| {what} | {codes(values)} |" for what, values in words().items())
    steps = [row for kind, model in KINDS.items() for row in _rows(kind, models[model.__name__], models)]
    sections: list[str] = []
    for section, name in SECTIONS.items():
        model = models[name] if name else {"properties": _own(schema), "required": ["name"]}
        sections += _rows(section or "the document", model, models)
    head = "| {} | field | values | default |\n|---|---|---|---|\n"
    return (
        f"| kind of value | words |\n|---|---|\n{listed}\n\n"
        f"{head.format('step')}{_joined(steps)}\n\n{head.format('section')}{_joined(sections)}\n"
    )


def _own(schema: Any) -> dict[str, Any]:
    """The fields of the document that have no table of their own."""
    left = (*_ELSEWHERE, "conv_defaults", "pool_defaults")
    return {name: value for name, value in schema["properties"].items() if name not in left}


def _rows(owner: str, model: Any, models: Any) -> Iterator[str]:
    required = model.get("required", [])
    for name, value in model["properties"].items():
        if name != "kind":
            default = "*required*" if name in required else _LEFT.get((owner, name)) or default_in_words(value)
            written = owner if " " in owner else f"`{owner}`"
            values = values_in_words(value, models)
            default = "not set" if default == "none" else default
            yield f"| {written} | `{name}` | {_LISTS.get(values, values)} | {default} |"


def _joined(rows: list[str]) -> str:
    return "\n".join(rows)


def default_in_words(value: Any) -> str:
    """The default of a field in words, from its part of a JSON Schema."""
    default = value.get("default")
    if default is None or default in ("", {}, []):
        return "none"
    if isinstance(default, list) and default and default[0] == default[-1]:
        default = default[0]  # of height and width
    if isinstance(default, float):
        default = f"{default:g}"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def values_in_words(value: Any, models: Any) -> str:
    """The values of a field in words, from its part of a JSON Schema; ``models`` are the schema's definitions."""
    if value.get("$ref") == _STEP:
        return "a step"
    if "$ref" in value:
        return "a node, see below" if value["$ref"] in _NODES else "fields, see below"
    if "enum" in value:
        return codes(word for word in value["enum"] if word is not None)
    if "anyOf" in value:
        if "(height, width)" in value.get("description", ""):
            return _pair(value)
        options = [option for option in value["anyOf"] if option.get("type") != "null" and option.get("const") != ""]
        return " or ".join(dict.fromkeys(values_in_words(option, models) for option in options))
    return _plain(value, models)


def _pair(value: Any) -> str:
    """The values of a (height, width) field, with words such as ``same`` and ``valid`` if it takes any."""
    enums = [option["enum"] for option in value["anyOf"] if "enum" in option]
    side = next(option for option in value["anyOf"] if option.get("type") == "integer")
    numbers = f"(height, width), {side['minimum']} to {side['maximum']}"
    return f"{codes(enums[0])} or {numbers}" if enums else numbers


def _plain(value: Any, models: Any) -> str:
    kind = value.get("type")
    if kind == "boolean":
        return "`true`, `false`"
    if kind == "array":
        inside = value.get("items") or (value.get("prefixItems") or [{}])[0]
        return f"a list: {values_in_words(inside, models)}"
    if kind in ("integer", "number"):
        return _range(value, "whole number" if kind == "integer" else "number")
    if kind == "string":
        return "a name" if "pattern" in value else "text"
    return "fields"


def _range(value: Any, kind: str) -> str:
    low, high = value.get("minimum"), value.get("maximum")
    above, below = value.get("exclusiveMinimum"), value.get("exclusiveMaximum")
    parts = [f"{low:g} or more" if low is not None else "", f"more than {above:g}" if above is not None else ""]
    parts += [f"at most {high:,g}" if high is not None else "", f"less than {below:,g}" if below is not None else ""]
    if low is not None and high is not None:
        return f"{low:,} to {high:,}"
    bounds = " and ".join(part for part in parts if part)
    return f"a {kind}, {bounds}" if bounds else f"a {kind}"


def codes(values: Iterable[Any]) -> str:
    """Values as Markdown code, separated by commas."""
    shown = (str(v).lower() if isinstance(v, bool) else str(v) for v in values)
    return ", ".join(f"`{value}`" for value in shown)


if __name__ == "__main__":
    print(tables(), end="")
