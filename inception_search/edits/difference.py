"""The difference of two networks as edits: one for each part that differs, at its innermost place."""

from __future__ import annotations

from collections.abc import Iterator

from inception_search.edits.edit import Edit
from inception_search.edits.places import DOCUMENT, place_of
from inception_search.edits.sites import Spot, parts, sections, with_part
from inception_search.spec.base_model import plain
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep

NAME = "change"
STEPS = ("blocks", "stages", "aux")


def difference(before: Network, after: Network) -> tuple[Edit, ...]:
    """The edits that turn ``before`` into ``after``, in the order of the document.

    If blocks, stages or auxiliary classifiers have different names, the result is one edit of the whole document.
    """
    old, new = dict(sections(before)), dict(sections(after))
    if list(old) != list(new):
        return (Edit(NAME, DOCUMENT, before.to_dict(), after.to_dict()),)
    edits = list(_fields(before, after))
    for section, step in old.items():
        if step != new[section]:
            spot, changed = _innermost(Spot((), (), step), new[section])
            edits.append(Edit(NAME, place_of(section, spot), spot.step, changed))
    return tuple(edits)


def _innermost(spot: Spot, after: AnyStep) -> tuple[Spot, AnyStep]:
    """The innermost spot that contains every difference from ``after``, and the step of ``after`` there."""
    old, new = parts(spot.step), parts(after)
    differing = [i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b]
    if type(spot.step) is not type(after) or len(old) != len(new) or len(differing) != 1:
        return spot, after
    index = differing[0]
    if with_part(spot.step, index, new[index]) != after:  # more than its child changed
        return spot, after
    return _innermost(spot.child(index), new[index])


def _fields(before: Network, after: Network) -> Iterator[Edit]:
    """Edits of the fields outside steps."""
    for name in type(before).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if name not in STEPS and old != new:
            yield Edit(NAME, name, plain(old), plain(new))
    for name, aux in before.aux.items():
        for field in type(aux).model_fields:
            old, new = getattr(aux, field), getattr(after.aux[name], field)
            if field != "body" and old != new:
                yield Edit(NAME, f"aux.{name}.{field}", plain(old), plain(new))
