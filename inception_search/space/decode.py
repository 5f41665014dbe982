"""Decode a point: fill every hole of the template."""

from __future__ import annotations

from collections.abc import Mapping

from inception_search.errors import NotInSpaceError
from inception_search.space.build import Builder, BuildError
from inception_search.space.document_layout import Encoded, written_as
from inception_search.space.holes import Ask, Bindings, Choice, Hole, Params, Value
from inception_search.space.render_template import Lines, rendered
from inception_search.spec.documents.parse import network_from_long
from inception_search.spec.network import Network, with_source
from inception_search.spec.source_map import Source


def fill(builder: Builder, ask: Ask, file: str | None = None, known: Params | None = None) -> tuple[Network, Params]:
    """The network of a template whose holes have the values that ``ask`` returns, and these values.

    ``ask`` is called once for each name of a reached hole that is not ``known``. Raises :class:`NotInSpaceError` for a
    value outside the hole's domain and :class:`~inception_search.errors.SpecError` if the document is invalid.
    """
    bindings = Bindings(builder.template.holes, ask, known)
    network = _built(builder, bindings, file)
    if network is None:  # validating the document as data finds the broken rule and its place
        network = network_from_long(rendered(builder.template, bindings), file)
    return network, dict(bindings)


def try_fill(
    builder: Builder, ask: Ask, file: str | None = None, known: Params | None = None
) -> tuple[Network, Params] | None:
    """Like :func:`fill`, but None if the document is invalid; faster, since it does not look for the reason."""
    bindings = Bindings(builder.template.holes, ask, known)
    network = _built(builder, bindings, file)
    return None if network is None else (network, dict(bindings))


def _built(builder: Builder, bindings: Bindings, file: str | None) -> Network | None:
    try:
        network = builder.network(bindings)
    except BuildError:
        return None
    return with_source(network, Source(file, Lines(builder.template, bindings)))


def plain(point: Params) -> Params:
    """A point as a plain dict. Raises :class:`NotInSpaceError` for a value that is not a mapping of names."""
    if not isinstance(point, Mapping) or not all(isinstance(name, str) for name in point):
        raise NotInSpaceError("a point is a mapping of holes to values", found=point)
    if any(name.startswith("@") for name in point):
        hint = "remove the entries that begin with @, which version 0.1 added; they have no effect"
        raise NotInSpaceError("a point has decisions only", found=point, hint=hint)
    return dict(point)


def decode(builder: Builder, params: Params, file: str | None = None, layout: Network | None = None) -> Network:
    """The network at the point ``params``; every value must be used and none may be missing.

    It is written like ``layout``, else like the layout of an :class:`Encoded` point, else like the template.
    """
    holes = plain(params)
    if layout is None and isinstance(params, Encoded):
        layout = params.layout

    def look_up(hole: Hole) -> Value:
        if hole.name not in holes:
            raise NotInSpaceError("the point has no value for this hole", path=hole.name, hint=_domain(hole))
        return holes[hole.name]

    network, used = fill(builder, look_up, file)
    unused = [name for name in holes if name not in used]
    if unused:
        raise NotInSpaceError("the point has values for holes that it does not reach", found=", ".join(sorted(unused)))
    return network if layout is None else written_as(network, layout)


def _domain(hole: Hole) -> str:
    if isinstance(hole, Choice):
        return f"choose one of {', '.join(hole.options)}"
    return f"choose from {hole.low} to {hole.high}"
