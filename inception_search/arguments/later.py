"""The names in annotations, resolved when a function is first called, without importing heavy packages."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

# Names that modules import for type checkers only, and the module of each.
ALIASES = {
    "AnyStep": "inception_search.spec.step",
    "Same": "inception_search.spec.factorisation",
    "Path": "pathlib",
    "random": "random",
    "Number": "inception_search.measures.measure",
}
PACKAGES = ("inception_search", "torch", "optuna")


class _LaterType(type):
    """Metaclass that resolves ``torch.Tensor`` in an annotation without importing torch."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return named(name)


class Later(metaclass=_LaterType):
    """A placeholder, by name, for a class of this package, torch or Optuna that need not be imported."""

    @classmethod
    def has(cls, value: Any) -> bool:
        """Whether ``value`` is an instance of the class."""
        bases = type(value).__mro__
        return any(base.__name__ == cls.__name__ and base.__module__.split(".")[0] in PACKAGES for base in bases)


def named(name: str) -> Any:
    """The class called ``name``."""
    return _LaterType(name, (Later,), {})


class Names(Mapping[str, Any]):
    """The namespace in which annotations are evaluated: the function's module, builtins, then :data:`ALIASES`."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self.known = known

    def __getitem__(self, name: str) -> Any:
        if name in self.known:
            return self.known[name]
        if hasattr(builtins, name):
            return getattr(builtins, name)
        if name not in ALIASES:
            return named(name)
        module = import_module(ALIASES[name])
        return getattr(module, name, module)

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)


def resolved(annotation: Any, known: Mapping[str, Any]) -> Any:
    """A text annotation evaluated with the names of its module; other annotations are returned unchanged."""
    return eval(annotation, {}, Names(known)) if isinstance(annotation, str) else annotation
