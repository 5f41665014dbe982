"""A finished figure: its SVG, its size, and how it is saved and shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from inception_search.arguments import checked
from inception_search.errors import ConfigError, RunFolderError, StorageFullError
from inception_search.figures.formats.table import checked as known
from inception_search.figures.formats.table import rendered
from inception_search.figures.network.outline import outline, sentence
from inception_search.figures.network.place import Placement
from inception_search.figures.network.tree import Part
from inception_search.figures.paint.svg import clean, svg
from inception_search.figures.printing.size import Print, padded, print_of
from inception_search.store.atomic import write_atomic

Flow: TypeAlias = Literal["down", "up", "right"]
Panels: TypeAlias = Sequence[tuple[str, Part]]  # headings, and what stands under them


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing: ``svg`` is the whole document, ``width`` and ``height`` its size in px (1/96 inch).

    ``outline`` is the same in words; a notebook shows the picture, a terminal the words. ``drawing`` and ``panels``
    are what it shows, placed and not, for the formats that are not made of the SVG; a comparison has no panels.
    ``bare`` is the drawing without the margins that make it as wide as the paper. ``how`` is its size on paper and its
    palette, ``note`` what to know of them: type that is too small, a height above a page's, or nothing; ``less``:
    options that the note advises.
    """

    svg: str
    width: int
    height: int
    title: str
    outline: str
    drawing: Placement = field(repr=False)
    panels: tuple[tuple[str, Part], ...] = field(repr=False)
    about: str = field(repr=False)
    bare: Placement = field(repr=False)
    flow: Flow = "down"
    how: Print = Print()  # noqa: RUF009  # frozen
    note: str = ""
    less: str = field(default="", repr=False)

    @property
    def scale(self) -> float:
        """How large a px of the drawing is on paper; 1.0: as on the screen, 1/96 inch."""
        return self.how.scale(self.drawing.width) if self.how.sized else 1.0

    @checked
    def printed(
        self, *, width: str | float | None = None, font_size: float | None = None, palette: str | None = None
    ) -> Figure:
        """The same drawing at a width (``"240pt"``, mm, cm, in or px), with type of ``font_size`` points, in a palette.

        Nothing is laid out anew, as :func:`draw` does it with the same options; ``note`` says where type is too small.
        """
        return figure(
            self.title,
            self.bare,
            self.panels,
            about=self.about,
            words=self.outline,
            flow=self.flow,
            how=print_of(width, font_size, palette),
            less=self.less,
        )

    @checked
    def save(self, path: str | Path) -> Path:
        """Write the figure; the suffix says how: ``.svg``, ``.png`` (needs the png extra), ``.pdf``, ``.html``,
        ``.dot``, ``.mmd`` (Mermaid), ``.tikz``, ``.tex`` or ``.txt``.

        :class:`ConfigError` for another suffix or a folder that is not there; an
        :class:`InceptionSearchError` where the file cannot be written. Never half a file.
        """
        target = Path(path)
        suffix = known(target.suffix, str(target))
        return save_as(target, rendered(self, suffix))

    @checked
    def text(self, suffix: str) -> str:
        """What :meth:`save` writes under ``suffix`` (``.dot``, ``.txt`` ...), for a terminal."""
        return rendered(self, known(suffix, suffix)).decode()

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": self.outline}

    def __repr__(self) -> str:
        return f"Figure({self.title!r}, {self.width}x{self.height} px)"


def figure(
    title: str,
    drawing: Placement,
    panels: Panels = (),
    *,
    about: str | None = None,
    words: str | None = None,
    flow: Flow = "down",
    how: Print | None = None,
    less: str = "",
) -> Figure:
    """The figure of a placed drawing, with its size on paper and palette where ``how`` gives them.

    ``about`` describes it in a line and ``words`` in full, by default the first panel, and all of them, in words.
    ``less`` are the options with which there is less to draw, for the note of a picture that is too wide.
    """
    title = clean(title)
    line = sentence(panels[0][1]) if about is None else about
    told = "\n\n".join(f"{clean(heading)}\n{outline(part)}" if heading else outline(part) for heading, part in panels)
    how = how or Print()
    note = how.note(drawing, less)
    bare, drawing = drawing, padded(drawing, how)
    picture = svg(drawing, title=title, description=line, how=how)
    told = told if words is None else words
    zoom = how.scale(drawing.width) if how.sized else 1.0
    width, height = round(drawing.width * zoom), round(drawing.height * zoom)
    return Figure(picture, width, height, title, told, drawing, tuple(panels), line, bare, flow, how, note, less)


def save_as(target: Path, data: bytes | str) -> Path:
    """Write ``data`` to ``target`` and return it.

    :class:`ConfigError` where its folder is not there or may not be written to, :class:`StorageFullError` on a full
    disk.
    """
    if not target.parent.is_dir():
        raise ConfigError("no such folder", path=str(target.parent), hint="make the folder first")
    try:
        write_atomic(target, data)
    except StorageFullError:
        raise
    except RunFolderError as error:
        hint = "save it in a folder you may write to"
        raise ConfigError(error.rule, path=str(target), hint=hint) from error
    return target
