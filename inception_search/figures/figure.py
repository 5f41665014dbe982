"""A finished figure: its SVG, its size, and how it is saved and shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from inception_search.errors import ConfigError, RunFolderError, StorageFullError
from inception_search.figures.svg import text
from inception_search.store.atomic import write_atomic

PNG_ZOOM = 2  # PNG pixels per px of the figure


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing: ``svg`` is the whole document, ``width`` and ``height`` its size in px.

    ``outline`` is the same in words; a notebook shows the picture, a terminal the words.
    """

    svg: str
    width: int
    height: int
    title: str
    outline: str

    def save(self, path: str | Path) -> Path:
        """Write the figure; the suffix says how: ``.svg``, ``.png`` (needs the png extra) or ``.html``.

        :class:`ConfigError` for another suffix or a folder that is not there; an
        :class:`InceptionSearchError` where the file cannot be written. Never half a file.
        """
        target = Path(path)
        render = _SUFFIXES.get(target.suffix.lower())
        if render is None:
            raise ConfigError(
                "a figure is not saved under this suffix",
                path=str(target),
                found=target.suffix,
                expected=f"one of {', '.join(_SUFFIXES)}",
            )
        if not target.parent.is_dir():
            raise ConfigError("no such folder", path=str(target.parent), mend="make the folder first")
        try:
            write_atomic(target, render(self))
        except StorageFullError:
            raise
        except RunFolderError as error:
            mend = "save it in a folder you may write to"
            raise ConfigError(error.rule, path=str(target), mend=mend) from error
        return target

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": self.outline}

    def __repr__(self) -> str:
        return f"Figure({self.title!r}, {self.width}x{self.height} px)"


def _svg(figure: Figure) -> bytes:
    return figure.svg.encode()


def _png(figure: Figure) -> bytes:
    try:
        import resvg_py
    except ImportError:
        raise ConfigError(
            "PNG figures need the resvg-py package",
            mend='write pip install "inception-search[png]", or save as .svg or .html',
        ) from None
    return bytes(resvg_py.svg_to_bytes(svg_string=figure.svg, zoom=PNG_ZOOM, font_files=_fonts()))


def _fonts() -> list[str]:
    """The fonts that matplotlib brings, for machines that have none."""
    found = find_spec("matplotlib")
    folder = Path(found.origin).parent / "mpl-data/fonts/ttf" if found and found.origin else None
    names = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
    return [str(folder / name) for name in names if (folder / name).is_file()] if folder else []


def _html(figure: Figure) -> bytes:
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(figure.title)}</title>\n"
        "<style>body { margin: 1rem; text-align: center } svg { max-width: 100%; height: auto }</style>\n"
        f"</head>\n<body>\n{figure.svg}</body>\n</html>\n"
    )
    return page.encode()


_SUFFIXES: dict[str, Callable[[Figure], bytes]] = {".svg": _svg, ".png": _png, ".html": _html}
