"""A filled template as long-form data with line numbers, to find errors in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from inception_search.space.build import PAIRED
from inception_search.space.holes import Bindings, Choice, Float, Integer, Many, Of
from inception_search.space.template import Template
from inception_search.spec.documents.parse import tidy_network
from inception_search.spec.documents.shorthand import tidy
from inception_search.spec.documents.validation import lines_of
from inception_search.spec.documents.yaml_reader import MarkedDict
from inception_search.spec.source_map import KeyPath


def rendered(template: Template, bindings: Bindings) -> MarkedDict:
    """The document of ``template`` at the point ``bindings``."""
    return _Writer(bindings).document(template.root)


class Lines(Mapping[KeyPath, int]):
    """The line of every place of a filled template, computed on first use."""

    def __init__(self, template: Template, bindings: Bindings) -> None:
        self.template = template
        self.bindings = bindings
        self.found: dict[KeyPath, int] | None = None

    def lines(self) -> dict[KeyPath, int]:
        """The lines by place."""
        if self.found is None:
            self.found = lines_of(tidy_network(rendered(self.template, self.bindings)))
        return self.found

    def __reduce__(self) -> tuple[type[dict[KeyPath, int]], tuple[dict[KeyPath, int]]]:
        return (dict, (self.lines(),))

    def __getitem__(self, place: KeyPath) -> int:
        return self.lines()[place]

    def __iter__(self) -> Iterator[KeyPath]:
        return iter(self.lines())

    def __len__(self) -> int:
        return len(self.lines())


def _is_absent(step: Any) -> bool:
    return isinstance(step, MarkedDict) and bool(tidy(step).get("kind") == "absent")


class _Items(list[Any]):
    """Several parts in the place of one."""


class _Writer:
    def __init__(self, bindings: Bindings) -> None:
        self.bindings = bindings
        self.followed = iter(bindings.followed)

    def document(self, root: MarkedDict) -> MarkedDict:
        filled = {key: self.section(value) if key in ("blocks", "stages", "aux") else self.value(value)
                  for key, value in root.items()}  # fmt: skip
        return MarkedDict(filled, root.line, root.lines)

    def section(self, entries: Any) -> Any:
        """Stages, blocks or auxiliary classifiers: entries of a ``$many`` are numbered, absent ones dropped."""
        if not isinstance(entries, dict):
            return self.value(entries)
        out: dict[str, Any] = {}
        for name, node in entries.items():
            part = self.value(node)
            if isinstance(part, _Items):
                out |= {f"{name}{index + 1}": item for index, item in enumerate(part)}
            elif not (isinstance(node, Choice) and (part is None or _is_absent(part))):
                out[name] = part
        return MarkedDict(out, getattr(entries, "line", None), getattr(entries, "lines", None))

    def value(self, node: Any) -> Any:
        if isinstance(node, Choice):
            return self.value(node.options[self.bindings[node.name]])
        if isinstance(node, Many):
            return _Items(self.flat(node.items[: self.bindings[node.name]]))
        if isinstance(node, Of):
            return self.follow(node)
        if isinstance(node, Integer | Float):
            return self.bindings[node.name]
        if isinstance(node, MarkedDict):
            return self.mapping(node)
        if isinstance(node, list):
            return list(self.flat(node))
        return node

    def flat(self, nodes: Iterable[Any]) -> Iterator[Any]:
        """The values of ``nodes``; a node may have several."""
        for part in map(self.value, nodes):
            yield from part if isinstance(part, _Items) else (part,)

    def follow(self, node: Of) -> int:
        """The number that the builder computed; 1 for numbers after the one where it stopped."""
        return self.bindings.follow(node, 1) if node.hole is not None else next(self.followed, 1)

    def mapping(self, node: MarkedDict) -> Any:
        filled = {key: self.value(value) for key, value in node.items()}
        for name in PAIRED:
            if isinstance(filled.get(name), int):  # one number from a hole
                filled[name] = [filled[name]] * 2
        for key, part in filled.items():
            if isinstance(part, _Items):  # a body of several steps
                filled[key] = MarkedDict({"kind": "chain", "steps": list(part)}, node.line)
        is_hole = node.get("kind") == "repeat" and isinstance(node.get("times"), Choice | Integer)
        if is_hole and filled["times"] == 1 and "body" in filled:
            return filled["body"]
        return MarkedDict(filled, node.line, node.lines)
