"""The place of an exported file or folder: checked before, and filled at the end in one step."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inception_search.errors import ConfigError, raw
from inception_search.exports.format import Format

_LETTERS = 40


def check_target(target: Path, kind: Format, to: str, force: bool) -> None:
    """Raise ConfigError unless the file or folder of the format ``to`` may be written as ``target``."""
    if "\0" in str(target):
        raise ConfigError("a name with a null character", path="path", found=str(target), hint="choose another name")
    try:
        _check_names(target, kind, to, force)
    except OSError as error:  # such as a name that is too long
        raise _cannot_write(target, error) from error


def _check_names(target: Path, kind: Format, to: str, force: bool) -> None:
    if not target.name.endswith(kind.suffix) or target.name in ("", kind.suffix):
        expected = f"a name that ends in {kind.suffix}" if kind.suffix else "the name of a new folder"
        raise ConfigError(f"not the name of a {_what(kind)} of {to}", path="path", found=str(target), expected=expected)
    if not target.parent.is_dir():
        hint = "make it first, or check the path"
        raise ConfigError("there is no such folder to write to", path="path", found=str(target.parent), hint=hint)
    if target.is_dir() != bool(kind.files) and target.exists():
        rule = "this is a file" if kind.files else "this is a folder"
        raise ConfigError(rule, path="path", found=str(target), hint="choose another name")
    others = [target.with_name(target.stem + end) for end in kind.beside]
    taken = next((each for each in (target, *others) if each.exists()), None)
    if taken is not None and not force:
        rule = f"the {_what(kind)} exists"
        raise ConfigError(rule, path="path", found=str(taken), hint="use force=True to replace it")
    foreign = sorted({each.name for each in target.iterdir()} - {*kind.files}) if kind.files and taken else []
    if foreign:
        rule, expected = "the folder has other files, which would be lost", f"only {' and '.join(kind.files)}"
        raise ConfigError(rule, path=str(target), found=foreign[0], expected=expected, hint="choose another name")


def _what(kind: Format) -> str:
    return "folder" if kind.files else "file"


def put_in_place(folder: Path, target: Path) -> None:
    """Move what is in ``folder``, with ``target`` by its name among it, to the folder of ``target``."""
    made = folder / target.name
    if made.is_dir():
        _replace_folder(made, target)
        return
    for each in sorted(folder.iterdir(), key=lambda each: each == made):  # the file itself last
        os.replace(each, target.with_name(each.name))  # noqa: PTH105


def _replace_folder(made: Path, target: Path) -> None:
    """Rename ``made`` to ``target``. A folder there is moved beside ``made``, and back if the rename fails."""
    if not target.exists():
        made.rename(target)
        return
    former = made.with_name(f"{made.name}.former")
    target.rename(former)
    try:
        made.rename(target)
    except OSError:
        former.rename(target)
        raise


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """A folder in that of the target, which is removed with all that is in it."""
    try:
        beginning = target.name[:_LETTERS]  # all of it and the random part could be too long together
        folder = Path(tempfile.mkdtemp(prefix=f".{beginning}.", dir=target.parent))
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        yield folder
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cannot_write(target: Path, error: OSError) -> ConfigError:
    hint = "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "choose another place"
    found = raw(error.strerror or type(error).__name__)
    return ConfigError("the file cannot be written", path=str(target), found=found, hint=hint)
