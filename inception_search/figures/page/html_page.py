"""The page as one HTML file: scripts and styles are inlined, nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from inception_search.arguments import checked
from inception_search.errors import ConfigError
from inception_search.figures.colours import DARK, DARK_PAGE, KIND_NAMES, LIGHT, LIGHT_PAGE
from inception_search.figures.figure import save_as
from inception_search.figures.network import measure
from inception_search.figures.paint.svg import clean, text
from inception_search.figures.paint.wires import BEND, HEAD_LENGTH, HEAD_WIDTH
from inception_search.figures.type_metrics import FAMILY

SCRIPTS = ("layout.js", "paint.js", "colours.js", "state.js", "page.js", "keys.js", "print.js", "start.js")
_PX = {name: value for name, value in vars(measure).items() if name.isupper() and isinstance(value, int)}
LEAST = 16  # characters of JSON worth sharing; a reference itself takes about ten
REFERENCE = "@"  # the key of a reference, which is no path or field
HEIGHT = 640  # px, in a notebook
_COLUMNS = (("rank", "Rank"), ("name", "Name"), ("accuracy", "Accuracy"), ("params", "Params"), ("macs", "MACs"))


@dataclass(frozen=True, slots=True)
class Page:
    """An interactive page: ``html`` is the whole document; a notebook shows it in a frame."""

    title: str
    html: str

    @checked
    def save(self, path: str | Path) -> Path:
        """Write the page; raises :class:`ConfigError` for a missing or read-only folder."""
        target = Path(path)
        if target.suffix.lower() not in (".html", ".htm"):
            raise ConfigError(
                "a page is an HTML file", path=str(target), found=target.suffix, expected=".html", hint=_named(target)
            )
        return save_as(target, self.html)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        frame = f'<iframe srcdoc="{escape(self.html)}" width="100%" height="{HEIGHT}" style="border:1px solid #ccc">'
        return {"text/html": f"{frame}</iframe>", "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"Page({self.title!r}, {len(self.html.encode()) / 1000:.0f} kB)"


def _named(path: Path) -> str:
    name = path.with_suffix(".html") if path.name else "page.html"
    return f"write {name}; inception-search draw makes the other formats"


def network_page(network: Mapping[str, Any]) -> Page:
    """The page of one network or module, from the data of ``network_data`` or ``module_data``."""
    return _page(
        network["name"], {"listed": False, "differs": [], "trials": [{"number": 0, "rank": 0, "item": network}]}, ""
    )


def study_page(title: str, note: str, trials: list[dict[str, Any]], differs: Sequence[str] = ()) -> Page:
    """The page of several trials with the first one opened; ``note`` is shown above their table.

    ``differs`` are the paths that are open at the beginning; the first of them is in the middle.
    """
    heads = "".join(
        f'<th scope="col"><button type="button" data-by="{by}">{name}</button></th>' for by, name in _COLUMNS
    )
    listing = (
        f'<nav id="trials" aria-label="Trials"><h2>{text(title)}</h2><p>{text(note)}</p>'
        f"<table><thead><tr>{heads}</tr></thead>"
        "<tbody></tbody></table></nav>"
    )
    return _page(title, {"listed": True, "differs": list(differs), "trials": trials}, listing)


def _page(title: str, data: Mapping[str, Any], trials: str) -> Page:
    script = "\n".join(_file(name).replace('"use strict";\n', "") for name in SCRIPTS)
    script = f'\n"use strict";\n{script}'
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:"
    html = Template(_file("page.html")).substitute(
        policy=policy,
        title=text(title),
        style=f"{_file('viewer.css')}\n{colour_rules()}",
        family=escape(FAMILY),
        trials=trials,
        table=_json(script_table()),
        data=_json(shared(data)),
        script=script,
    )
    return Page(clean(title), html)


def _file(name: str) -> str:
    return resources.files("inception_search.figures.page").joinpath(name).read_text(encoding="utf-8")


def _json(data: Any) -> str:
    """JSON in which no text can end the script element."""
    encoded = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return encoded.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def script_table() -> dict[str, Any]:
    """The constants that the scripts read; the only way in which they leave the package."""
    return {
        "px": _PX | {"BEND": BEND, "HEAD_LENGTH": HEAD_LENGTH, "HEAD_WIDTH": HEAD_WIDTH},
        "kinds": KIND_NAMES,
    }


def colour_rules() -> str:
    """The style rules of the boxes, on a light and on a dark page."""
    rules = []
    for theme, paints, page in (("light", LIGHT, LIGHT_PAGE), ("dark", DARK, DARK_PAGE)):
        words = "; ".join(f"--{name}: {value}" for name, value in page._asdict().items())
        rules.append(f':root[data-theme="{theme}"] {{ color-scheme: {theme}; {words} }}')
        rules += [
            f':root[data-theme="{theme}"] .k-{kind} {{ fill: {paint.fill}; stroke: {paint.stroke} }}'
            for kind, paint in paints.items()
        ]
        rules += [
            f':root[data-theme="{theme}"] .swatch.k-{kind} {{ background: {paint.fill}; border-color: {paint.stroke} }}'
            for kind, paint in paints.items()
        ]
    return "\n".join(rules)


def shared(data: Any) -> dict[str, Any]:
    """The data with everything that repeats written only once.

    Returns ``{"pool": [...], "data": ...}``: repeated lists and mappings are in the pool, inner ones before outer ones,
    and are replaced with ``{"@": index}``.
    """
    counts: Counter[str] = Counter()
    _count(data, counts)
    pool: list[Any] = []
    return {"data": _refer(data, counts, {}, pool), "pool": pool}


def _count(value: Any, counts: Counter[str]) -> None:
    if not isinstance(value, list | dict):
        return
    key = _key(value)
    counts[key] += 1
    if counts[key] == 1:
        for inner in value.values() if isinstance(value, dict) else value:
            _count(inner, counts)


def _refer(value: Any, counts: Counter[str], places: dict[str, int], pool: list[Any]) -> Any:
    if not isinstance(value, list | dict):
        return value
    key = _key(value)
    if key not in places:
        made: Any = (
            {name: _refer(inner, counts, places, pool) for name, inner in value.items()}
            if isinstance(value, dict)
            else [_refer(inner, counts, places, pool) for inner in value]
        )
        if counts[key] < 2 or len(key) < LEAST:
            return made
        places[key] = len(pool)
        pool.append(made)
    return {REFERENCE: places[key]}


def _key(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
