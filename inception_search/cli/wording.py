"""Error messages for the command line: names of Python arguments are replaced by options of the running verb."""

from __future__ import annotations

import re
from typing import Any

from inception_search.errors import InceptionSearchError, Place, raw

Params = dict[str, Any]
# Python argument: parameters of the verbs
_OTHER_NAMES = {"num_classes": ("classes",), "optimize": ("only", "passes"), "path": ("out",)}
_GIVEN = re.compile(r"\b([a-z]+(?:_[a-z]+)*)=([^\s,;:)]+)( given to compile)?")
_NAMED = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b(?![=:.('])")
_NETWORK = re.compile(r"\b(?:compile|write) (?=[a-z0-9_]+@[a-z]|(?:a|the) (?:network|document)\b)")

_DOCUMENTS = (".yaml", ".yml", ".json")

_running: Params = {}  # the options of the running verb, by parameter name


def use_options_of(command: Any) -> None:
    """Use the options of the verb ``command`` in all messages from now on."""
    _running.clear()
    _running.update({param.name: param for param in command.params if param.param_type_name == "option"})


def in_options(text: str, names: bool = True) -> str:
    """``text`` with options of the running verb in place of equivalent Python arguments.

    ``num_classes=0`` becomes ``--classes 0``, ``aux=False`` ``--no-aux``, and ``compile inception_v3@timm`` ``use
    --network inception_v3@timm``. Arguments without an option stay unchanged. ``names``: names without a value, such as
    ``in_channels``, are replaced too.
    """
    text = _GIVEN.sub(_given, text)
    text = _NAMED.sub(_named, text) if names else text
    return _NETWORK.sub("use --network ", text) if "network" in _running else text


def error_in_options(error: InceptionSearchError) -> InceptionSearchError:
    """The message of ``error`` with options in place of arguments; found values and document fields stay unchanged."""
    str(error)  # some errors create their hint only when they are formatted
    place = error.place
    names = not (place.file or "").endswith(_DOCUMENTS)
    error.rule = in_options(error.rule, names)
    error.expected = error.expected and in_options(error.expected, names)
    error.hint = error.hint and in_options(error.hint, names)
    if isinstance(error.found, type(raw(""))):
        error.found = raw(in_options(error.found, names))
    if place.file is None and place.path is not None and (option := _option(place.path)) is not None:
        error.place = Place(path=option.opts[0])
    return error


def _option(name: str) -> Any:
    known = (_running.get(each) for each in _OTHER_NAMES.get(name, (name,)))
    return next(filter(None, known), None)


def _given(match: re.Match[str]) -> str:
    option, value = _option(match[1]), match[2]
    if option is None:
        return match[0]
    if not option.is_flag:
        return f"{option.opts[0]} {value}"
    flags = option.opts if value == "True" else option.secondary_opts
    return flags[0] if flags else match[0]


def _named(match: re.Match[str]) -> str:
    option = _option(match[0])
    return match[0] if option is None else str(option.opts[0])
