"""Reading a template: a network document whose values may be holes.

``{$choice: {label: sub-template, ...}}`` (or a list of values), ``{$int: [low, high, step]}``, ``{$float: [low,
high]}``, each optionally with ``$log: true`` and ``$name``; ``{$use: name}`` writes out an entry of ``define``.
A hole's name is its place in the document; ``$name`` lets several holes share one value. Inside a ``$use`` a
``$name`` belongs to that use. Options of a choice share the names of the holes inside them: a hole at the same
place of two options is one hole, with one domain.
"""

from __future__ import annotations

import re
from typing import Any

from inception_search.errors import SpecError, did_you_mean
from inception_search.space.holes import Choice, Float, Hole, Integer
from inception_search.spec.document import expand_network, field_names, model_inside, norm_in_full
from inception_search.spec.limits import MAX_TEMPLATE_NODES, MAX_USE_DEPTH
from inception_search.spec.network import Network
from inception_search.spec.shorthand import Expander, expand_input, is_hole, join, kernel
from inception_search.spec.step import KINDS
from inception_search.spec.yaml_reader import MarkedDict, MarkedList

# Kind of hole -> the options it takes
HOLES = {"$choice": ("$name",), "$int": ("$name", "$log"), "$float": ("$name", "$log"), "$use": ()}
CONCRETE = ("schema", "version", "name", "source", "blocks", "stages", "aux")  # parts that no hole stands for
# Fields whose values have short forms, by the end of their path
SHORT = {"kernel": kernel, "input": expand_input, "conv_defaults.norm": norm_in_full}


class TemplateReader:
    """Turns the ``network`` part of a space document into a tree of long-form data and holes."""

    def __init__(self, define: dict[str, Any], file: str | None = None) -> None:
        self.define = define
        self.expander = Expander(file, hole=self.step_hole)
        self.holes: dict[str, Hole] = {}
        self.scope: list[str] = []  # the names of the enclosing $use places
        self.using: list[str] = []
        self.sizes = {name: _nodes(raw) for name, raw in define.items()}
        self.count = 0

    def network(self, raw: MarkedDict) -> MarkedDict:
        """The template tree of a network document with holes."""
        for part in CONCRETE:
            if is_hole(raw.get(part)):
                mend = "put holes inside its steps" if part in ("blocks", "stages", "aux") else "write it out"
                raise self.error("no hole can stand here", part, raw.lines.get(part), mend=mend)
        template: MarkedDict = self.fields(expand_network(raw, self.expander), "")
        self.check(template, Network, "", raw.line)
        return template

    def fields(self, value: Any, path: str) -> Any:
        """``value`` with the holes of its fields read; steps have theirs already."""
        if isinstance(value, Choice | Integer | Float):
            return value
        if is_hole(value):
            return self.hole(value, path, step=False)
        if isinstance(value, dict):
            items = {k: self.fields(v, _inside(path, k)) for k, v in value.items()}
            return MarkedDict(items, getattr(value, "line", None), getattr(value, "lines", None))
        if isinstance(value, list):
            parts = [self.fields(v, _inside(path, i)) for i, v in enumerate(value)]
            return MarkedList(parts, getattr(value, "line", None), getattr(value, "lines", None))
        return value

    def check(self, node: Any, model: Any, path: str, line: int | None) -> None:
        """Every field of the tree is one that its step or section has."""
        if isinstance(node, Choice):
            for option in node.options.values():
                self.check(option, model, path, line)
        elif isinstance(node, MarkedList):
            for index, item in enumerate(node):
                self.check(item, None, join(path, index), line)
        elif isinstance(node, MarkedDict):
            line = node.line or line
            model = KINDS.get(str(node.get("kind")), model)
            known = field_names(model)
            for name, item in node.items():
                mark, place = node.lines.get(name) or line, _inside(path, name)
                if name.startswith("$"):
                    raise self.error("no hole can stand here", path, mark, found=name, mend="give each field its own")
                if known and name not in known:
                    facts = {"expected": f"one of {', '.join(known)}", "mend": did_you_mean(name, known)}
                    raise self.error("unknown field", place, mark, found=name, **facts)
                self.check(item, model_inside(model, name), place, mark)

    def step_hole(self, raw: Any, path: str) -> Any:
        return self.hole(raw, path, step=True)

    def hole(self, raw: dict[str, Any], path: str, step: bool) -> Any:
        """The hole (or written-out use) that ``raw`` stands for, at ``path``."""
        line = getattr(raw, "line", None)
        kind = next((key for key in raw if key in HOLES), next(iter(raw)))
        if kind not in HOLES:
            mend = did_you_mean(kind, HOLES)
            raise self.error("unknown hole", path, line, found=kind, expected=", ".join(HOLES), mend=mend)
        for option in raw:
            if option not in (kind, *HOLES[kind]):
                known = ", ".join(HOLES[kind]) or None
                raise self.error(f"unknown option of {kind}", path, line, found=option, expected=known)
        if not isinstance(raw.get("$log", True), bool):
            raise self.error("$log is true or false", path, line, found=raw["$log"])
        if kind == "$use":
            return self.use(raw[kind], path, line, step)
        if step and kind != "$choice":
            mend = "write {$choice: {label: step, ...}}, or put the number in a field of a step"
            raise self.error("a number is not a step", path, line, found=kind, mend=mend)
        hole = self.read(kind, raw, path, line, step)
        return self.register(hole, path, line, named="$name" in raw)

    def read(self, kind: str, raw: dict[str, Any], path: str, line: int | None, step: bool) -> Hole:
        name = self.name(raw, path, line)
        if kind == "$choice":
            return Choice(name, self.options(raw[kind], path, line, step), path)
        if kind == "$int":
            return self.integer(name, raw, path, line)
        bounds = self.numbers(raw[kind], path, line, (int, float), (2,))
        if not bounds[0] < bounds[1] or (raw.get("$log") and bounds[0] <= 0):
            raise self.error("a range without members", path, line, found=raw[kind], expected="[low, high], low < high")
        return Float(name, float(bounds[0]), float(bounds[1]), raw.get("$log") is True, path)

    def integer(self, name: str, raw: dict[str, Any], path: str, line: int | None) -> Integer:
        numbers = self.numbers(raw["$int"], path, line, (int,), (2, 3))
        low, high, step = (*numbers, 1)[:3]
        log = raw.get("$log") is True
        if low > high or step < 1 or (high - low) % step or (log and (low < 1 or step != 1)):
            expected = "[low, high, step] with low <= high and high on the steps; $log needs low >= 1 and no step"
            raise self.error("a range without members", path, line, found=list(numbers), expected=expected)
        return Integer(name, low, high, step, log, path)

    def numbers(
        self, raw: Any, path: str, line: int | None, kinds: tuple[type, ...], lengths: tuple[int, ...]
    ) -> tuple[Any, ...]:
        fits = isinstance(raw, list) and len(raw) in lengths
        if not fits or any(isinstance(n, bool) or not isinstance(n, kinds) for n in raw):
            raise self.error("not a range", path, line, found=raw, expected="[low, high] or [low, high, step]")
        return tuple(raw)

    def options(self, raw: Any, path: str, line: int | None, step: bool) -> dict[str, Any]:
        """The sub-templates of a choice by label; values of a list are their own labels."""
        if isinstance(raw, list):
            labelled = {_label(value): value for value in raw}
            if len(labelled) != len(raw):
                raise self.error("a choice has one option twice", path, line, found=raw, mend="keep one of the two")
            raw = labelled
        if not isinstance(raw, dict) or not raw:
            raise self.error("an empty choice", path, line, found=raw, expected="$choice: {label: sub-template, ...}")
        lines = getattr(raw, "lines", {})
        if step:
            return {label: self.step_tree(item, path, lines.get(label) or line) for label, item in raw.items()}
        in_full = next((form for end, form in SHORT.items() if f".{path}".endswith(f".{end}")), _as_it_is)
        return {label: self.fields(in_full(value), path) for label, value in raw.items()}

    def step_tree(self, raw: Any, path: str, line: int | None) -> Any:
        return self.fields(self.expander.step(raw, path, line), path)

    def use(self, name: Any, path: str, line: int | None, step: bool) -> Any:
        """The entry ``name`` of ``define``, written out here with holes of its own."""
        if not isinstance(name, str) or name not in self.define:
            mend = did_you_mean(str(name), self.define)
            known = ", ".join(self.define) or "none"
            raise self.error("unknown definition", path, line, found=name, expected=f"one of {known}", mend=mend)
        if name in self.using:
            chain = " -> ".join((*self.using, name))
            raise self.error(f"a definition contains itself: {chain}", path, line, mend="write the inner one out")
        self.count += self.sizes[name]
        if self.count > MAX_TEMPLATE_NODES or len(self.using) == MAX_USE_DEPTH:
            raise self.error("the template is too large or too deep with every $use written out", path, line)
        self.using.append(name)
        self.scope.append(hole_name(path))
        raw = self.define[name]
        line = getattr(self.define, "lines", {}).get(name, line)
        out = self.step_tree(raw, path, line) if step else self.fields(raw, path)
        self.scope.pop()
        self.using.pop()
        return out

    def name(self, raw: dict[str, Any], path: str, line: int | None) -> str:
        given = raw.get("$name")
        if given is None:
            return hole_name(path)
        if not isinstance(given, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", given):
            raise self.error("not a name", path, line, found=given, expected="lower-case letters, digits and _")
        return f"{self.scope[-1]}.{given}" if self.scope else given

    def register(self, hole: Hole, path: str, line: int | None, named: bool) -> Hole:
        """``hole``, once its name is new or stands for the same domain as before.

        Only a ``$name`` makes holes at two places one.
        """
        known = self.holes.setdefault(hole.name, hole)
        same = (
            known == hole if not isinstance(hole, Choice) else isinstance(known, Choice) and known.domain == hole.domain
        )
        if not same:
            mend = "give one of the two holes a $name of its own"
            raise self.error(f"{hole.name!r} names two holes with different domains", path, line, mend=mend)
        if known.path != path and not named:
            mend = "give one of the two holes a $name"
            raise self.error(f"{hole.name!r} names two holes, here and at {known.path}", path, line, mend=mend)
        return hole

    def error(self, rule: str, path: str, line: int | None, **facts: Any) -> SpecError:
        return self.expander.error(rule, path, line, **facts)


def hole_name(path: str) -> str:
    """The name of the hole at ``path``: ``blocks.module.body.branches.1.0.width`` is ``module.b1.0.width``."""
    path = re.sub(r"(^|\.)branches\.(\d+)", r"\1b\2", path)
    return re.sub(r"^blocks\.|(?<=\.)body\.", "", path)


def _label(value: Any) -> str:
    """The label of an option that is its own: as JSON writes it, text without quotes."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_it_is(value: Any) -> Any:
    return value


def _nodes(value: Any) -> int:
    """How many values there are in ``value``, itself included."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_nodes, items))


def _inside(path: str, key: str | int) -> str:
    return path if key in ("steps", "stages") else join(path, key)
