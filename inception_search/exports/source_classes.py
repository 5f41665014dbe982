"""Which modules become one class, the arguments of each class, and the text of the classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from itertools import groupby
from typing import Any, TypeAlias

from inception_search.exports.source_layers import act_call, exact_unit_name, norm_call, unit_name, unit_words
from inception_search.exports.source_layout import (
    WIDTH,
    Brackets,
    Code,
    assignment,
    call,
    docstring,
    flat,
    layout,
    repeated,
    with_prefix,
)
from inception_search.exports.source_tree import (
    Call,
    Copies,
    Items,
    Leaf,
    Num,
    Scope,
    Unit,
    calls_in,
    numbers_in,
    scopes_in,
    shape_of,
)
from inception_search.exports.source_words import class_name, numbered, unique

MOST_ARGUMENTS = 8  # a class with more is printed once for each set of numbers
SHORTEST_POSITIONAL = 3  # numbers beside the input channels from which a call has no names
POSITIONAL = ("in_channels", "channels", "num_classes")  # arguments that calls never name; they come first
SHORT_DOC = WIDTH - 14  # characters of a docstring and its stages that fit on a line
Names: TypeAlias = dict[Leaf, str]  # the numbers that are arguments of the class that is being printed


@dataclass
class Class:
    """The scopes that become one class. ``arguments`` are the names and the positions of their leaves."""

    leaves: list[tuple[Leaf, ...]] = field(default_factory=list)  # of each scope
    scopes: list[Scope] = field(default_factory=list)
    name: str = ""
    arguments: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def inline(self) -> bool:
        """Whether the class is printed in place."""
        return self.scopes[0].optional and len(self.scopes) == 1

    def names(self) -> Names:
        """The names of the leaves of the first scope, whose text is printed."""
        return {self.leaves[0][index]: name for name, indices in self.arguments.items() for index in indices}


class Printer:
    """The classes of a network and their text."""

    def __init__(self, network: Scope, name: str, reserved: set[str]) -> None:
        self.root, self.name = network, name
        self.taken = {name, *reserved}
        self.units = self._name_units()
        self.classes, self.of_scope = self._classes()

    def _name_units(self) -> dict[Unit, str]:
        units = list(dict.fromkeys(each.func for each in calls_in(self.root) if isinstance(each.func, Unit)))
        names: dict[Unit, str] = {}
        usual = [unit_name(unit) for unit in units]
        for unit, name in zip(units, usual, strict=True):
            several = len({other.act for other in units if unit_name(other) == name}) > 1
            names[unit] = numbered(exact_unit_name(unit) if several else name, self.taken)
            self.taken.add(names[unit])
        return names

    # Classes and their arguments

    def _classes(self) -> tuple[list[Class], dict[Scope, Class]]:
        groups: dict[Any, Class] = {}
        for scope in scopes_in(self.root):
            if scope is not self.root:
                shape = shape_of(scope)
                group = groups.setdefault(shape.structure, Class())
                group.scopes.append(scope)
                group.leaves.append(shape.leaves)
        classes = [part for group in groups.values() for part in _readable(group)]
        for each in classes:
            if not each.inline:
                each.name = class_name([scope.hint for scope in each.scopes], self.taken)
                self.taken.add(each.name)
        return classes, {scope: each for each in classes for scope in each.scopes}

    # Expressions

    def code(self, value: Any, names: Names) -> Code:
        """``value`` in a class with arguments ``names``."""
        if isinstance(value, Num):
            return num_text(value, names)
        if isinstance(value, Call):
            return self._call(value, names)
        if isinstance(value, Scope):
            return self._scope(value, names)
        if isinstance(value, Items):
            return Brackets("[", tuple(self.code(item, names) for item in value.items), "]")
        if isinstance(value, str | Brackets):
            return value
        return repr(value)

    def _call(self, value: Call, names: Names) -> Code:
        func = value.func if isinstance(value.func, str) else self.units[value.func]
        items: list[Code] = []
        for arg in value.args:
            items += self._copies(arg, names) if isinstance(arg, Copies) else [self.code(arg, names)]
        items += [with_prefix(f"{name}=", self.code(option, names)) for name, option in value.options]
        return call(func, *items)

    def _copies(self, value: Copies, names: Names) -> list[Code]:
        """The copies of a repeat: equal neighbours as one generator expression."""
        items: list[Code] = []
        for _, run in groupby([self.code(item, names) for item in value.items], key=flat):
            copies = list(run)
            items += copies if len(copies) == 1 else [repeated(copies[0], len(copies))]
        return items

    def _scope(self, scope: Scope, names: Names) -> Code:
        made = self.of_scope[scope]
        if made.inline:
            inside = names | {scope.inner: num_text(scope.outer, names)}
            return call(scope.base, *(self.code(part, inside) for _, part in scope.parts))
        leaves = made.leaves[made.scopes.index(scope)]
        given: list[str] = []
        named = len(made.arguments) <= SHORTEST_POSITIONAL and not scope.generic
        for name, indices in made.arguments.items():
            leaf = leaves[indices[0]]
            text = num_text(scope.outer if leaf is scope.inner else Num(((leaf, 1),)), names)
            given.append(text if not named or name in POSITIONAL else f"{name}={text}")
        return call(made.name, *given)

    # Text

    def text(self) -> Iterator[str]:
        """The lines of all classes but the network's."""
        for unit, name in self.units.items():
            yield from ("", "")
            yield from self._unit_class(unit, name)
        for each in self.classes:
            if not each.inline:
                yield from ("", "")
                yield from self._class(each)

    def _class(self, made: Class) -> Iterator[str]:
        scope, names = made.scopes[0], made.names()
        parameters = [f"{name}: int" for name in made.arguments]
        yield from class_start(made.name, scope.base, scope.doc + _places(made), parameters)
        if scope.base == "nn.Sequential":
            yield from layout(call("super().__init__", *(self.code(part, names) for _, part in scope.parts)), 2)
            return
        yield "        super().__init__()"
        yield from self.assignments(scope.parts, names)
        yield ""
        yield "    def forward(self, x: Tensor) -> Tensor:"
        for line in scope.forward:
            yield f"        {line}"

    def assignments(self, parts: Iterable[tuple[str, Any]], names: Names) -> Iterator[str]:
        """Modules as attributes of a class."""
        for name, part in parts:
            yield from assignment(f"self.{name}", self.code(part, names), 2)

    def _unit_class(self, unit: Unit, name: str) -> Iterator[str]:
        calls = [each for each in calls_in(self.root) if each.func == unit]
        parameters, layer = _linear(unit) if unit.layer == "linear" else _conv(unit, calls)
        width, dims = ("out_features", 1) if unit.layer == "linear" else ("out_channels", 2)
        modules: list[tuple[str, Any]] = [(unit.layer, layer)]
        if unit.norm:
            modules.append(("norm", norm_call(unit.norm, width, dims)))
        if unit.act:
            modules.append(("act", act_call(unit.act, inplace=True)))
        yield from class_start(name, "nn.Module", unit_words(unit), parameters)
        yield "        super().__init__()"
        yield from self.assignments(modules, {})
        if unit.layer == "conv" and unit.act and not unit.norm:  # as NetworkModule does: see backend.build
            yield '        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")'
            if unit.bias:
                yield "        nn.init.zeros_(self.conv.bias)"
        output = reduce(lambda value, module: f"self.{module[0]}({value})", modules, "x")
        yield from ("", "    def forward(self, x: Tensor) -> Tensor:", f"        return {output}")


def _linear(unit: Unit) -> tuple[list[str], Code]:
    """The parameters and the layer of a linear unit."""
    layer = call("nn.Linear", "in_features", "out_features", *(() if unit.bias else ("bias=False",)))
    return ["in_features: int", "out_features: int"], layer


def _conv(unit: Unit, calls: list[Call]) -> tuple[list[str], Code]:
    """The parameters that ``calls`` of a unit use, and its convolution."""
    given = {name: [value for each in calls for key, value in each.options if key == name] for name in _OPTIONS}
    kernels = [each.args[2] for each in calls]
    parameters = ["in_channels: int", "out_channels: int", f"kernel_size: {_kind(kernels)}"]
    items: list[Code] = ["in_channels", "out_channels", "kernel_size"]
    for name, default in _OPTIONS.items():
        if given[name]:
            parameters.append(f"{name}: {_kind(given[name])} = {default}")
            positional = name == "stride" or (name == "padding" and given["stride"])
            items.append(name if positional else f"{name}={name}")
    if not unit.bias:
        items.append("bias=False")
    return parameters, call("SameConv2d" if unit.same else "nn.Conv2d", *items)


_OPTIONS = {"stride": 1, "padding": 0, "groups": 1, "dilation": 1}


def _kind(values: list[Any]) -> str:
    return "int | tuple[int, int]" if any(isinstance(value, tuple) for value in values) else "int"


def class_start(name: str, base: str, doc: str, parameters: list[str]) -> Iterator[str]:
    """The lines of a class up to those inside ``__init__``."""
    yield f"class {name}({base}):"
    yield from docstring(doc, 1)
    yield ""
    yield from layout(Brackets("def __init__(", ("self", *parameters), ") -> None:"), 1)


def num_text(value: Num, names: Names) -> str:
    """A number of channels, with the names of those that are arguments."""
    constant, terms = 0, dict[str, int]()
    for leaf, factor in value.terms:
        if leaf in names and not names[leaf].isdecimal():
            terms[names[leaf]] = terms.get(names[leaf], 0) + factor
        else:  # a number, also that of the input of a Sequential that is printed in place
            constant += leaf.value * factor
    texts = [_term(name, factor) for name, factor in terms.items()]
    return " + ".join([*texts, *([str(constant)] if constant or not texts else [])])


def _term(name: str, factor: int) -> str:
    if factor == 1:
        return name
    return f"{factor} * {f'({name})' if ' ' in name else name}"


def _readable(group: Class) -> Iterator[Class]:
    """``group`` with its arguments, or a class for each set of numbers if there would be too many arguments."""
    _find_arguments(group)
    if len(group.arguments) <= MOST_ARGUMENTS:
        yield group
        return
    parts: dict[tuple[int, ...], Class] = {}
    for scope, leaves in zip(group.scopes, group.leaves, strict=True):
        part = parts.setdefault(tuple(leaf.value for leaf in leaves), Class())
        part.scopes.append(scope)
        part.leaves.append(leaves)
    for part in parts.values():
        _find_arguments(part)
        yield part


def _find_arguments(made: Class) -> None:
    """Name the arguments of a class, and sort them."""
    groups = _argument_groups(made)
    if made.scopes[0].generic:
        names = _generic_names(len(groups), parallel="cat" in made.scopes[0].forward[0])
    else:
        names = [_argument_name(made, indices) for indices in groups]
    arguments = dict(zip(unique(names), map(tuple, groups), strict=True))
    made.arguments = dict(sorted(arguments.items(), key=lambda item: item[0] not in POSITIONAL))


def _argument_groups(made: Class) -> list[list[int]]:
    """Numbers that differ are arguments; those that always agree are one. The input channels always are one."""
    first = made.scopes[0]
    bound = {scope.inner for scope in scopes_in(first) if scope is not first}
    used = {leaf for value in numbers_in(first) for leaf, _ in value.terms}
    groups: dict[Any, list[int]] = {}
    for index, leaf in enumerate(made.leaves[0]):
        if leaf in bound or leaf not in used:
            continue
        values = tuple(leaves[index].value for leaves in made.leaves)
        if first.generic or leaf.always:
            groups[index] = [index]
        elif len(set(values)) > 1:
            groups.setdefault(values, []).append(index)
        elif leaf is first.inner:
            groups[index] = [index]
    return list(groups.values())


def _argument_name(made: Class, indices: list[int]) -> str:
    leaves = [made.leaves[0][index] for index in indices]
    inner = made.scopes[0].inner
    if leaves == [inner]:
        return "in_channels"
    if inner in leaves:
        return "channels"
    roles = list(dict.fromkeys(leaf.role for leaf in leaves))
    if len(roles) == 1:
        return roles[0]
    return "width" if any(role.startswith("width") for role in roles) else "mid_channels"


def _generic_names(count: int, *, parallel: bool) -> list[str]:
    return ["in_channels", "half_channels"] if parallel else ["in_channels", "mid_channels", "out_channels"][:count]


def _places(made: Class) -> str:
    """The end of a docstring: the stages that have the class, on a line of their own if the line is too long."""
    stages = list(dict.fromkeys(scope.stage for scope in made.scopes))
    if made.scopes[0].generic or stages in (["head"], ["aux"]):
        return "."
    text = f"{stages[0]} to {stages[-1]}" if len(stages) > 4 else ", ".join(stages)
    text = f"stage{'s' if len(stages) > 1 else ''} {text}"
    short = len(made.scopes[0].doc) + len(text) < SHORT_DOC
    return f" ({text})." if short else f".\n\nUsed in {text}."
