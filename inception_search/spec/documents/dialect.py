"""Dialects: variants of a network in other implementations, as small overlays in its document.

Each entry of ``dialects:`` has a name and holds parts of the document's sections. Mappings are merged into those of
the document, steps and plain values replace them, ``null`` removes an entry, and a new stage is added at the end.
``like: other`` starts from another dialect. ``name@dialect`` is the network with the overlay.
"""

from __future__ import annotations

from typing import Any

from inception_search.errors import DocumentError, Place, SpecError, UnknownDialectError, did_you_mean, unknown_name
from inception_search.spec.documents.yaml_reader import MarkedDict

SECTION = "dialects"
LIKE = "like"
FIXED = ("schema", "version", "name", "dialect", SECTION)  # sections that are the same in all dialects
STEPS = ("stages", "blocks")  # sections whose steps are replaced, never merged


def dialects_of(data: Any, file: str | None = None) -> dict[str, str]:
    """The dialects of a document by name with their ``source``, the document's own first."""
    overlays = _overlays(data, file)
    own = {data["dialect"]: str(data.get("source", ""))} if isinstance(data.get("dialect"), str) else {}
    return own | {name: str(_merged(data, name, overlays, file).get("source", "")) for name in overlays}


def in_dialect(data: Any, dialect: str | None, file: str | None = None) -> Any:
    """The data of the network in ``dialect``, without overlays; None or the document's own name changes nothing.

    Raises :class:`~inception_search.errors.UnknownNameError` for a dialect the document does not have.
    """
    if not isinstance(data, dict):
        return data
    overlays = _overlays(data, file)
    plain = _copy(data, {key: value for key, value in data.items() if key != SECTION})
    own = data.get("dialect")
    if dialect is None or dialect == own:
        return plain
    if dialect not in overlays:
        known = [*overlays, own] if isinstance(own, str) else overlays
        error = unknown_name(f"dialect of {data.get('name')}", dialect, known, kind=UnknownDialectError)
        if error.expected is None:
            error.hint = "the document has no dialects; drop the @ and the text after it"
        raise error.at(file=file, line=_lines(data).get(SECTION))
    out = _merged(plain, dialect, overlays, file)
    if isinstance(data.get("name"), str):
        out["name"] = f"{data['name']}@{dialect}"
    out["dialect"] = dialect
    if dialect in (lines := _lines(overlays)):
        out.lines |= dict.fromkeys(("name", "dialect"), lines[dialect])
    return out


def _overlays(data: Any, file: str | None) -> dict[str, Any]:
    """The overlays of a document; raises unless each holds sections of a document."""
    overlays = data.get(SECTION)
    if overlays is None:
        return {}
    line = _lines(data).get(SECTION)
    if not isinstance(overlays, dict):
        raise SpecError("not dialects", place=Place(file, line, SECTION), found=overlays, expected="{name: {...}, ...}")
    for name, overlay in overlays.items():
        place = Place(file, _lines(overlays).get(name, line), f"{SECTION}.{name}")
        if not isinstance(overlay, dict):
            raise SpecError("not a dialect", place=place, found=overlay, expected="sections of the document")
        if name == data.get("dialect"):
            raise SpecError("the document's own dialect has this name", place=place, hint="give one another name")
        for key in FIXED:
            if key in overlay:
                rule = f"a dialect cannot change the document's {key}"
                raise SpecError(rule, place=_inside(place, overlay, key), hint="the name of a dialect is its key")
    return overlays


def _merged(data: Any, name: str, overlays: dict[str, Any], file: str | None) -> Any:
    """``data`` with the overlay ``name``, on top of the overlays that it is ``like``."""
    names = {name: None}  # from the last to the first
    while (like := overlays[name].get(LIKE)) is not None:
        where = _inside(Place(file, None, f"{SECTION}.{name}"), overlays[name], LIKE)
        if not isinstance(like, str) or like not in overlays:
            hint = did_you_mean(str(like), overlays)
            if like == data.get("dialect"):
                hint = "leave it out; a dialect starts from the document itself"
            raise SpecError("like an unknown dialect", place=where, found=like, hint=hint)
        if like in names:
            raise SpecError("dialects like one another in a circle", place=where, found=like)
        names[like] = None
        name = like
    for one in reversed(names):
        changes = {key: value for key, value in overlays[one].items() if key != LIKE}
        data = _joined(data, _copy(overlays[one], changes), Place(file, None, f"{SECTION}.{one}"))
    return data


def _joined(data: Any, overlay: Any, where: Place, depth: int = 0, steps: bool = False) -> Any:
    """``data`` with the entries of ``overlay``; each entry keeps the line that it was written on."""
    out, lines = _copy(data, data), {**_lines(data)}
    for key, value in overlay.items():
        old = out.get(key)
        if depth == 0 and key == "input" and isinstance(value, dict):
            old = expand_input(old)
        if value is None:
            if key not in out:
                rule = f"nothing to remove: {key!r} does not exist"
                raise DocumentError(rule, place=_inside(where, overlay, key), hint=did_you_mean(key, out))
            del out[key]
        elif isinstance(old, dict) and isinstance(value, dict) and not steps and key != "body":
            inside = _inside(where, overlay, key)
            out[key] = _joined(old, value, inside, depth + 1, steps=depth == 0 and key in STEPS)
        else:
            out[key] = value
        lines[key] = _lines(overlay).get(key)
    out.lines = {key: line for key, line in lines.items() if line is not None and key in out}
    return out


def _inside(where: Place, overlay: Any, key: str) -> Place:
    """The place of ``key`` in the overlay at ``where``."""
    return Place(where.file, _lines(overlay).get(key, where.line), f"{where.path}.{key}")


def _lines(data: Any) -> dict[str, Any]:
    return getattr(data, "lines", None) or {}


def _copy(data: Any, items: dict[str, Any]) -> MarkedDict:
    return MarkedDict(items, getattr(data, "line", None), dict(_lines(data)))


def expand_input(item: Any) -> Any:
    """``3x299x299`` or ``[3, 299, 299]`` as fields; other values unchanged."""
    parts = item.split("x") if isinstance(item, str) else item
    if isinstance(parts, list) and len(parts) == 3:
        numbers = [int(p) if isinstance(p, str) and p.isdecimal() and len(p) < 9 else p for p in parts]
        return dict(zip(("channels", "height", "width"), numbers, strict=True))
    return item
