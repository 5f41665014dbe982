"""Steps and networks as text: in short form where the grammar has one, else with all fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from inception_search.spec.base_model import SpecModel
from inception_search.spec.documents.shorthand import RESERVED
from inception_search.spec.documents.yaml_reader import is_text
from inception_search.spec.network import SCHEMA, VERSION, ConvDefaults, Network, PoolDefaults, Recipe
from inception_search.spec.step import (
    Act,
    AnyStep,
    Block,
    Chain,
    Concat,
    Conv,
    Dag,
    DagInput,
    DagNode,
    Dropout,
    Identity,
    Narrow,
    Pool,
    Repeat,
    Use,
)

_WIDTH = 108
LONGEST_LINE = 60  # most characters of the line for one node of a dag


def text(item: AnyStep | Network) -> str:
    """Write a network or module as YAML in its short form.

    Args:
        item: a network, a step, or a name of either (docs/naming.md has all forms).

    Returns:
        The text. :func:`load` reads a network back, :func:`parse_step` a step; both are equal to ``item``.

    Raises:
        UnknownNameError: nothing has this name.

    >>> print(ins.to_yaml("inception_v4.inception_a"), end="")
    concat:
    - 1x1 96
    - [1x1 64, 3x3 96]
    - [1x1 64, 3x3 96, 3x3 96]
    - [avg 3x3, 1x1 96]
    """
    if isinstance(item, Network):
        return network_text(item)
    return _yaml(short(item))


def network_text(network: Network) -> str:
    """A network document as YAML in short form; reading it gives an equal network."""
    return _yaml(short_network(network))


def short(step: AnyStep) -> Any:
    """A step as short plain data (str, list or one-key mapping)."""
    rule: Callable[[Any], Any] = SHORT.get(type(step), _short_leaf)
    return rule(step)


def short_network(network: Network) -> dict[str, Any]:
    """A network document as short plain data."""
    data: dict[str, Any] = {"schema": SCHEMA, "version": VERSION, "name": network.name}
    if network.source:
        data["source"] = network.source
    if network.dialect:
        data["dialect"] = network.dialect
    data["input"] = list(network.input.shape)
    if network.preprocess is not None:
        data["preprocess"] = network.preprocess.to_dict()
    if network.recipe != Recipe():
        data["recipe"] = network.recipe.to_dict()
    if network.same_padding != "symmetric":
        data["same_padding"] = network.same_padding
    if network.conv_defaults != ConvDefaults():
        data["conv_defaults"] = _short_defaults(network.conv_defaults)
    if network.pool_defaults != PoolDefaults():
        data["pool_defaults"] = network.pool_defaults.to_dict()
    if network.blocks:
        data["blocks"] = {name: short(step) for name, step in network.blocks.items()}
    data["stages"] = {name: short(step) for name, step in network.stages.items()}
    data["head"] = {**network.head.to_dict(), "classes": network.head.classes}
    if network.aux:
        data["aux"] = {name: {**aux.to_dict(), "body": short(aux.body)} for name, aux in network.aux.items()}
    return data


def _line(step: Conv | Pool) -> str | None:
    """``7x7 128>192 s2 valid linear row_col``, or None if a field has no short form."""
    kernel = f"{step.kernel[0]}x{step.kernel[1]}"
    words = [step.mode, kernel] if isinstance(step, Pool) else [kernel, _width(step)]
    rare = step.padding not in ("same", "valid") or isinstance(step.stride, tuple)
    if isinstance(step, Pool):
        rare = rare or step.count_pad is not None or step.ceil is not None
    else:
        rare = rare or step.groups != 1 or step.dilation != 1 or (step.norm, step.act, step.bias) != (None, None, None)
    if rare:
        return None
    words += [f"s{step.stride}"] * (step.stride != 1) + ["valid"] * (step.padding == "valid")
    if isinstance(step, Conv):
        words += ["linear"] * step.linear + [step.factor] * (step.factor != "none")
    return " ".join(words)


def _width(conv: Conv) -> str:
    return f"{conv.mid}>{conv.width}" if conv.mid is not None else str(conv.width)


def _fields(step: AnyStep) -> dict[str, Any]:
    fields = step.to_dict()
    fields.pop("kind")
    for name in ("kernel", "size"):
        if isinstance(fields.get(name), list):
            fields[name] = "x".join(map(str, fields[name]))
    if isinstance(fields.get("norm"), bool):
        fields["norm"] = "batch" if fields["norm"] else "none"
    return fields


def _short_leaf(step: AnyStep) -> Any:
    fields = _fields(step)
    return {step.kind: fields} if fields else step.kind


def _short_repeat(step: Repeat) -> Any:
    body = short(step.body)
    if isinstance(body, str) and not isinstance(step.body, Repeat):
        return f"{step.times} x {body}"
    return {"repeat": {"times": step.times, "body": body}}


def _short_node(node: DagNode) -> dict[str, Any]:
    join = {"join": node.join} if node.join != "add" else {}
    then = {"then": short(node.then)} if not isinstance(node.then, Identity) else {}
    return {**join, "inputs": [_short_input(entry) for entry in node.inputs], **then}


def _short_input(entry: DagInput) -> Any:
    return entry.node if isinstance(entry.step, Identity) else {"node": entry.node, "step": short(entry.step)}


SHORT: dict[type[SpecModel], Callable[[Any], Any]] = {
    Conv: lambda step: _line(step) or _short_leaf(step),
    Pool: lambda step: _line(step) or _short_leaf(step),
    Act: lambda step: step.name if step.name != "none" else {"act": "none"},
    Dropout: lambda step: {"dropout": step.p},
    Narrow: lambda step: {"narrow": step.width if step.start == 0 else _fields(step)},
    Chain: lambda step: [short(part) for part in step.steps],
    Concat: lambda step: {"concat": [short(branch) for branch in step.branches]},
    Block: lambda step: {"block": {**_fields(step), "body": short(step.body)}},
    Dag: lambda step: {"dag": [_short_node(node) for node in step.nodes]},
    Repeat: _short_repeat,
    Use: lambda step: step.name if step.name not in RESERVED else {"use": step.name},
}


def _short_defaults(defaults: ConvDefaults) -> dict[str, Any]:
    data = defaults.to_dict()
    if "norm" in data:
        data["norm"] = data["norm"] if data["norm"] is not None else "none"
    return data


def _yaml(data: Any) -> str:
    options: dict[str, Any] = {"default_flow_style": None, "sort_keys": False, "width": _WIDTH, "allow_unicode": True}
    return str(yaml.dump(data, Dumper=_Dumper, **options)).removesuffix("...\n")  # the end mark after a lone scalar


class _Dumper(yaml.SafeDumper):
    """Quotes texts that our reader would read as numbers, and writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def text_node(self, data: str) -> yaml.ScalarNode:
        # PyYAML folds the line break U+0085 in a single-quoted text; in a double-quoted one it is escaped.
        style = '"' if "\x85" in data else None if is_text(data) else "'"
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper.text_node)


def dag_lines(dag: Dag) -> tuple[str, ...]:
    """The lines that describe a dag: its size, then each node (0 is the input), ``2 = 0 + max 3x3 of 1; 3x3 16``."""
    return (
        dag_size(dag),
        *(_shortened(f"{i} = {node_words(node)}") for i, node in enumerate(dag.nodes, start=1)),
    )


def dag_size(dag: Dag) -> str:
    """``3 nodes, 6 edges``."""
    nodes, edges = len(dag.nodes), sum(len(node.inputs) for node in dag.nodes)
    return f"{nodes} node{'s' * (nodes != 1)}, {edges} edge{'s' * (edges != 1)}"


def node_words(node: DagNode) -> str:
    """The computation of a node as text: ``0 + max 3x3 of 1; 3x3 16``."""
    parts = [_edge(entry) for entry in node.inputs]
    joined = f"concat({', '.join(parts)})" if node.join == "concat" and len(parts) > 1 else " + ".join(parts)
    return joined if isinstance(node.then, Identity) else f"{joined}; {_on_one_line(node.then)}"


def _edge(entry: DagInput) -> str:
    return str(entry.node) if isinstance(entry.step, Identity) else f"{_on_one_line(entry.step)} of {entry.node}"


def _on_one_line(step: AnyStep) -> str:
    if isinstance(step, Chain):
        return f"[{', '.join(map(_on_one_line, step.steps))}]"
    return " ".join(text(step).split())


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "\u2026"
