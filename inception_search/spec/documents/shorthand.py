"""Short forms to long forms, on plain data: ``7x7 128>192 row_col`` to ``{"kind": "conv", ...}``.

The whole grammar: ``KxK width [s2] [valid] [linear] [factor]`` (width may be ``mid>width``), ``max|avg|l2 KxK
[s2] [valid]``, ``identity``, ``absent``, ``zero``, ``lrn``, ``norm``, an activation's name, ``dropout p``, a
block's name, ``7 x <any of the others>``; a list is a chain; ``{kind: fields}`` is any step in full. Rarer settings
need fields.
Holes of a template (mappings whose keys begin with ``$``) are passed to ``hole``, and not changed otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, get_args

from inception_search.errors import Place, SpecError, did_you_mean
from inception_search.spec.base_model import Activation, Factor
from inception_search.spec.documents.yaml_reader import MarkedDict, MarkedList
from inception_search.spec.step import KINDS

NORMS = ("none", "batch")
FOLLOWED = ("conv", "depthwise")  # steps with a norm
KERNEL = re.compile(r"([0-9]{1,3})x([0-9]{1,3})\Z")
WIDTH = re.compile(r"(?:([0-9]{1,18})>)?([0-9]{1,18})\Z")
STRIDE = re.compile(r"s([0-9]{1,3})\Z")
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
REPEAT = re.compile(r"([0-9]{1,18}) x (\S.*)\Z")
POOLS = ("max", "avg", "l2")
FACTORS = get_args(Factor)
ACTIVATIONS = tuple(name for name in get_args(Activation) if name != "none")
SINGLES = ("identity", "absent", "zero", "lrn", "norm")
RESERVED = frozenset((*POOLS, *SINGLES, *ACTIVATIONS, *KINDS))
# The field that a step's short value sets: ``concat: [...]`` is ``concat: {branches: [...]}``.
PRINCIPAL = {
    "chain": "steps",
    "concat": "branches",
    "dag": "nodes",
    "dropout": "p",
    "act": "name",
    "narrow": "width",
    "use": "name",
}
# Fields that are (height, width), written 7 or 7x7. Equal values of a field in STEPS are stored as one number.
PAIRS: dict[str, tuple[str, ...]] = dict.fromkeys(("conv", "depthwise", "pool"), ("kernel", "padding"))
PAIRS |= {"adaptive_pool": ("size",)}
STEPS = dict.fromkeys(("conv", "depthwise", "pool", "block"), ("stride", "dilation"))
EXAMPLES = {"conv": "3x3 64 s2 valid", "pool": "max 3x3 s2", "dropout": "dropout 0.4", "act": "relu"}

HoleReader = Callable[[Any, str], Any]
StepReader = Callable[[Any, str, int | None], Any]  # reads a step in any form, with its path and line


def is_hole(raw: Any) -> bool:
    """Whether ``raw`` is a template hole: a mapping whose first key begins with ``$``."""
    return isinstance(raw, dict) and str(next(iter(raw), "")).startswith("$")


class Expander:
    """Expands short forms of one document; errors carry ``file``, the line and the path."""

    def __init__(self, file: str | None = None, hole: HoleReader | None = None) -> None:
        self.file = file
        self.hole = hole

    def step(self, raw: Any, path: str, line: int | None = None) -> Any:
        """The long form of a step: a :class:`MarkedDict` with ``kind`` (or what ``hole`` returns)."""
        line = getattr(raw, "line", None) or line
        if isinstance(raw, str):
            return self.words(raw, path, line)
        if isinstance(raw, list):
            return self.build("chain", {"steps": raw}, path, line)
        if is_hole(raw) and self.hole is not None:
            return self.hole(raw, path)
        if isinstance(raw, dict) and "kind" in raw:
            fields = {k: v for k, v in raw.items() if k != "kind"}
            return self.build(raw["kind"], fields, path, line, getattr(raw, "lines", None))
        if isinstance(raw, dict) and len(raw) == 1:
            kind, value = next(iter(raw.items()))
            return self.build(kind, value, path, line, getattr(value, "lines", None))
        raise self.error("not a step", path, line, found=raw, expected=_STEP_FORMS)

    def build(
        self, kind: Any, value: Any, path: str, line: int | None, lines: dict[str, int] | None = None
    ) -> MarkedDict:
        """The long form of ``{kind: value}``."""
        if not isinstance(kind, str) or kind not in KINDS:
            hint = did_you_mean(str(kind), KINDS) or f"steps: {', '.join(KINDS)}"
            if kind in POOLS:
                hint = f"write '{kind} 3x3 s2', or {{pool: {{mode: {kind}, ...}}}}"
            raise self.error("unknown step", path, line, found=kind, hint=hint)
        fields = self.fields(kind, value, path, line)
        if "kind" in fields:
            raise self.error(f"kind inside {kind}", path, line, found=fields["kind"], hint="name the step once")
        marks = lines if isinstance(lines, dict) else {}
        out = MarkedDict({"kind": kind}, line=line, lines=dict(marks))
        for name, item in fields.items():
            out[name] = self.field(kind, name, item, path, marks.get(name) or line)
        return out

    def fields(self, kind: str, value: Any, path: str, line: int | None) -> dict[str, Any]:
        principal = PRINCIPAL.get(kind)
        if isinstance(value, dict) and not (principal and is_hole(value)):
            return value
        if value is None and kind in SINGLES:
            return {}
        if principal:
            return {principal: value}
        raise self.error(f"{kind} takes fields", path, line, found=value, expected=f"{kind}: {{{_fields(kind)}}}")

    def field(self, kind: str, name: str, item: Any, path: str, line: int | None) -> Any:
        """One field in long form: nested steps expanded, ``7x7`` as ``[7, 7]``."""
        if name in ("steps", "branches", "nodes"):
            if not isinstance(item, list):
                hint = f"write {kind}: [{{...}}], with the hole inside the list" if is_hole(item) else None
                raise self.error(f"{kind} takes a list", join(path, name), line, found=item, hint=hint)
            prefix = path if name == "steps" else join(path, name)
            return _each(item, prefix, line, self.node if name == "nodes" else self.step)
        if name == "body" and kind in ("block", "repeat"):
            return self.step(item, join(path, "body") if kind == "block" else path, line)
        if name in PAIRS.get(kind, ()):
            return pair(item)
        if name in STEPS.get(kind, ()):
            return one_or_pair(item)
        return self.norm(item, join(path, name), line) if name == "norm" and kind in FOLLOWED else item

    def node(self, raw: Any, path: str, line: int | None) -> Any:
        """A node of a dag with every step in long form; the models refuse other values, which do not change here."""
        if not isinstance(raw, dict):
            return raw
        out, lines = _copy(raw, line)
        if isinstance(inputs := raw.get("inputs"), list):
            out["inputs"] = _each(inputs, join(path, "inputs"), lines.get("inputs") or line, self.node_input)
        if "then" in raw:
            out["then"] = self.step(raw["then"], join(path, "then"), lines.get("then") or line)
        return out

    def node_input(self, raw: Any, path: str, line: int | None) -> Any:
        """An input of a node as fields, also if it is a single number."""
        if isinstance(raw, int) and not isinstance(raw, bool):
            return MarkedDict({"node": raw}, line)
        if not isinstance(raw, dict) or "step" not in raw:
            return raw
        out, lines = _copy(raw, line)
        out["step"] = self.step(raw["step"], join(path, "step"), lines.get("step") or line)
        return out

    def norm(self, item: Any, path: str, line: int | None, network: bool = False) -> Any:
        """The stored form of a norm's name, for a convolution or (``network``) for ``conv_defaults``."""
        kind = item.get("kind", "batch") if isinstance(item, dict) and not is_hole(item) else item
        if isinstance(kind, str) and kind not in NORMS:
            expected = f"{' or '.join(NORMS)}, or the fields of batch: {{eps: 0.001, momentum: 0.1, gamma: true}}"
            raise self.error("unknown norm", path, line, found=kind, expected=expected, hint=did_you_mean(kind, NORMS))
        return norm_of_network(item) if network else norm_of_conv(item)

    def words(self, text: str, path: str, line: int | None) -> Any:
        """The long form of a one-line step."""
        if match := REPEAT.match(text.strip()):
            if REPEAT.match(match[2]):
                hint = "multiply the two, or write {repeat: {times: ..., body: ...}}"
                raise self.error("a repeat of a repeat", path, line, found=text, hint=hint)
            body = self.words(match[2], path, line)
            return MarkedDict({"kind": "repeat", "times": int(match[1]), "body": body}, line=line)
        head, *rest = text.split() or [""]
        if head in SINGLES and not rest:
            return MarkedDict({"kind": head}, line=line)
        if head in ACTIVATIONS and not rest:
            return MarkedDict({"kind": "act", "name": head}, line=line)
        if head == "dropout" and len(rest) == 1:
            return MarkedDict({"kind": "dropout", "p": self.number(rest[0], path, line)}, line=line)
        if head in POOLS and rest and KERNEL.match(rest[0]):
            long = {"kind": "pool", "mode": head, "kernel": pair(rest[0])}
            return MarkedDict(long | self.flags(rest[1:], ("valid",), path, line), line=line)
        if KERNEL.match(head) and rest and (match := WIDTH.match(rest[0])):
            long = {"kind": "conv", "kernel": pair(head), "width": int(match[2])}
            if match[1]:
                long["mid"] = int(match[1])
            return MarkedDict(long | self.flags(rest[1:], ("valid", "linear", *FACTORS), path, line), line=line)
        if NAME.match(head) and not rest and head not in RESERVED:
            return MarkedDict({"kind": "use", "name": head}, line=line)
        raise self.error("not a step", path, line, found=text, expected=_STEP_FORMS, hint=_likely(head))

    def flags(self, words: list[str], known: tuple[str, ...], path: str, line: int | None) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for word in words:
            if match := STRIDE.match(word):
                key, value = "stride", int(match[1])
            elif word not in known:
                hint = did_you_mean(word, known) or "rarer fields are written in full, {conv: {kernel: 3x3, ...}}"
                raise self.error(
                    "unknown flag",
                    path,
                    line,
                    found=word,
                    expected=f"s<stride>, {', '.join(known)}",
                    hint=hint,
                )
            elif word == "valid":
                key, value = "padding", "valid"  # type: ignore[assignment]
            elif word == "linear":
                key, value = "linear", True
            else:
                key, value = "factor", word  # type: ignore[assignment]
            if key in out:
                raise self.error(f"{key} given twice", path, line, found=" ".join(words))
            out[key] = value
        return out

    def number(self, text: str, path: str, line: int | None) -> float:
        try:
            return float(text)
        except ValueError:
            raise self.error("not a number", path, line, found=text, expected="dropout 0.4") from None

    def error(self, rule: str, path: str, line: int | None, **facts: Any) -> SpecError:
        """A :class:`SpecError` at this place of the document."""
        return SpecError(rule, place=Place(self.file, line, path or None), **facts)


def pair(item: Any) -> Any:
    """``"1x7"`` or ``3`` as ``[height, width]``; other values unchanged."""
    if isinstance(item, str) and (match := KERNEL.match(item)):
        return [int(match[1]), int(match[2])]
    if isinstance(item, int) and not isinstance(item, bool):
        return [item, item]
    return item


def one_or_pair(item: Any) -> Any:
    """``"2x1"`` as ``[2, 1]``, equal pairs as one number; other values unchanged."""
    item = pair(item)
    equal = isinstance(item, list) and len(item) == 2 and type(item[0]) is type(item[1]) is int and item[0] == item[1]
    return item[0] if equal else item


def norm_of_network(item: Any) -> Any:
    """The form in which ``conv_defaults`` store ``none`` (or false) and ``batch`` (or true)."""
    return {"none": None, False: None, "batch": {}, True: {}}.get(item, item) if isinstance(item, str | bool) else item


def norm_of_conv(item: Any) -> Any:
    """The form in which a convolution stores ``none`` (false) and ``batch`` (true: the network's norm)."""
    return {"none": False, "batch": True}.get(item, item) if isinstance(item, str) else item


def join(path: str, part: str | int) -> str:
    """``path`` with one more part, dotted."""
    return f"{path}.{part}" if path else str(part)


def tidy(long: Any) -> Any:
    """Long-form data with chains spliced, identities dropped from chains, absent branches dropped."""
    kind = long.get("kind") if isinstance(long, dict) else None
    if kind == "chain" and isinstance(long.get("steps"), list):
        return _tidy_chain(long)
    if kind == "concat" and isinstance(long.get("branches"), list):
        return _tidy_concat(long)
    if kind in ("block", "repeat") and "body" in long:
        return with_changed(long, "body", tidy)
    return with_changed(long, "nodes", lambda nodes: _map(nodes, _tidy_node)) if kind == "dag" else long


def with_changed(fields: Any, name: str, change: Callable[[Any], Any]) -> Any:
    """``fields`` with ``change`` applied to the field ``name``, lines kept; unchanged if there is no such field."""
    if not isinstance(fields, dict) or name not in fields:
        return fields
    out, _ = _copy(fields, None)
    out[name] = change(fields[name])
    return out


def _tidy_chain(long: MarkedDict) -> Any:
    steps = []
    for step in map(tidy, long["steps"]):
        if step.get("kind") == "chain":
            steps.extend(step["steps"])
        elif step.get("kind") != "identity":
            steps.append(step)
    if len(steps) == 1:
        return steps[0]
    return MarkedDict({"kind": "chain", "steps": steps} if steps else {"kind": "identity"}, long.line)


def _tidy_concat(long: MarkedDict) -> Any:
    branches = [b for b in map(tidy, long["branches"]) if b.get("kind") != "absent"]
    if len(branches) == 1:
        return branches[0]
    return MarkedDict({"kind": "concat", "branches": branches} if branches else {"kind": "absent"}, long.line)


def _tidy_node(node: Any) -> Any:
    tidied = with_changed(node, "inputs", lambda inputs: _map(inputs, lambda entry: with_changed(entry, "step", tidy)))
    return with_changed(tidied, "then", tidy)


def _map(items: Any, change: Callable[[Any], Any]) -> Any:
    """A list with ``change`` applied to every item, lines kept; a value that is not a list is returned unchanged."""
    if not isinstance(items, list):
        return items
    new = [change(item) for item in items]
    return MarkedList(new, items.line, items.lines) if isinstance(items, MarkedList) else new


_STEP_FORMS = "a step such as '3x3 64 s2 valid', 'max 3x3', a block's name, a list, or {concat: [...]}"


def _fields(kind: str) -> str:
    return ", ".join(name for name in KINDS[kind].model_fields if name != "kind")


def _likely(head: str) -> str | None:
    if KERNEL.match(head):
        return f"a convolution needs its width: '{head} 64'"
    if head in POOLS:
        return f"a pool needs its kernel: '{head} 3x3'"
    if head in EXAMPLES:
        return f"write '{EXAMPLES[head]}'"
    if head in RESERVED:
        return f"{head!r} is written alone, or with fields: {{{head}: ...}}"
    return did_you_mean(head, (*RESERVED, *FACTORS))


def _each(items: list[Any], path: str, line: int | None, read: StepReader) -> MarkedList:
    """``read`` applied to every item; an item without a line of its own gets the ``line`` of the list."""
    lines = getattr(items, "lines", None) or [line] * len(items)
    marked = enumerate(zip(items, lines, strict=True))
    return MarkedList([read(item, join(path, index), mark) for index, (item, mark) in marked], line, lines)


def _copy(fields: dict[str, Any], line: int | None) -> tuple[MarkedDict, dict[str, int]]:
    lines = getattr(fields, "lines", None) or {}
    return MarkedDict(fields, getattr(fields, "line", None) or line, lines), lines
