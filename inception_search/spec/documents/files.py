"""Document files: the shipped ones, reading one, and the optional checksum in the first line.

A study writes the checksum above its best network, because one changed digit would make it another network.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from inception_search.errors import DocumentError, LimitError, Place
from inception_search.spec.limits import MAX_DOCUMENT_BYTES

_PACKAGE = Path(__file__).resolve().parents[2]
_PLACES = (_PACKAGE / "_search_spaces", _PACKAGE.parent / "search_spaces")  # in an installed wheel, in a checkout
_FIRST = re.compile(r"# checksum ([0-9a-f]{8})\b.*\n")


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
    """The sorted names of the shipped documents in ``folder``."""
    return tuple(sorted(path.stem for path in (shipped_folder() / folder).glob("*.yaml")))


def read_text(path: Path | str) -> str:
    """The text of a document file; raises :class:`DocumentError` if it cannot be read."""
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MAX_DOCUMENT_BYTES + 1)
        if len(data) > MAX_DOCUMENT_BYTES:
            expected = f"at most {MAX_DOCUMENT_BYTES} bytes"
            raise LimitError("the document is too large", place=Place(str(path)), expected=expected)
        text = data.decode("utf-8")
        check_checksum(text, str(path))
        return text
    except FileNotFoundError:
        raise DocumentError("no such file", place=Place(str(path)), hint="check the path") from None
    except IsADirectoryError:
        hint = "name the .yaml file in it; a run folder is one that `inception-search search` has made"
        raise DocumentError("a folder, not a document", place=Place(str(path)), hint=hint) from None
    except UnicodeDecodeError as error:
        raise DocumentError(f"not UTF-8 text (byte {error.start})", place=Place(str(path))) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DocumentError(f"cannot be read: {reason}", place=Place(str(path))) from None


def with_checksum(text: str) -> str:
    """``text`` below a comment with its CRC-32; a file without the comment is not checked."""
    return (
        f"# checksum {_crc(text)} of all lines below; to edit this network, copy the file and delete this line\n{text}"
    )


def check_checksum(text: str, file: str) -> None:
    """Raise :class:`DocumentError` if the first line has a checksum that does not match the other lines."""
    found = _FIRST.match(text)
    if found is not None and found[1] != _crc(text[found.end() :]):
        raise DocumentError(
            "the checksum in the first line does not fit the rest: the file was changed since it was written",
            place=Place(file),
            hint="`inception-search report RUN` writes the best.yaml of a study again; to use it as it is, copy it to "
            "another file and delete the first line there",
        )


def _crc(text: str) -> str:
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}"
