"""What a space document says besides its template."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from inception_search.spec.base_model import Name, SpecModel

SCHEMA = "inception-search/space"
VERSION = 1


class Fixed(SpecModel):
    """A canonical module or network that is a point of the space, brought to size by ``width``."""

    module: str | None = None
    network: str | None = None
    width: float = Field(default=1.0, gt=0.0, allow_inf_nan=False)
    multiple: int = Field(default=4, ge=1)

    @model_validator(mode="after")
    def _check(self) -> Fixed:
        if (self.module is None) == (self.network is None):
            raise ValueError("an entry of contains names a module or a network, one of the two")
        return self


class SpaceDocument(SpecModel):
    """The parts of a space document; ``network`` is the template, ``define`` what ``$use`` names."""

    schema_: Literal["inception-search/space"] = Field(default="inception-search/space", alias="schema")
    version: Literal[1] = 1
    name: Name
    about: str = Field(default="", max_length=4000)
    contains: dict[Name, Fixed] = {}
    define: dict[Name, Any] = {}
    network: dict[str, Any]
