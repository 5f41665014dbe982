"""Where the shipped documents are: inside an installed wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

from inception_search.errors import DocumentError

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "_search_spaces", _PACKAGE.parent / "search_spaces")


def shipped_folder() -> Path:
    """The folder of shipped documents: spaces, and canonical networks in ``canonical/``."""
    for place in _PLACES:
        if place.is_dir():
            return place
    raise DocumentError(
        "the shipped documents are missing",
        found=str(_PLACES[0]),
        hint="install inception-search again; its wheel carries them",
    )


def shipped_names(folder: str = "") -> tuple[str, ...]:
    """The names of the documents in ``folder`` of the shipped ones, sorted."""
    return tuple(sorted(path.stem for path in (shipped_folder() / folder).glob("*.yaml")))
