"""A report as a self-contained HTML page: no scripts, nothing loaded from anywhere."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from inception_search.figures.paint.svg import clean, text
from inception_search.report.blocks import Block

if TYPE_CHECKING:
    from jinja2 import Environment


def page(title: str, lead: str, sections: Iterable[tuple[str, Sequence[Block]]]) -> str:
    """An HTML document of headings and what stands under each; every text in it is plain and is escaped."""
    return _environment().get_template("report.html").render(title=title, lead=lead, sections=list(sections))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("inception_search.report"),
        autoescape=True,
        finalize=_cleaned,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"prose": _prose, "data_url": _data_url, "zip": zip}
    return environment


def _cleaned(value: Any) -> Any:
    """Texts without invisible characters; finished HTML as it is."""
    return clean(value) if type(value) is str else value


@lru_cache(maxsize=4096)
def _prose(words: str) -> Any:
    """``words`` escaped, and what stands between backticks as code."""
    from markupsafe import Markup

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", text(words)))


def _data_url(svg: str) -> str:
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
