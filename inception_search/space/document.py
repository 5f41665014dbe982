"""Space documents: the parts besides the template, and the documents that other packages add."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, model_validator

from inception_search.errors import shorten
from inception_search.plugins import find, unusable
from inception_search.spec.base_model import Name, SpecModel
from inception_search.spec.documents.files import read_text, shipped_names

SCHEMA = "inception-search/space"
VERSION = 1


class Fixed(SpecModel):
    """A canonical module or network that is a point of the space, with its widths multiplied by ``width``."""

    module: str | None = None
    network: str | None = None
    width: float = Field(default=1.0, gt=0.0, allow_inf_nan=False)
    multiple: int = Field(default=4, ge=1)

    @model_validator(mode="after")
    def _check(self) -> Fixed:
        if (self.module is None) == (self.network is None):
            raise ValueError("an entry of contains names either a module or a network")
        return self


class SpaceDocument(SpecModel):
    """The parts of a space document; ``network`` is the template, ``define`` the entries that ``$use`` refers to."""

    schema_: Literal["inception-search/space"] = Field(default="inception-search/space", alias="schema")
    version: Literal[1] = 1
    name: Name
    about: str = Field(default="", max_length=4000)
    contains: dict[Name, Fixed] = {}
    define: dict[Name, Any] = {}
    network: dict[str, Any]


class AddedText(NamedTuple):
    """The YAML of a space, and its file if it has one."""

    text: str
    file: str | None


def added_text(name: str) -> AddedText | None:
    """The document of the space ``name`` of another package; None if no package adds it.

    Raises PluginError if it is neither text nor a file path, or if the package cannot be imported.
    """
    value = find("space", name, shipped_names())
    if value is None:
        return None
    if isinstance(value, str) and "\n" in value:
        return AddedText(value, None)
    if isinstance(value, Path):
        return AddedText(read_text(value), str(value))
    raise unusable("space", name, shorten(value), "YAML text, or the pathlib.Path of a YAML file")
