"""The text of a space that another package adds (docs/plugins.md)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from inception_search.errors import shorten
from inception_search.plugins import find, unusable
from inception_search.spec.document_files import read_text, shipped_names


class AddedText(NamedTuple):
    """The YAML of a space, and its file where it has one."""

    text: str
    file: str | None


def added_text(name: str) -> AddedText | None:
    """The document of the space ``name`` of another package; None where no package adds it.

    Raises PluginError for what is neither text nor the path of a file, and where the package cannot be imported.
    """
    value = find("space", name, shipped_names())
    if value is None:
        return None
    if isinstance(value, str) and "\n" in value:
        return AddedText(value, None)
    if isinstance(value, Path):
        return AddedText(read_text(value), str(value))
    raise unusable("space", name, shorten(value), "YAML text, or the pathlib.Path of a YAML file")
