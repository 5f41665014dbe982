"""PNG, by resvg: the same picture on every machine that has the same fonts."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from inception_search.errors import ConfigError
from inception_search.figures.figure import Figure

ZOOM = 2  # PNG pixels per px of the figure


def render(figure: Figure) -> bytes:
    """A PNG twice as wide as the figure; :class:`ConfigError` without the package resvg-py."""
    try:
        import resvg_py
    except ImportError:
        raise ConfigError(
            "PNG figures need the resvg-py package",
            mend='write pip install "inception-search[png]", or save as .pdf, .svg or .html',
        ) from None
    return bytes(resvg_py.svg_to_bytes(svg_string=figure.svg, zoom=ZOOM, font_files=_fonts()))


def _fonts() -> list[str]:
    """The fonts that matplotlib brings, for machines that have none."""
    found = find_spec("matplotlib")
    folder = Path(found.origin).parent / "mpl-data/fonts/ttf" if found and found.origin else None
    names = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
    return [str(folder / name) for name in names if (folder / name).is_file()] if folder else []
