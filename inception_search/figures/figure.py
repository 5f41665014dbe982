"""A finished figure: its SVG and size, and how it is saved and displayed."""

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
Panels: TypeAlias = Sequence[tuple[str, Part]]  # headings, and the parts below them


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: ``svg`` is the whole document, ``width`` and ``height`` its size in px (1/96 inch).

    ``outline`` describes it in words; a notebook shows the figure, a terminal the words. ``drawing`` and ``panels`` are
    its placed and unplaced parts, for formats that are not made from the SVG; a comparison has no panels. ``bare`` is
    the drawing without the margins that extend it to the paper's width. ``how`` is its printed size and palette.
    ``note`` warns about small type or a height above a page's, if necessary; ``less`` lists options that the note
    recommends.
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
        """The printed size of a px of the drawing; 1.0 is the size on screen, 1/96 inch."""
        return self.how.scale(self.drawing.width) if self.how.sized else 1.0

    @checked
    def printed(
        self, *, width: str | float | None = None, font_size: float | None = None, palette: str | None = None
    ) -> Figure:
        """The same drawing at a width (``"240pt"``, mm, cm, in or px), font size in points and palette.

        The layout stays the same, unlike in :func:`draw` with these options; ``note`` warns if type is too small.
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
        """Write the figure to ``path`` in the format of its suffix.

        The suffix is ``.svg``, ``.png`` (needs the png extra), ``.pdf``, ``.html``, ``.dot``, ``.mmd`` (Mermaid),
        ``.tikz``, ``.tex`` or ``.txt``. Raises :class:`ConfigError` for another suffix or a missing folder, and an
        :class:`InceptionSearchError` if the file cannot be written. A file is never written partially.
        """
        target = Path(path)
        suffix = known(target.suffix, str(target))
        return save_as(target, rendered(self, suffix))

    @checked
    def text(self, suffix: str) -> str:
        """The content of a file with ``suffix`` (``.dot``, ``.txt`` ...), for a terminal."""
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
    """The figure of a placed drawing, with the printed size and palette of ``how``.

    ``about`` describes it in one line and ``words`` in full; by default they are made from the panels. ``less`` lists
    options that reduce the content, for the note of a figure that is too wide.
    """
    title = clean(title)
    line = sentence(panels[0][1]) if about is None else about
    outline_text = "\n\n".join(
        f"{clean(heading)}\n{outline(part)}" if heading else outline(part) for heading, part in panels
    )
    how = how or Print()
    note = how.note(drawing, less)
    bare, drawing = drawing, padded(drawing, how)
    picture = svg(drawing, title=title, description=line, how=how)
    outline_text = outline_text if words is None else words
    zoom = how.scale(drawing.width) if how.sized else 1.0
    width, height = round(drawing.width * zoom), round(drawing.height * zoom)
    return Figure(
        picture, width, height, title, outline_text, drawing, tuple(panels), line, bare, flow, how, note, less
    )


def save_as(target: Path, data: bytes | str) -> Path:
    """Write ``data`` to ``target`` and return it.

    Raises :class:`ConfigError` for a missing or read-only folder and :class:`StorageFullError` if the disk is full.
    """
    if not target.parent.is_dir():
        raise ConfigError("no such folder", path=str(target.parent), hint="create the folder first")
    try:
        write_atomic(target, data)
    except StorageFullError:
        raise
    except RunFolderError as error:
        hint = "save it in a writable folder"
        raise ConfigError(error.rule, path=str(target), hint=hint) from error
    return target
