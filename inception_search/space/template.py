"""Read a template: a network document whose values may be holes.

``{$choice: {label: sub-template, ...}}`` (or a list of values; ``$weights`` by label), ``{$int: [low, high, step]}``,
``{$float: [low, high, step]}``, each optionally with ``$log: true`` and ``$name``; ``{$many: [low, high], of: step}``
is a variable number of steps in series, branches or stages, each with holes of its own; ``{$of: 2*c}`` is a number
that follows the hole named ``c`` (``in``: the input channels). ``{$use: name}`` inserts an entry of ``define`` or of
the blocks; with ``$depth: n`` an entry may use itself, nested up to n times.

A hole's name is its place in the document; ``$name`` lets several holes share one value. Inside a ``$use``, a ``$name``
belongs to that use (``/name`` to the whole document), and two uses with the same ``$name`` share all their holes.
Holes at the same place of two options of a choice are one hole, with one domain.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, NamedTuple

from inception_search.errors import SpecError, did_you_mean
from inception_search.space import ranges
from inception_search.space.holes import Choice, Float, Hole, Integer, Many, Of
from inception_search.spec.documents.dialect import expand_input
from inception_search.spec.documents.parse import expand_aux, expand_network
from inception_search.spec.documents.shorthand import (
    Expander,
    is_hole,
    join,
    norm_of_conv,
    norm_of_network,
    one_or_pair,
    pair,
)
from inception_search.spec.documents.validation import field_names, model_inside
from inception_search.spec.documents.yaml_reader import MarkedDict, MarkedList
from inception_search.spec.limits import MAX_MANY, MAX_TEMPLATE_NODES, MAX_USE_DEPTH
from inception_search.spec.network import Network
from inception_search.spec.step import KINDS

# Kind of hole -> its options
HOLES = {
    "$choice": ("$name", "$weights"),
    "$int": ("$name", "$log"),
    "$float": ("$name", "$log"),
    "$many": ("of", "$name"),
    "$of": (),
    "$use": ("$name", "$depth"),
}
COMPOSITE = ("chain", "concat", "block", "repeat", "dag", "use")  # kinds of steps with inner steps
CONCRETE = ("schema", "version", "name", "source", "blocks", "stages", "aux")  # parts that cannot be holes
# Fields with short forms of values, by the end of their path
SHORT = {"input": expand_input, "conv_defaults.norm": norm_of_network, "norm": norm_of_conv}
SHORT |= {"kernel": pair, "padding": pair, "stride": one_or_pair, "dilation": one_or_pair}
_NAME = re.compile(r"/?[a-z][a-z0-9_]{0,63}\Z")
_AUX = re.compile(r"aux\.[a-z0-9_]+\Z")


class Template(NamedTuple):
    """The result of reading a template."""

    root: MarkedDict
    holes: dict[str, Hole]
    dynamic: frozenset[int]
    """The ids of the parts of ``root`` that have holes inside."""
    follows_input: bool
    """Whether a width follows input channels."""


class _TooDeepError(Exception):
    """A definition is nested in itself beyond its depth; the choice around it drops this option."""


class TemplateReader:
    """Turns the ``network`` part of a space document into a tree of long-form data and holes."""

    def __init__(self, define: dict[str, Any], file: str | None = None) -> None:
        self.define = define
        self.blocks: dict[str, Any] = {}
        self.expander = Expander(file, hole=self.step_hole)
        self.holes: dict[str, Hole] = {}
        self.scope: list[str] = []  # the names of the enclosing $use places
        self.using: list[str] = []
        self.sizes: dict[str, int] = {}
        self.count = 0
        self.followers: list[tuple[Of, str, int | None, tuple[str, ...]]] = []

    def network(self, raw: MarkedDict) -> Template:
        """The template of a network document with holes."""
        for part in CONCRETE:
            if is_hole(raw.get(part)):
                hint = "put holes inside its steps" if part in ("blocks", "stages", "aux") else "write it out"
                raise self.error("no hole is allowed here", part, raw.lines.get(part), hint=hint)
        blocks = raw.get("blocks")
        self.blocks = blocks if isinstance(blocks, dict) else {}
        try:
            root: MarkedDict = self.fields(expand_network(raw, self.expander), "")
        except _TooDeepError as deep:
            path, line, name = deep.args
            hint = f"put the $use of {name!r} inside {name!r} in a $choice that has an option without it"
            raise self.error(f"{name!r} can only end by using itself again", path, line, hint=hint) from None
        self.check(root, Network, "", raw.line)
        linked = _Linker(self)
        linked.link(root)
        return Template(root, linked.holes, frozenset(linked.dynamic), linked.follows_input)

    def fields(self, value: Any, path: str) -> Any:
        """``value`` with the holes of its fields read; those of steps are read before."""
        if isinstance(value, Choice | Integer | Float | Of):
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

    def check(self, node: Any, model: Any, path: str, line: int | None, kind: str = "") -> None:
        """Raise unless every field of the tree exists in its section or step (of a ``kind``)."""
        if isinstance(node, Choice | Many):
            for option in node.options.values() if isinstance(node, Choice) else node.items:
                self.check(option, model, path, line, kind)
        elif isinstance(node, Of) and node.name == "in" and (kind not in KINDS or kind in COMPOSITE):
            hint = "in is allowed in fields of a conv, a pool and other steps without inner steps"
            raise self.error("no input channels are known here", path, line, found=str(node), hint=hint)
        elif isinstance(node, MarkedList):
            for index, item in enumerate(node):
                self.check(item, None, join(path, index), line, kind)
        elif isinstance(node, MarkedDict):
            line = node.line or line
            kind = str(node.get("kind", ""))
            model = KINDS.get(kind, model)
            known = field_names(model)
            for name, item in node.items():
                mark, place = node.lines.get(name) or line, _inside(path, name)
                if name.startswith("$"):
                    raise self.error("no hole is allowed here", path, mark, found=name, hint="give each field its own")
                if known and name not in known:
                    facts = {"expected": f"one of {', '.join(known)}", "hint": did_you_mean(name, known)}
                    raise self.error("unknown field", place, mark, found=name, **facts)
                self.check(item, model_inside(model, name), place, mark, kind)

    def step_hole(self, raw: Any, path: str) -> Any:
        return self.hole(raw, path, step=True)

    def hole(self, raw: dict[str, Any], path: str, step: bool) -> Any:
        """The hole, or the inserted definition, of ``raw`` at ``path``."""
        line = getattr(raw, "line", None)
        kind = next((key for key in raw if key in HOLES), next(iter(raw)))
        if kind not in HOLES:
            hint = did_you_mean(kind, HOLES)
            raise self.error("unknown hole", path, line, found=kind, expected=", ".join(HOLES), hint=hint)
        for option in raw:
            if option not in (kind, *HOLES[kind]):
                known = ", ".join(HOLES[kind]) or None
                raise self.error(f"unknown option of {kind}", path, line, found=option, expected=known)
        if not isinstance(raw.get("$log", True), bool):
            raise self.error("$log is true or false", path, line, found=raw["$log"])
        if kind == "$use":
            return self.use(raw, path, line, step)
        if step and kind not in ("$choice", "$many"):
            hint = "write {$choice: {label: step, ...}}, or put the number in a field of a step"
            raise self.error("a number is not a step", path, line, found=kind, hint=hint)
        if kind == "$many" and not step:
            hint = "put it among the steps of a chain, the branches of a concat or the stages"
            raise self.error("$many is not allowed as the value of a field", path, line, hint=hint)
        try:
            return self.read(kind, raw, path, line, step)
        except ranges.RangeError as problem:
            raise self.error(problem.rule, path, line, **problem.facts) from None

    def read(self, kind: str, raw: dict[str, Any], path: str, line: int | None, step: bool) -> Any:
        if kind == "$of":
            follower = ranges.expression(raw[kind])
            self.followers.append((follower, path, line, tuple(self.scope)))
            return follower
        name = self.name(raw.get("$name"), path, line)
        hole: Hole
        if kind == "$choice":
            options = self.options(raw[kind], path, line, step)
            given = ranges.weights(raw.get("$weights"), _labels(raw[kind]))
            by_label = dict(zip(_labels(raw[kind]), given, strict=True)) if given else {}
            hole = Choice(name, options, path, tuple(by_label[label] for label in options) if given else None)
        elif kind == "$int":
            hole = ranges.integer(name, raw, path)
        elif kind == "$float":
            hole = ranges.real(name, raw, path)
        else:
            hole = self.many(name, raw, path, line)
        return self.register(replace(hole, line=line), path, line, named="$name" in raw)

    def many(self, name: str, raw: dict[str, Any], path: str, line: int | None) -> Many:
        """A variable number of steps: stages are named ``a1``, ``a2``, ...; other steps ``a.0``, ``a.1``, ..."""
        low, high = ranges.counts(raw["$many"], MAX_MANY)
        if "of" not in raw:
            raise self.error("$many has no of", path, line, expected="{$many: [low, high], of: step}")
        self.counted(_nodes(raw["of"]) * high, path, line)
        stage = "." not in path
        places = [f"{path}{i + 1}" if stage else join(path, i) for i in range(high)]
        return Many(name, low, high, path=path, items=tuple(self.step_tree(raw["of"], place, line) for place in places))

    def options(self, raw: Any, path: str, line: int | None, step: bool) -> dict[str, Any]:
        """The sub-templates of a choice by label; values of a list are their own labels."""
        if isinstance(raw, list):
            labelled = dict(zip(_labels(raw), raw, strict=True))
            if len(labelled) != len(raw):
                raise self.error("a choice has one option twice", path, line, found=raw, hint="keep one of the two")
            raw = labelled
        if not isinstance(raw, dict) or not raw:
            raise self.error("an empty choice", path, line, found=raw, expected="$choice: {label: sub-template, ...}")
        lines = getattr(raw, "lines", None) or {}
        options, deep = {}, None
        for label, item in raw.items():
            try:
                options[label] = self.option(item, path, lines.get(label) or line, step)
            except _TooDeepError as error:
                deep = error
        if not options and deep:
            raise deep
        return options

    def option(self, raw: Any, path: str, line: int | None, step: bool) -> Any:
        if step:
            return self.step_tree(raw, path, line)
        if _AUX.match(path):
            return self.fields(expand_aux(path.partition(".")[2], raw, self.expander), path)
        in_full = next((form for end, form in SHORT.items() if f".{path}".endswith(f".{end}")), _as_it_is)
        return self.fields(in_full(raw), path)

    def step_tree(self, raw: Any, path: str, line: int | None) -> Any:
        return self.fields(self.expander.step(raw, path, line), path)

    def use(self, raw: dict[str, Any], path: str, line: int | None, step: bool) -> Any:
        """An entry of ``define`` or a block, inserted here with holes of its own."""
        name = raw["$use"]
        known = {**self.blocks, **self.define}
        if not isinstance(name, str) or name not in known:
            hint = did_you_mean(str(name), known)
            expected = f"one of {', '.join(known) or 'none'}"
            raise self.error("unknown definition", path, line, found=name, expected=expected, hint=hint)
        self.check_depth(name, raw.get("$depth"), path, line)
        self.sizes.setdefault(name, _nodes(known[name]))
        self.counted(self.sizes[name], path, line)
        if "$name" in raw and not step and ranges.is_one_hole(known[name]):
            return self.fields(
                ranges.named(known[name], raw["$name"], line), path
            )  # at its own place, which is part of the hole's name
        if "$name" in raw:
            path = self.name(raw["$name"], path, line)  # the holes of all uses with this name have one place
        lines = getattr(self.define if name in self.define else self.blocks, "lines", {})
        self.using.append(name)
        self.scope.append(hole_name(path))
        try:
            inside = lines.get(name, line)
            return self.option(known[name], path, inside, step)
        finally:
            self.scope.pop()
            self.using.pop()

    def counted(self, nodes: int, path: str, line: int | None) -> None:
        """Count ``nodes`` that are about to be inserted; raise if the template becomes too large."""
        self.count += nodes
        if self.count > MAX_TEMPLATE_NODES or len(self.using) >= MAX_USE_DEPTH:
            raise self.error("the template is too large or too deep after inserting every $use", path, line)

    def check_depth(self, name: str, depth: Any, path: str, line: int | None) -> None:
        """Raise if ``name`` is used inside itself: :class:`_TooDeepError` beyond its depth, SpecError without one."""
        if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int) or depth < 1):
            raise self.error("not a depth", path, line, found=depth, expected="a whole number of 1 or more")
        if name in self.using and depth is None:
            chain = " -> ".join((*self.using, name))
            hint = "write the inner one in full, or limit the depth: {$use: " + name + ", $depth: 2}"
            raise self.error(f"a definition contains itself: {chain}", path, line, hint=hint)
        if self.using.count(name) > (depth or 0):
            raise _TooDeepError(path, line, name)

    def name(self, given: Any, path: str, line: int | None) -> str:
        if given is None:
            return hole_name(path)
        if not isinstance(given, str) or not _NAME.match(given) or given == "in":
            expected = "lower-case letters, digits and _ (not 'in', the input channels), after / for the whole document"
            raise self.error("not a name", path, line, found=given, expected=expected)
        if given.startswith("/"):
            return given[1:]
        return f"{self.scope[-1]}.{given}" if self.scope else given

    def register(self, hole: Hole, path: str, line: int | None, named: bool) -> Hole:
        """``hole``; raises unless its name is new, or has the same domain as before.

        Holes at two places may only share a name by ``$name``.
        """
        known = self.holes.setdefault(hole.name, hole)
        if type(known) is not type(hole) or not _same_domain(known, hole):
            hint = "give one of the two holes a $name of its own"
            raise self.error(f"{hole.name!r} names two holes with different domains", path, line, hint=hint)
        if known.path != path and not named:
            hint = "give one of the two holes a $name"
            raise self.error(f"{hole.name!r} names two holes, here and at {known.path}", path, line, hint=hint)
        return hole

    def error(self, rule: str, path: str, line: int | None, **facts: Any) -> SpecError:
        return self.expander.error(rule, path, line, **facts)


class _Linker:
    """A walk over a template that collects its holes and the parts with holes, and resolves followers."""

    def __init__(self, reader: TemplateReader) -> None:
        self.reader = reader
        self.holes: dict[str, Hole] = {}
        self.dynamic: set[int] = set()
        self.follows_input = False
        self.places = {id(follower): (path, line, scopes) for follower, path, line, scopes in reader.followers}

    def link(self, node: Any) -> bool:
        """Replace the followers inside ``node`` by ones with their hole; return whether ``node`` has holes."""
        if isinstance(node, Choice):
            self.holes.setdefault(node.name, node)
            self.inside(node.options, node.options.items())
        elif isinstance(node, Many):
            self.holes.setdefault(node.name, node)
            for item in node.items:
                self.link(item)
        elif isinstance(node, Integer | Float):
            self.holes.setdefault(node.name, node)
        elif isinstance(node, dict | list):
            if not self.inside(node, node.items() if isinstance(node, dict) else enumerate(node)):
                return False
            self.dynamic.add(id(node))
        else:
            return isinstance(node, Of)
        return True

    def inside(self, container: Any, items: Any) -> bool:
        found = False
        for key, item in list(items):
            if isinstance(item, Of):
                container[key] = self.linked(item)
                found = True
            else:
                found = self.link(item) or found
        return found

    def linked(self, follower: Of) -> Of:
        if follower.name == "in":
            self.follows_input = True
            return follower
        path, line, scopes = self.places[id(follower)]
        for scope in (*reversed(scopes), ""):
            hole = self.reader.holes.get(f"{scope}.{follower.name}" if scope else follower.name)
            if type(hole) is Integer:
                self.holes.setdefault(hole.name, hole)
                return replace(follower, hole=hole)
        known = [name for name, hole in self.reader.holes.items() if type(hole) is Integer and "." not in name]
        hint = did_you_mean(follower.name, known) or "give the followed integer this $name"
        raise self.reader.error("no integer has this name", path, line, found=str(follower), hint=hint)


def hole_name(path: str) -> str:
    """The name of the hole at ``path``: ``blocks.module.body.branches.1.0.width`` is ``module.b1.0.width``."""
    path = re.sub(r"(^|\.)branches\.(\d+)", r"\1b\2", path)
    return re.sub(r"^blocks\.|(?<=\.)body\.", "", path)


def _same_domain(one: Any, other: Any) -> bool:
    if isinstance(one, Choice):
        return bool(one.domain == other.domain)
    return bool(one == other)


def _labels(raw: Any) -> list[str]:
    return [_label(value) for value in raw] if isinstance(raw, list) else list(raw)


def _label(value: Any) -> str:
    """The label of an option that is a plain value: its JSON text, without quotes."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_it_is(value: Any) -> Any:
    return value


def _nodes(value: Any) -> int:
    """The number of values in ``value``, itself included."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_nodes, items))


def _inside(path: str, key: str | int) -> str:
    return path if key in ("steps", "stages") else join(path, key)
