"""How the API reference reads the docstrings of the package: an extension of griffe, which mkdocstrings uses.

- The public functions are read as they are called: most are made from others when they are imported, which only their
  run-time signatures show.
- Roles (``:func:`load```) become links to this reference, examples (``>>>``) blocks of code.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

import griffe

import inception_search as ins
from inception_search import errors

ROLE = re.compile(r":[a-z]+:`~?(?P<path>[\w.]+)`")
EXAMPLE = re.compile(r"(?:^[ \t]*>>> .*\n(?:[ \t]*\S.*(?:\n|\Z))*)", re.MULTILINE)
CODE = re.compile(r"``([^`]+)``")
KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: griffe.ParameterKind.positional_only,
    inspect.Parameter.POSITIONAL_OR_KEYWORD: griffe.ParameterKind.positional_or_keyword,
    inspect.Parameter.VAR_POSITIONAL: griffe.ParameterKind.var_positional,
    inspect.Parameter.KEYWORD_ONLY: griffe.ParameterKind.keyword_only,
    inspect.Parameter.VAR_KEYWORD: griffe.ParameterKind.var_keyword,
}


class Facade(griffe.Extension):
    """See the module."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Replace the public functions by what they are at run time, and rewrite all docstrings."""
        for name in ins.__all__:
            value = getattr(ins, name)
            if inspect.isfunction(value):
                pkg.set_member(name, function_of(name, value))
        rewrite(pkg)


def function_of(name: str, value: Any) -> griffe.Function:
    """A public function, with the signature that a caller sees."""
    signature = inspect.signature(value)
    parameters = [
        griffe.Parameter(each.name, annotation=said(each.annotation), kind=KINDS[each.kind], default=default(each))
        for each in signature.parameters.values()
    ]
    docstring = griffe.Docstring(inspect.getdoc(value) or "", parser="google")
    made = griffe.Function(name, parameters=griffe.Parameters(*parameters), returns=said(signature.return_annotation))
    made.docstring = docstring
    docstring.parent = made
    return made


def said(annotation: Any) -> str | None:
    """An annotation as it is written in the code."""
    if annotation is inspect.Parameter.empty:
        return None
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def default(parameter: inspect.Parameter) -> str | None:
    """The default of an argument as it is written in the code."""
    return None if parameter.default is parameter.empty else repr(parameter.default)


def rewrite(item: griffe.Object) -> None:
    """The docstrings of a module or class and of all that it has, as Markdown."""
    if item.docstring is not None:
        item.docstring.value = markdown(item.docstring.value)
    for member in item.members.values():
        if not member.is_alias:
            rewrite(member)


def markdown(text: str) -> str:
    """A docstring as Markdown.

    >>> markdown("See :func:`load`.")
    'See [`load`][inception_search.load].'
    """
    text = ROLE.sub(lambda match: link(match["path"]), text)
    return EXAMPLE.sub(lambda match: fenced(match[0]), CODE.sub(r"`\1`", text))


def link(path: str) -> str:
    """A name as a link, where the reference has it."""
    name = path.rpartition(".")[2]
    if name in ins.__all__:
        return f"[`{name}`][inception_search.{name}]"
    if hasattr(errors, name):
        return f"[`{name}`][inception_search.errors.{name}]"
    return f"`{name}`"


def fenced(example: str) -> str:
    """An example as a block of code."""
    lines = inspect.cleandoc(example).splitlines()
    return "\n".join(["```pycon", *lines, "```"]) + "\n"
