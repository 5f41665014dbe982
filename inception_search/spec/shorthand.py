"""Short forms to long forms, on plain data: ``7x7 128>192 row_col`` to ``{"kind": "conv", ...}``.

The grammar, whole: ``KxK width [s2] [valid] [linear] [factor]`` (width may be ``mid>width``), ``max|avg|l2 KxK
[s2] [valid]``, ``identity``, ``absent``, ``zero``, ``lrn``, ``norm``, an activation's name, ``dropout p``, a
block's name, ``7 x <any of the others>``; a list is a chain; ``{kind: fields}`` is any step in full. Everything
rarer is fields.
Template holes (mappings whose keys begin with ``$``) are passed to ``hole`` and otherwise left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, get_args

from inception_search.errors import Place, SpecError, did_you_mean
from inception_search.spec.dag_forms import expand_nodes, tidy_nodes
from inception_search.spec.model import Activation, Factor
from inception_search.spec.step import KINDS
from inception_search.spec.yaml_reader import MarkedDict, MarkedList

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
# The field a step's short value stands for: ``concat: [...]`` is ``concat: {branches: [...]}``.
PRINCIPAL = {
    "chain": "steps",
    "concat": "branches",
    "dag": "nodes",
    "dropout": "p",
    "act": "name",
    "narrow": "width",
    "use": "name",
}
# Fields that are (height, width): 7 is both, 7x7 a text of the two. Of STEPS equal ones are stored as one number.
PAIRS: dict[str, tuple[str, ...]] = dict.fromkeys(("conv", "depthwise", "pool"), ("kernel", "padding"))
PAIRS |= {"adaptive_pool": ("size",)}
STEPS = dict.fromkeys(("conv", "depthwise", "pool", "block"), ("stride", "dilation"))
EXAMPLES = {"conv": "3x3 64 s2 valid", "pool": "max 3x3 s2", "dropout": "dropout 0.4", "act": "relu"}

HoleReader = Callable[[Any, str], Any]


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
            if name == "nodes":
                return expand_nodes(item, join(path, name), line, self.step)
            lines = getattr(item, "lines", None) or [line] * len(item)
            prefix = path if name == "steps" else join(path, name)
            steps = [
                self.step(part, join(prefix, index), mark)
                for index, (part, mark) in enumerate(zip(item, lines, strict=True))
            ]
            return MarkedList(steps, line=line, lines=lines)
        if name == "body" and kind in ("block", "repeat"):
            return self.step(item, join(path, "body") if kind == "block" else path, line)
        if name in PAIRS.get(kind, ()):
            return pair(item)
        if name in STEPS.get(kind, ()):
            return one_or_pair(item)
        return self.norm(item, join(path, name), line) if name == "norm" and kind in FOLLOWED else item

    def norm(self, item: Any, path: str, line: int | None, network: bool = False) -> Any:
        """What a norm is called as what it stands for: of a convolution, or (``network``) of ``conv_defaults``."""
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
    """``"1x7"`` or ``3`` as ``[height, width]``; anything else as it is."""
    if isinstance(item, str) and (match := KERNEL.match(item)):
        return [int(match[1]), int(match[2])]
    if isinstance(item, int) and not isinstance(item, bool):
        return [item, item]
    return item


def one_or_pair(item: Any) -> Any:
    """``"2x1"`` as ``[2, 1]``, equal pairs as one number; anything else as it is."""
    item = pair(item)
    equal = isinstance(item, list) and len(item) == 2 and type(item[0]) is type(item[1]) is int and item[0] == item[1]
    return item[0] if equal else item


def norm_of_network(item: Any) -> Any:
    """``none`` (or false) and ``batch`` (or true) as ``conv_defaults`` store them."""
    return {"none": None, False: None, "batch": {}, True: {}}.get(item, item) if isinstance(item, str | bool) else item


def norm_of_conv(item: Any) -> Any:
    """``none`` and ``batch`` as a convolution stores them: false, and true for the network's."""
    return {"none": False, "batch": True}.get(item, item) if isinstance(item, str) else item


def join(path: str, part: str | int) -> str:
    """``path`` and one more place, dotted."""
    return f"{path}.{part}" if path else str(part)


def tidy(long: Any) -> Any:
    """Long-form data with chains spliced, identities dropped from chains, absent branches dropped."""
    kind = long.get("kind") if isinstance(long, dict) else None
    if kind == "chain" and isinstance(long.get("steps"), list):
        return _tidy_chain(long)
    if kind == "concat" and isinstance(long.get("branches"), list):
        return _tidy_concat(long)
    if kind in ("block", "repeat") and "body" in long:
        return MarkedDict({**long, "body": tidy(long["body"])}, long.line, long.lines)
    if kind == "dag" and isinstance(long.get("nodes"), list):
        return MarkedDict({**long, "nodes": tidy_nodes(long["nodes"], tidy)}, long.line, long.lines)
    return long


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
        return f"{head!r} stands alone, or takes fields: {{{head}: ...}}"
    return did_you_mean(head, (*RESERVED, *FACTORS))
