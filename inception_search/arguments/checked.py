"""Check the arguments of public functions against their annotations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from inception_search.arguments.hints import ANYTHING, NO, Hint, hint_of
from inception_search.arguments.later import resolved
from inception_search.errors import ArgumentError, InceptionSearchError, did_you_mean, raw, shorten

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
SELF = ("self", "cls")


def checked(function: Callable[P, R], *, name: str | None = None, free: Collection[str] = ()) -> Callable[P, R]:
    """Wrap ``function`` so that arguments which do not match its annotations raise :class:`ArgumentError`.

    Numpy numbers are converted to Python numbers and path-like objects to ``Path``. The annotations are read at the
    first call.

    Args:
        function: a public function or method.
        name: the name of the function in errors.
        free: names of parameters that the function checks itself.
    """
    ready: list[_Parameters] = []

    @wraps(function)
    def call(*args: Any, **named: Any) -> R:
        if not ready:
            ready.append(_Parameters(function, name or function.__qualname__, free))
        args, named = ready[0].checked(args, named)
        return function(*args, **named)

    return call


def checked_on_failure(function: Callable[P, R]) -> Callable[P, R]:
    """Like :func:`checked`, for methods that are called thousands of times: checks only after a call has failed."""
    ready: list[_Parameters] = []

    @wraps(function)
    def call(*args: P.args, **named: P.kwargs) -> R:
        try:
            return function(*args, **named)
        except InceptionSearchError:
            raise
        except Exception:
            if not ready:
                ready.append(_Parameters(function, function.__qualname__, ()))
            ready[0].checked(args, named)
            raise

    return call


def checked_init(made: type[T], *, free: Collection[str] = ()) -> type[T]:
    """Make the constructor of a class check its arguments, except those in ``free``; returns the class."""
    setattr(made, "__init__", checked(made.__init__, name=made.__name__, free=free))  # noqa: B010
    return made


@dataclass(frozen=True)
class _Parameter:
    name: str
    hint: Hint
    needed: bool


class _Parameters:
    """The parameters of one function, with their hints."""

    def __init__(self, function: Callable[..., Any], name: str, free: Collection[str]) -> None:
        bare = inspect.unwrap(function)
        code = bare.__code__
        own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        self.others = bool(code.co_flags & inspect.CO_VARKEYWORDS)  # it takes **options, and checks their names itself
        self.name = name
        known = {**getattr(function, "__globals__", {}), **bare.__globals__}
        self.positional: list[_Parameter] = []
        self.more: _Parameter | None = None
        self.named: dict[str, _Parameter] = {}
        for parameter in inspect.signature(function).parameters.values():
            self._add(parameter, known, free if parameter.name in own or not self.others else {parameter.name})
        self.needed = sum(parameter.needed for parameter in self.positional)
        self.needed_by_name = [p.name for p in self.named.values() if p.needed and p not in self.positional]

    def _add(self, parameter: inspect.Parameter, known: Mapping[str, Any], free: Collection[str]) -> None:
        unchecked = parameter.name in free or parameter.name in SELF or parameter.annotation is parameter.empty
        hint = ANYTHING if unchecked else hint_of(resolved(parameter.annotation, known))
        found = _Parameter(parameter.name, hint, parameter.default is parameter.empty)
        if parameter.kind is parameter.VAR_POSITIONAL:
            self.more = found
        elif parameter.kind is not parameter.VAR_KEYWORD:
            self.named[parameter.name] = found
            if parameter.kind is not parameter.KEYWORD_ONLY:
                self.positional.append(found)

    def checked(self, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, converted to the types of their hints. Raises ArgumentError."""
        self._check_names(args, named)
        changed = list(args)
        for index, value in enumerate(args):
            parameter = self.positional[index] if index < len(self.positional) else self.more
            if parameter is not None and type(value) not in parameter.hint.plain:
                changed[index] = self._fitting(parameter, value)
        for name, value in named.items():
            parameter = self.named.get(name)
            if parameter is not None and type(value) not in parameter.hint.plain:
                named[name] = self._fitting(parameter, value)
        return tuple(changed), named

    def _fitting(self, parameter: _Parameter, value: Any) -> Any:
        found = parameter.hint.fit(value)
        if found is NO:
            raise self._misfit(parameter, value)
        return found

    def _misfit(self, parameter: _Parameter, value: Any) -> ArgumentError:
        return ArgumentError(
            f"not a usable argument of {self.name}()",
            path=parameter.name,
            found=raw(f"{shorten(value)} ({type(value).__name__})"),
            expected=parameter.hint.text,
            hint=_likely_fix(self.name, parameter.name, parameter.hint, value),
        )

    def _check_names(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """Raise ArgumentError for arguments that are missing, unknown, given twice or too many."""
        if len(args) > len(self.positional) and self.more is None:
            raise self._too_many(len(args))
        for name in named:
            if name not in self.named and not self.others:
                known = [known for known in self.named if known not in SELF]
                expected = f"one of {', '.join(known)}" if known else "no arguments"
                hint = did_you_mean(name, known)
                raise ArgumentError(f"{self.name}() has no argument {name!r}", expected=expected, hint=hint)
        for index, parameter in enumerate(self.positional):
            if index < len(args) and parameter.name in named:
                raise ArgumentError(f"{self.name}() is given {parameter.name!r} twice")
            if index >= len(args) and index < self.needed and parameter.name not in named:
                raise self._missing(parameter)
        for name in self.needed_by_name:
            if name not in named:
                raise self._missing(self.named[name])

    def _missing(self, parameter: _Parameter) -> ArgumentError:
        rule, hint = f"{self.name}() needs {parameter.name!r}", f"write {self.name}(..., {parameter.name}=...)"
        return ArgumentError(rule, expected=parameter.hint.text, hint=hint)

    def _too_many(self, count: int) -> ArgumentError:
        hidden = sum(parameter.name in SELF for parameter in self.positional)
        others = [name for name, parameter in self.named.items() if parameter not in self.positional]
        return ArgumentError(
            f"{self.name}() is given too many arguments",
            found=count - hidden,
            expected=f"at most {len(self.positional) - hidden}" + (" without names" if others else ""),
            hint=f"give the others by name: {', '.join(f'{name}=...' for name in others)}" if others else None,
        )


def _likely_fix(function: str, parameter: str, hint: Hint, value: Any) -> str | None:
    """A hint with the call that was probably meant; None if no fix is likely."""
    if hint.each is not None and hint.each.fit(value) is not NO:
        return f"write {parameter}=[{shorten(value)}]"
    if isinstance(value, str):
        return _fix_of_text(parameter, hint, value)
    if isinstance(value, float) and value.is_integer() and hint.text.startswith("a whole number"):
        return f"write {parameter}={value:.0f}"
    if hint.classes == ("NetworkModule",):
        return "give the module that compile returned, without a wrapper around it"
    maker = _maker(hint)
    return f"write {function}({maker}(...))" if maker else None


def _fix_of_text(parameter: str, hint: Hint, value: str) -> str | None:
    if near := did_you_mean(value, [each for each in hint.literals if isinstance(each, str)]):
        return near
    if maker := _maker(hint):
        return f"write {parameter}={maker}({shorten(value)})"
    from inception_search.numbers import number

    found = number(value)
    if isinstance(found, str) or hint.fit(found) is NO:
        return None
    return f"write {parameter}={found}, without quotes"


_MAKERS = {"Network": "load", "NetworkModule": "compile", "Space": "load_space"}


def _maker(hint: Hint) -> str | None:
    """The public function that returns a fitting value, such as ``load`` for a network."""
    return next((_MAKERS[name] for name in hint.classes if name in _MAKERS), None)
