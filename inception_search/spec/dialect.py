"""Dialects: what differs between readings of one network, as small overlays in its document.

Under ``dialects:`` each has a name and holds parts of the sections of the document. Mappings are merged into those
of the document, steps and plain values take their place, ``null`` takes an entry away, a stage that was not there
goes to the end. ``like: other`` begins from another dialect. ``name@dialect`` is the network with the overlay.
"""

from __future__ import annotations

from typing import Any

from inception_search.errors import DocumentError, Place, SpecError, did_you_mean, unknown_name
from inception_search.spec.yaml_reader import MarkedDict

SECTION = "dialects"
LIKE = "like"
FIXED = ("schema", "version", "name", "dialect", SECTION)  # of the document, the same in all dialects
STEPS = ("stages", "blocks")  # sections of steps, which are never merged into one another


def dialects_of(data: Any, file: str | None = None) -> dict[str, str]:
    """The dialects of a document with what each stands for (its ``source``), the document's own first."""
    overlays = _overlays(data, file)
    own = {data["dialect"]: str(data.get("source", ""))} if isinstance(data.get("dialect"), str) else {}
    return own | {name: str(_merged(data, name, overlays, file).get("source", "")) for name in overlays}


def in_dialect(data: Any, dialect: str | None, file: str | None = None) -> Any:
    """The data of the network in ``dialect`` (None, or the document's own: as it stands), without the overlays.

    Raises :class:`~inception_search.errors.UnknownNameError` for a dialect the document does not have.
    """
    if not isinstance(data, dict):
        return data
    overlays = _overlays(data, file)
    plain = _copy(data, {key: value for key, value in data.items() if key != SECTION})
    if dialect is None or dialect == data.get("dialect"):
        return plain
    if dialect not in overlays:
        known = (*overlays, *([data["dialect"]] if isinstance(data.get("dialect"), str) else []))
        error = unknown_name(f"dialect of {data.get('name')}", dialect, known)
        raise error.at(file=file)
    out = _merged(plain, dialect, overlays, file)
    out["name"] = f"{data.get('name')}@{dialect}"
    out["dialect"] = dialect
    return out


def _overlays(data: Any, file: str | None) -> dict[str, Any]:
    """The overlays of a document, checked to hold sections of one."""
    overlays = data.get(SECTION) or {}
    line = getattr(data, "lines", {}).get(SECTION)
    if not isinstance(overlays, dict):
        raise SpecError("not dialects", place=Place(file, line, SECTION), found=overlays, expected="{name: {...}, ...}")
    for name, overlay in overlays.items():
        place = Place(file, getattr(overlays, "lines", {}).get(name, line), f"{SECTION}.{name}")
        if not isinstance(overlay, dict):
            raise SpecError("not a dialect", place=place, found=overlay, expected="sections of the document")
        for key in overlay:
            if key in FIXED:
                rule = f"a dialect cannot change the document's {key}"
                raise SpecError(rule, place=place, mend="the name of a dialect is its key")
    return overlays


def _merged(data: Any, name: str, overlays: dict[str, Any], file: str | None, below: tuple[str, ...] = ()) -> Any:
    overlay = overlays[name]
    where = Place(file, getattr(overlay, "line", None), f"{SECTION}.{name}")
    if (like := overlay.get(LIKE)) is not None:
        if like not in overlays:
            raise SpecError("like an unknown dialect", place=where, found=like, mend=did_you_mean(str(like), overlays))
        if like in (name, *below):
            raise SpecError("dialects like one another in a circle", place=where, found=like)
        data = _merged(data, like, overlays, file, (*below, name))
    changes = {key: value for key, value in overlay.items() if key != LIKE}
    return _joined(data, _copy(overlay, changes), where)


def _joined(data: Any, overlay: Any, where: Place, depth: int = 0, steps: bool = False) -> Any:
    """``data`` with the entries of ``overlay``; the lines are those of where each entry comes from."""
    out = _copy(data, dict(data))
    lines = {**getattr(data, "lines", {})}
    for key, value in overlay.items():
        old = out.get(key)
        if value is None:
            if key not in out and depth:
                raise DocumentError(f"nothing to take away: {key!r} is not there", place=where)
            out.pop(key, None)
        elif isinstance(old, dict) and isinstance(value, dict) and not steps and key != "body":
            out[key] = _joined(old, value, where, depth + 1, steps=depth == 0 and key in STEPS)
        else:
            out[key] = value
        lines[key] = getattr(overlay, "lines", {}).get(key)
    out.lines = {key: line for key, line in lines.items() if line is not None and key in out}
    return out


def _copy(data: Any, items: dict[str, Any]) -> MarkedDict:
    return MarkedDict(items, getattr(data, "line", None), dict(getattr(data, "lines", None) or {}))
