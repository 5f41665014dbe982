"""Loading a space by its shipped name, its file or its text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inception_search.errors import InceptionSearchError, Place, PluginError, unknown_name
from inception_search.plugins import all_names, origin, unusable
from inception_search.space.contents import check_contents
from inception_search.space.document import added_text
from inception_search.space.holes import Choice
from inception_search.space.space import Space
from inception_search.spec.documents.files import read_text, shipped_folder, shipped_names
from inception_search.spec.documents.likely_mistakes import warn_of_order, warn_of_unused_definitions
from inception_search.spec.network import Input
from inception_search.spec.transform import remake

SUFFIXES = (".yaml", ".yml", ".json")


def names() -> tuple[str, ...]:
    """The sorted names of the shipped spaces, then those of other packages (docs/plugins.md)."""
    return all_names("space", shipped_names())


def load_space(space: str | Path) -> Space:
    """Load a search space: a network document with holes, and the values that each hole may take.

    An ``UnusedBlockWarning`` is given for entries of ``define`` that are not used.

    Args:
        space: a shipped name (``inception-search list spaces`` lists them), the path of a document, or YAML text
            (docs/spaces.md describes the language).

    Returns:
        The space, which samples, encodes and decodes networks.

    Raises:
        UnknownNameError: nothing has this name.
        NotInSpaceError: an entry of ``contains`` is not a point of the space; the error has its line.
        DocumentError: the document cannot be used; the error has the line.

    >>> space = ins.load_space("inception_modules")
    >>> space
    Space('inception_modules', 21 holes, 1.46e+14 points)
    >>> space.decode(space.sample(0)).stages.keys() == space.decode(space.sample(1)).stages.keys()
    True
    """
    try:
        return _checked(_read(space))
    except PluginError:
        raise
    except InceptionSearchError as error:
        if isinstance(space, str) and origin("space", space):
            raise unusable("space", space, str(error)) from error
        raise


def _checked(found: Space) -> Space:
    if found.file is None or Path(found.file).parent != shipped_folder():  # tests check the shipped ones
        check_contents(found)
    warn_of_unused_definitions(found.unused, found.file)
    for shape in _inputs_of(found.template.root.get("input")):
        warn_of_order(*shape, Place(found.file, path="network.input"))
    return found


def _inputs_of(given: Any) -> Iterator[tuple[int, int, int]]:
    """The inputs that the networks of a space may have, with the default for numbers that are holes."""
    if isinstance(given, Choice):
        for option in given.options.values():
            yield from _inputs_of(option)
    elif isinstance(given, dict):
        numbers = {name: value for name, value in given.items() if isinstance(value, int)}
        yield remake(Input(), **numbers).shape


def _read(space: str | Path) -> Space:
    if isinstance(space, str) and ("\n" in space or space.lstrip().startswith("{")):
        return Space(space)
    if isinstance(space, str) and (added := added_text(space)) is not None:
        return _named(Space(added.text, added.file), space)
    if isinstance(space, str) and space in shipped_names():
        path: Path = shipped_folder() / f"{space}.yaml"
    elif isinstance(space, Path) or space.endswith(SUFFIXES) or "/" in space:
        path = Path(space)
    else:
        raise unknown_name("space", space, names())
    return Space(read_text(path), str(path))


def _named(found: Space, name: str) -> Space:
    """The space of another package; raises if its document has another name than the one it is added under."""
    if found.name != name:
        raise unusable("space", name, f"a document of the name {found.name!r}", f"name: {name}")
    return found
