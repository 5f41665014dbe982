"""Places in a network document, such as ``stages.mixed_5b.branches.1.0`` (a step) and ``head.dropout`` (a field).

A step of a chain is its number (without ``steps``), a branch is ``branches.1``, and the body of a block or a repeat is
``body``. ``document`` is the whole document.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from inception_search.edits.sites import Section, Spot, planted, sections
from inception_search.errors import EditError
from inception_search.spec.base_model import SpecModel, plain
from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.network import Network, with_source
from inception_search.spec.source_map import Source
from inception_search.spec.step import AnyStep, children
from inception_search.spec.transform import remake

DOCUMENT = "document"  # the place of the whole document


def place_of(section: Section, spot: Spot) -> str:
    """The place of a spot in a section."""
    words = list(section)
    for parent, index in zip(spot.parents, spot.trail, strict=True):
        words += _names(parent)[index]
    return ".".join(words)


def is_step(place: str) -> bool:
    """Whether a place is that of a step (not of a field of the network)."""
    return section_of(place) is not None


def section_of(place: str) -> Section | None:
    """The section that contains a step's place; None for the place of a field."""
    words = place.split(".")
    if words[0] in ("stages", "blocks") and len(words) > 1:
        return tuple(words[:2])
    return tuple(words[:3]) if words[0] == "aux" and words[2:3] == ["body"] else None


def spot_at(network: Network, place: str) -> Spot:
    """The spot at the place of a step; raises :class:`EditError` if there is none."""
    section = section_of(place)
    assert section is not None
    step = _outermost(network, section, place)
    spot = Spot((), (), step)
    words = place.split(".")[len(section) :]
    while words:
        child = _child(spot.step, words)
        if child is None:
            raise EditError("no such place", path=place, found=".".join(words), hint=_known(spot.step))
        index, used = child
        spot = spot.child(index)
        words = words[used:]
    return spot


def field_at(network: Network, place: str) -> Any:
    """The plain value of the field at a place such as ``conv_defaults.norm``."""
    if place == DOCUMENT:
        return network.to_dict()
    value: Any = network
    for name in place.split("."):
        value = _field(value, name, place)
    return plain(value)


def with_step(network: Network, place: str, spot: Spot, step: AnyStep) -> Network:
    """``network`` with the step at ``spot`` replaced by ``step``."""
    section = section_of(place)
    assert section is not None
    try:
        root = planted(spot, step)
    except ValidationError as error:
        rule = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise EditError(rule, path=place) from None
    return with_section(network, section, root)


def with_section(network: Network, section: Section, root: AnyStep) -> Network:
    """``network`` with the outermost step of one section replaced by ``root``."""
    kind, name = section[:2]
    if kind == "aux":
        return _made(network, aux={**network.aux, name: remake(network.aux[name], body=root)})
    return _made(network, **{kind: {**getattr(network, kind), name: root}})


def with_stages(network: Network, stages: dict[str, AnyStep]) -> Network:
    """``network`` with other stages."""
    return _made(network, stages=stages)


def with_field(network: Network, place: str, value: Any) -> Network:
    """``network`` with another value of a field."""
    if place == DOCUMENT:
        return with_source(network_from_data(value), Source())
    first, *rest = place.split(".")
    return _made(network, **{first: _changed(getattr(network, first), rest, value)})


def _made(network: Network, **changes: Any) -> Network:
    # An edited network was not read from a file: the old line numbers would be wrong.
    return with_source(remake(network, **changes), Source())


def _changed(model: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    inside = _changed(model[path[0]] if isinstance(model, dict) else getattr(model, path[0]), path[1:], value)
    return {**model, path[0]: inside} if isinstance(model, dict) else remake(model, **{path[0]: inside})


def _field(value: Any, name: str, place: str) -> Any:
    if isinstance(value, dict) and name in value:
        return value[name]
    if isinstance(value, SpecModel) and name in type(value).model_fields:
        return getattr(value, name)
    raise EditError("no such place", path=place, found=name)


def _outermost(network: Network, section: Section, place: str) -> AnyStep:
    known = {name[1]: step for name, step in sections(network) if name[0] == section[0]}
    if section[1] not in known:
        raise EditError("no such place", path=place, found=section[1], expected=f"one of {', '.join(known)}")
    return known[section[1]]


def _names(step: AnyStep) -> list[list[str]]:
    """The names of the steps directly inside ``step``."""
    return [[str(word) for word in fields if word != "steps"] for fields, _ in children(step)]


def _child(step: AnyStep, words: list[str]) -> tuple[int, int] | None:
    """The index of the child of ``step`` that the first words name, and the number of those words."""
    for index, name in enumerate(_names(step)):
        if words[: len(name)] == name:
            return index, len(name)
    return None


def _known(step: AnyStep) -> str:
    names = [".".join(name) for name in _names(step)]
    return f"inside this {step.kind}: {', '.join(names)}" if names else f"a {step.kind} has no steps inside"
