"""The values that an annotation accepts, and their description in errors; covers the ``typing`` that our functions use.

Numpy numbers and 0-d arrays and tensors count as numbers, any ``os.PathLike`` of text as a path, and a list as a
tuple. ``True`` is not a whole number, NaN is not a number, and bytes are not text.
"""

from __future__ import annotations

import math
import operator
import os
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from inspect import getattr_static
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from inception_search.arguments.later import Later

NO: Final = object()
"""The result of ``fit`` for a value that does not fit."""


@dataclass(frozen=True)
class Hint:
    """What one annotation accepts: ``fit`` converts a value, or returns :data:`NO`; ``words`` describe what fits."""

    words: tuple[str, ...]
    """Descriptions of the alternatives, in the order of the annotation."""
    fit: Callable[[Any], Any]
    plain: frozenset[type] = frozenset()
    """Types whose values always fit unchanged; this cheap test comes first."""
    literals: tuple[Any, ...] = ()
    classes: tuple[str, ...] = ()
    """Names of the classes whose instances fit."""
    each: Hint | None = None
    """The hint for one element, where the annotation is a sequence."""

    @property
    def text(self) -> str:
        """The alternatives joined into one phrase: ``a number, text or None``."""
        words = list(dict.fromkeys(self.words))
        return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


ANYTHING = Hint(("anything",), lambda value: value)
# The descriptions of these classes in errors.
WORDS = {
    "Network": "a network",
    "NetworkModule": "a model made by compile or load_model",
    "Space": "a search space",
    "Tensor": "a tensor",
    "HasNetwork": "a model made by compile or load_model",
    "Dataset": "a dataset",
    "Observer": "an Observer",
    "FinalsObserver": "a FinalsObserver",
    "Edit": "an edit",
    "Op": "an op",
    "Random": "a random.Random",
}
STEP = "a step"


def hint_of(annotation: Any) -> Hint:
    """The hint of an annotation; forward references are already resolved."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if annotation in PLAIN:
        return PLAIN[annotation]
    if origin is Annotated:
        return hint_of(inside[0])
    if origin is Literal:
        return _literal(inside)
    if origin in (Union, types.UnionType):
        return _union(tuple(hint_of(each) for each in inside))
    if origin is tuple:
        return _tuple(inside)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(*map(hint_of, inside))
    if origin is Callable:
        return _object("a function", callable)
    if origin is not None and issubclass(origin, Iterable):
        return _several(origin, hint_of(inside[0]))
    return _class(annotation)


def _object(words: str, accepts: Callable[[Any], bool], **more: Any) -> Hint:
    return Hint((words,), lambda value: value if accepts(value) else NO, **more)


def _class(kind: Any) -> Hint:
    if not isinstance(kind, type):  # a type variable accepts anything
        return ANYTHING
    if issubclass(kind, Later):
        return _object(_words(kind.__name__), kind.has, classes=(kind.__name__,))
    if getattr(kind, "_is_protocol", False):
        wanted = [name for name in vars(kind) if not name.startswith("_")]
        return _object(
            _words(kind.__name__),
            lambda value: all(getattr_static(value, name, NO) is not NO for name in wanted),  # computes no properties
        )
    words = STEP if kind.__module__.startswith("inception_search.spec") and "kind" in _fields(kind) else None
    return _object(
        words or _words(kind.__name__),
        lambda value: isinstance(value, kind),
        plain=frozenset({kind}),
        classes=(kind.__name__,),
    )


def _fields(kind: type) -> Any:
    return getattr(kind, "model_fields", ())


def _words(name: str) -> str:
    article = "an" if name[0] in "AEIOU" else "a"
    return WORDS.get(name, f"{article} {name}")


def _literal(values: tuple[Any, ...]) -> Hint:
    kinds = tuple({type(value) for value in values})
    words = f"one of {', '.join(str(value) or repr(value) for value in values)}"
    return _object(words, lambda value: isinstance(value, kinds) and value in values, literals=values)


def _union(hints: tuple[Hint, ...]) -> Hint:
    def fit(value: Any) -> Any:
        for hint in hints:
            if type(value) in hint.plain:
                return value
        return next((found for hint in hints if (found := hint.fit(value)) is not NO), NO)

    nothing = [hint for hint in hints if hint is PLAIN[None]]
    words = [word for hint in hints if hint is not PLAIN[None] for word in hint.words]
    if {"a network", "text", "a path"} <= {*words}:
        words = ["its name or path" if word == "text" else word for word in words if word != "a path"]
    return Hint(
        (*words, *(["None"] if nothing else [])),
        fit,
        frozenset().union(*(hint.plain for hint in hints)),
        tuple(value for hint in hints for value in hint.literals),
        tuple(name for hint in hints for name in hint.classes),
        next((hint.each for hint in hints if hint.each is not None), None),
    )


def _tuple(inside: tuple[Any, ...]) -> Hint:
    if len(inside) == 2 and inside[1] is ...:
        return _several(Sequence, hint_of(inside[0]), tuple)
    hints = [hint_of(each) for each in inside]

    def fit(value: Any) -> Any:
        if isinstance(value, str | bytes) or not isinstance(value, Sequence) or len(value) != len(hints):
            return NO
        found = tuple(_fitting(hint, item) for hint, item in zip(hints, value, strict=True))
        return NO if any(item is NO for item in found) else found

    return Hint((f"({', '.join(hint.text for hint in hints)})",), fit)


def _several(kind: type, of: Hint, made: Callable[[Any], Any] | None = None) -> Hint:
    """A collection of values. A string is not a list of strings, and iterators are not consumed here."""

    def fit(value: Any) -> Any:
        if not isinstance(value, kind) or isinstance(value, bytes | Mapping):
            return NO
        if isinstance(value, str):
            return NO if kind is not Iterable else value
        if not isinstance(value, Sequence | AbstractSet):
            return value
        found = [_fitting(of, item) for item in value]
        if any(item is NO for item in found):
            return NO
        return made(found) if made else value if all(map(operator.is_, found, value)) else found

    return Hint((f"a list (each of it {of.text})",), fit, each=of)


def _mapping(key: Hint, value: Hint) -> Hint:
    def fit(found: Any) -> Any:
        if not isinstance(found, Mapping):
            return NO
        fits = all(_fitting(key, k) is not NO and _fitting(value, v) is not NO for k, v in found.items())
        return found if fits else NO

    values = "" if value is ANYTHING else f" to {value.text}"
    return Hint((f"a mapping of {key.text}{values}",), fit)


def _fitting(hint: Hint, value: Any) -> Any:
    return value if type(value) in hint.plain else hint.fit(value)


def _scalar(value: Any) -> Any:
    """The number in a 0-d array, tensor or numpy number; other values are returned unchanged."""
    if isinstance(value, bool | int | float | str) or type(getattr(value, "shape", None)) is not tuple:
        return value
    try:
        return value.item() if len(value.shape) == 0 else value
    except Exception:  # an object that only resembles an array
        return value


def _whole(value: Any) -> Any:
    value = _scalar(value)
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else NO


def _number(value: Any) -> Any:
    value = _scalar(value)
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) and not math.isnan(value) else NO


def _flag(value: Any) -> Any:
    value = _scalar(value)
    return value if isinstance(value, bool) else NO


def _path(value: Any) -> Any:
    if isinstance(value, Path) or not isinstance(value, os.PathLike):
        return value if isinstance(value, Path) else NO
    text = os.fspath(value)
    return Path(text) if isinstance(text, str) else NO


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


_PATH = Hint(("a path",), _path)
PLAIN: dict[Any, Hint] = {
    Any: ANYTHING,
    object: ANYTHING,
    None: Hint(("None",), lambda value: value if value is None else NO, frozenset({type(None)})),
    bool: Hint(("True or False",), _flag, frozenset({bool})),
    int: Hint(("a whole number",), _whole, frozenset({int})),
    float: Hint(("a number",), _number, frozenset({int})),
    str: _object("text", _is(str), plain=frozenset({str})),
    dict: _object("a mapping", _is(dict), plain=frozenset({dict})),
    list: _object("a list", _is(list), plain=frozenset({list})),
    Path: _PATH,
}
PLAIN[type(None)] = PLAIN[None]
