"""From a network to its point: matching a template against a value, with backtracking over choices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from inception_search.errors import LimitError, NotInSpaceError, shorten
from inception_search.space.holes import Choice, Float, Integer, Params
from inception_search.spec.limits import MAX_MATCHES
from inception_search.spec.model import SpecModel
from inception_search.spec.network import Network
from inception_search.spec.step import Absent, AnyStep, Chain, Concat, Identity
from inception_search.spec.text import text

UNCOMPARED = ("name", "source", "schema_", "schema", "version")


def encode(template: dict[str, Any], network: Network) -> Params:
    """The point at which ``network`` lies (its name and source do not count).

    Raises :class:`NotInSpaceError` with the path that fits least badly and what was found there, and
    :class:`LimitError` when the template can be matched in too many ways to try them all.
    """
    matcher = _Matcher(network)
    try:
        for params in matcher.model(template, network, "", {}):
            return params
    except RecursionError:
        raise LimitError("the space has too many steps to find the point of a network in it") from None
    raise matcher.error()


class _Matcher:
    """Generators of bindings: each yields every way its part can match; failures are noted for the error."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.furthest = (-1, -1)
        self.path = ""
        self.problem = "it does not have the form of the template"
        self.wanted: list[str] = []
        self.tried = 0

    def error(self) -> NotInSpaceError:
        path = self.path.removeprefix("stages.")
        return NotInSpaceError(self.problem + " or ".join(self.wanted), path=path or None)

    @cached_property
    def order(self) -> dict[str, int]:
        """The position of every path of the network, in the order they are matched."""
        return {path: index for index, path in enumerate(_paths(self.network, ""))}

    def fail(self, path: str, problem: str, bound: Params, wanted: str = "") -> None:
        """Note a mismatch; the one furthest into the network is reported, with all that was ``wanted`` there."""
        known = path
        while known and known not in self.order:
            known = known.rpartition(".")[0]
        reached = (self.order.get(known, -1), len(bound))
        if reached > self.furthest:
            self.furthest, self.path, self.problem, self.wanted = reached, path, problem, [wanted]
        elif (path, problem) == (self.path, self.problem) and wanted not in self.wanted:
            self.wanted.append(wanted)

    def model(self, template: dict[str, Any], value: SpecModel, path: str, bound: Params) -> Iterator[Params]:
        """Match the fields of a model; a field the template leaves out must be at its default."""
        fields = [name for name in type(value).model_fields if name != "kind" and name not in UNCOMPARED]
        yield from self._fields(fields, template, value, path, bound)

    def _fields(
        self, fields: list[str], template: dict[str, Any], value: SpecModel, path: str, bound: Params
    ) -> Iterator[Params]:
        if not fields:
            yield bound
            return
        name, rest = fields[0], fields[1:]
        item = getattr(value, name)
        place = _join(path, name)
        if name not in template:
            default = type(value).model_fields[name].default
            if item == default:
                yield from self._fields(rest, template, value, path, bound)
            else:
                self.fail(place, f"{_plain(item)} is not the template's ", bound, str(_plain(default)))
            return
        for now in self.value(template[name], item, place, bound):
            yield from self._fields(rest, template, value, path, now)

    def value(self, template: Any, value: Any, path: str, bound: Params) -> Iterator[Params]:
        """Match any template node against any value."""
        if isinstance(template, Choice):
            yield from self.choice(template, value, path, bound)
        elif isinstance(template, Integer | Float):
            yield from self.number(template, value, path, bound)
        elif isinstance(template, dict) and "kind" in template:
            yield from self.step(template, value, path, bound)
        elif isinstance(template, dict) and isinstance(value, SpecModel):
            yield from self.model(template, value, path, bound)
        elif isinstance(template, dict) and isinstance(value, dict):
            yield from self.mapping(template, value, path, bound)
        elif isinstance(template, list) and isinstance(value, tuple) and _has_holes(template, value):
            yield from self.values(template, value, path, 0, bound)
        elif template == (list(value) if isinstance(value, tuple) else value):
            yield bound
        else:
            self.fail(path, f"{_plain(value)} is not the template's ", bound, str(_plain(template)))

    def choice(self, hole: Choice, value: Any, path: str, bound: Params) -> Iterator[Params]:
        for label, option, now in self.options(hole, bound):
            del label
            yield from self.value(option, value, path, now)

    def values(
        self, templates: list[Any], values: tuple[Any, ...], path: str, at: int, bound: Params
    ) -> Iterator[Params]:
        """Match the items of a list of fields, such as a kernel."""
        if at == len(templates):
            yield bound
            return
        for now in self.value(templates[at], values[at], f"{path}.{at}", bound):
            yield from self.values(templates, values, path, at + 1, now)

    def options(self, hole: Choice, bound: Params) -> Iterator[tuple[str, Any, Params]]:
        """The options still open for a hole, each with the bindings that choose it."""
        for label, option in hole.options.items():
            if bound.get(hole.name, label) == label:
                self.tried += 1
                if self.tried > MAX_MATCHES:
                    mend = "let steps in a row that may be absent differ in something"
                    raise LimitError("the template can be matched in too many ways", path=hole.name, mend=mend)
                yield label, option, {**bound, hole.name: label}

    def number(self, hole: Integer | Float, value: Any, path: str, bound: Params) -> Iterator[Params]:
        if isinstance(value, tuple) and len(set(value)) == 1:
            value = value[0]  # a square kernel, from a hole of one number
        problem = hole.why_not(value) if isinstance(value, int | float) else f"{_plain(value)} is no number"
        if problem is None and bound.get(hole.name, value) != value:
            problem = f"{value} is not {bound[hole.name]}, the value {hole.name!r} has elsewhere"
        if problem is None:
            yield {**bound, hole.name: value}
        else:
            self.fail(path, problem, bound)

    def mapping(self, template: dict[str, Any], value: dict[str, Any], path: str, bound: Params) -> Iterator[Params]:
        if list(template) != list(value):
            self.fail(path, f"{', '.join(value)} are not the template's {', '.join(template)}", bound)
            return
        yield from self._items(list(template), template, value, path, bound)

    def _items(
        self, keys: list[str], template: dict[str, Any], value: dict[str, Any], path: str, bound: Params
    ) -> Iterator[Params]:
        if not keys:
            yield bound
            return
        for now in self.value(template[keys[0]], value[keys[0]], _join(path, keys[0]), bound):
            yield from self._items(keys[1:], template, value, path, now)

    def step(self, template: dict[str, Any], value: Any, path: str, bound: Params) -> Iterator[Params]:
        kind = template["kind"]
        if kind == "chain":
            yield from self.series(template["steps"], _steps(value), path, 0, bound)
        elif kind == "concat":
            for branches in _branches(value):
                yield from self.parallel(template["branches"], branches, _join(path, "branches"), 0, bound)
        elif isinstance(value, SpecModel) and getattr(value, "kind", None) == kind:
            yield from self.model(template, value, path, bound)
        else:
            found = getattr(value, "kind", _plain(value))
            self.fail(path, f"{found} is not the template's ", bound, str(kind))

    def series(
        self, templates: list[Any], values: tuple[AnyStep, ...], path: str, at: int, bound: Params
    ) -> Iterator[Params]:
        """Match steps in series: chains are spliced, an identity takes no step."""
        if not templates:
            yield from self._end(values, f"{path}.{at}", bound)
            return
        first, rest = templates[0], templates[1:]
        if isinstance(first, Choice):
            for _, option, now in self.options(first, bound):
                yield from self.series([option, *rest], values, path, at, now)
        elif first.get("kind") == "chain":
            yield from self.series([*first["steps"], *rest], values, path, at, bound)
        elif first.get("kind") == "identity":
            yield from self.series(rest, values, path, at, bound)
        elif first.get("kind") == "concat":
            yield from self.concat_in_series(first, rest, values, path, at, bound)
        elif not values:
            self.fail(path, f"a {first.get('kind')} of the template is missing at the end", bound)
        else:
            for now in self.step(first, values[0], f"{path}.{at}", bound):
                yield from self.series(rest, values[1:], path, at + 1, now)

    def concat_in_series(
        self, first: dict[str, Any], rest: list[Any], values: tuple[AnyStep, ...], path: str, at: int, bound: Params
    ) -> Iterator[Params]:
        """A concat of several branches is one step; one branch that is left alone stands in the chain itself."""
        if values and isinstance(values[0], Concat):
            for now in self.step(first, values[0], f"{path}.{at}", bound):
                yield from self.series(rest, values[1:], path, at + 1, now)
        for index, branch in enumerate(first["branches"]):
            others = [*first["branches"][:index], *first["branches"][index + 1 :]]
            for now in self.parallel(others, (), f"{path}.{at}", 0, bound):
                yield from self.series([branch, *rest], values, path, at, now)

    def parallel(
        self, templates: list[Any], values: tuple[AnyStep, ...], path: str, at: int, bound: Params
    ) -> Iterator[Params]:
        """Match branches in order: an absent one takes none."""
        if not templates:
            yield from self._end(values, f"{path}.{at}", bound)
            return
        first, rest = templates[0], templates[1:]
        if isinstance(first, Choice):
            for _, option, now in self.options(first, bound):
                yield from self.parallel([option, *rest], values, path, at, now)
        elif first.get("kind") == "absent":
            yield from self.parallel(rest, values, path, at, bound)
        elif not values and first.get("kind") != "concat":
            self.fail(path, "a branch of the template is missing at the end", bound)
        else:
            if first.get("kind") == "concat":  # all of its branches may be absent
                for now in self.parallel(first["branches"], (), f"{path}.{at}", 0, bound):
                    yield from self.parallel(rest, values, path, at, now)
            if not values:
                return
            for now in self.value(first, values[0], f"{path}.{at}", bound):
                yield from self.parallel(rest, values[1:], path, at + 1, now)

    def _end(self, values: tuple[AnyStep, ...], path: str, bound: Params) -> Iterator[Params]:
        if values:
            self.fail(path, f"{_plain(values[0])} has no place in the template", bound)
        else:
            yield bound


def _steps(value: Any) -> tuple[AnyStep, ...]:
    if isinstance(value, Chain):
        return value.steps
    return () if isinstance(value, Identity) else (value,)


def _branches(value: Any) -> tuple[tuple[AnyStep, ...], ...]:
    """The branches that a concat may have had: those of ``value``, or ``value`` as the only one left."""
    if isinstance(value, Concat):
        return (value.branches, (value,))
    return ((),) if isinstance(value, Absent) else ((value,),)


def _has_holes(template: list[Any], value: tuple[Any, ...]) -> bool:
    return len(template) == len(value) and any(isinstance(item, Choice | Integer | Float) for item in template)


def _paths(value: Any, path: str) -> Iterator[str]:
    """The path of ``value`` and of everything inside it."""
    yield path
    items: Iterable[tuple[Any, Any]]
    if isinstance(value, Chain):
        items = enumerate(value.steps)
    elif isinstance(value, SpecModel):
        items = value
    else:
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple) else ()
    for name, item in items:
        yield from _paths(item, _join(path, str(name)))


def _join(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part


def _plain(value: Any) -> str:
    if isinstance(value, AnyStep):
        return " ".join(text(value).split())
    if isinstance(value, tuple | list) and len(value) == 2:
        return "x".join(map(str, value))
    return value if isinstance(value, str) else shorten(value)
