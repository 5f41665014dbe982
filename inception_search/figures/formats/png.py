"""PNG, by resvg: the same pixels on every machine with the same fonts."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from inception_search.errors import MissingRequirementError
from inception_search.extras import install
from inception_search.figures.figure import Figure

ZOOM = 2  # PNG pixels per px of the figure
DPI = 300  # PNG pixels per inch of a figure with a size on paper


def png(figure: Figure) -> bytes:
    """A PNG twice as wide as the figure, or with 300 pixels per inch if the figure has a printed size.

    A width in px is the number of pixels. Raises :class:`MissingRequirementError` without the package resvg-py.
    """
    try:
        import resvg_py
    except ImportError:
        raise MissingRequirementError(
            "PNG figures need the resvg-py package",
            hint=f"{install('png')}; or save as .pdf, .svg or .html",
        ) from None
    how = figure.how
    if not how.sized:
        return bytes(resvg_py.svg_to_bytes(svg_string=figure.svg, zoom=ZOOM, font_files=_fonts()))
    inches = figure.drawing.width * figure.scale / 96
    pixels = round(how.width) if how.width is not None and how.unit == "px" else round(DPI * inches)
    return bytes(
        resvg_py.svg_to_bytes(svg_string=figure.svg, width=pixels, dpi=96, background="#ffffff", font_files=_fonts())
    )


def _fonts() -> list[str]:
    """The fonts in the matplotlib package, for machines without fonts."""
    found = find_spec("matplotlib")
    folder = Path(found.origin).parent / "mpl-data/fonts/ttf" if found and found.origin else None
    names = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
    return [str(folder / name) for name in names if (folder / name).is_file()] if folder else []
