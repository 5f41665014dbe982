"""Encode a network as a point."""

from __future__ import annotations

from typing import Any

from inception_search.errors import InceptionSearchError, LimitError, NotInSpaceError
from inception_search.space.build import Builder
from inception_search.space.decode import decode
from inception_search.space.document_layout import Encoded
from inception_search.space.flatten import TrunkMatcher, trunk_of
from inception_search.space.holes import Params
from inception_search.space.match import Matcher
from inception_search.spec.network import Network


def find(builder: Builder, network: Network) -> Params | None:
    """The point of ``network``, or None; see :func:`encode`."""
    try:
        found = _found(Matcher(builder, network))
        return _found(TrunkMatcher(builder, network)) if found is None else found
    except RecursionError:
        raise LimitError("the space has too many steps to find the point of a network in it") from None


def encode(builder: Builder, network: Network) -> Encoded:
    """The point of ``network``, with its layout if that differs from the template's.

    Raises :class:`NotInSpaceError` with the mismatch that is furthest into the network, and :class:`LimitError` if the
    template can be matched in too many ways to try them all.
    """
    found = find(builder, network)
    if found is None:
        raise _why_not(builder, network)
    return Encoded(found, None if decode(builder, found) == network else network)


def _found(matcher: Matcher) -> Params | None:
    builder, network = matcher.builder, matcher.network
    for params in matcher.points():
        if not builder.tracks or _trunk_at(builder, params) == trunk_of(network).steps:
            return params
    return None


def _trunk_at(builder: Builder, params: Params) -> Any:
    """The steps of the network at a point; None if its document is invalid."""
    try:
        return trunk_of(decode(builder, params)).steps
    except InceptionSearchError:
        return None


def _why_not(builder: Builder, network: Network) -> NotInSpaceError:
    """The error with the place where the match fails: the match is repeated with a record of its mismatches."""
    sections = (("blocks", network.blocks), ("stages", network.stages))
    as_written = all(list(builder.template.root.get(name) or {}) == list(entries) for name, entries in sections)
    matcher = (Matcher if as_written else TrunkMatcher)(builder, network, explain=True)
    assert matcher.mismatch is not None
    for _ in matcher.points():
        matcher.mismatch.problem = "a number that follows the input channels ($of: in) is different"
    return matcher.mismatch.error()
