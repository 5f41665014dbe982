"""The image files in a folder with their splits and classes, derived from folder names without opening images.

A folder has exactly one interpretation, or is refused with an error that explains how it was read.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from inception_search.data.pictures import ENDINGS
from inception_search.errors import DataError, Place, raw

SPELLINGS = {"train": ("train",), "validation": ("val", "valid", "validation"), "test": ("test",)}
_SPLIT_OF = {name: split for split, names in SPELLINGS.items() for name in names}
_NAMES = "train, val, valid, validation and test"
_ELSE = f"folders called {_NAMES} (in any case) are read as splits where they hold a folder for each class"

Kind: TypeAlias = Literal["folder", "file", "link to nothing", "special file"]


@dataclass
class Ignored:
    """Counts and paths of ignored entries, and of nested images."""

    endings: Counter[str] = field(default_factory=Counter)
    special: list[Path] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    upward: list[Path] = field(default_factory=list)
    """Links to a folder that contains the class folder, and therefore images of other classes."""
    outside: list[Path] = field(default_factory=list)
    """Images beside the class folders."""
    nested: int = 0
    """Images in sub-folders of a class, which are used."""

    def sentences(self, root: Path) -> Iterator[str]:
        """Sentences for the user, with paths relative to ``root``."""
        if self.nested:
            yield f"images in sub-folders of a class's folder: {self.nested}, used as images of that class"
        if self.endings:
            endings = ", ".join(f"{ending or 'none'}: {count}" for ending, count in self.endings.most_common(5))
            yield f"files ignored because of their ending: {self.endings.total()} ({endings})"
        for files, what in (
            (self.special, "FIFOs, sockets and devices ignored"),
            (self.links, "broken links ignored"),
            (self.upward, "links to a folder above the class ignored"),
            (self.outside, "images outside the class folders ignored"),
        ):
            if files:
                yield f"{what}: {len(files)}, the first {files[0].relative_to(root)}"


@dataclass(frozen=True)
class Tree:
    """The sorted class names, and for each existing split the images of each class."""

    train: Path
    """The folder with the class folders of the training split."""
    classes: tuple[str, ...]
    splits: dict[str, tuple[tuple[Path, ...], ...]]
    notes: tuple[str, ...]


def read_tree(root: Path) -> Tree:
    """The tree under ``root``: ``<split>/<class>/**`` or ``<class>/**``.

    Raises DataError for a folder that is missing, unreadable or ambiguous, or has no such layout.
    """
    with _readable(root):
        if not root.is_dir():
            hint = "name another (--data-root; of a study, data_root in study.yaml)"
            raise DataError("the folder is not there", place=Place(str(root)), hint=hint)
        ignored = Ignored()
        folders = _split_folders(root)
        classes = _classes(folders["train"], ignored)
        splits = {}
        for split, folder in folders.items():
            if split != "train":
                _check_same_classes(folder, _classes(folder, ignored), folders["train"], classes)
            splits[split] = tuple(_pictures(folder / name, ignored) for name in classes)
        return Tree(folders["train"], classes, splits, (*_beside(root, folders), *ignored.sentences(root)))


def _split_folders(root: Path) -> dict[str, Path]:
    """The folder of each existing split; ``root`` itself is the training split if its folders are classes."""
    named = _named_splits(root)
    splits = {split: folder for split, folder in named.items() if _holds(folder, "folder")}
    classes = [folder for folder in named.values() if folder not in splits.values()]
    if not splits:
        others = [name for name in _folders(root) if root / name not in classes]
        if classes and not others:
            found = ", ".join(folder.name for folder in classes)
            rule = f"the folders are called like splits ({found}), but hold no folder for each class"
            raise DataError(rule, place=Place(str(root)), hint=f"put the images of each class into a folder; {_ELSE}")
        return {"train": root}
    for folder in classes:
        rule = (
            f"the folder is read as the {_SPLIT_OF[folder.name.casefold()]} split, but holds no folder for each class"
        )
        hint = f"give it the class folders of {_names(splits)}, or move or rename it; {_ELSE}"
        raise DataError(rule, place=Place(str(folder)), hint=hint)
    for folder in splits.values():
        if _holds(folder, "picture"):
            rule = "the folder is read as a split, but holds images beside its class folders"
            hint = f"put them into a class folder; if {folder.name} is a class, rename it; {_ELSE}"
            raise DataError(rule, place=Place(str(folder)), hint=hint)
    if "train" not in splits:
        rule = f"there is a validation or test folder but no 'train': {_names(splits)} is read as a split"
        hint = f"add 'train'; if {_names(splits)} is a class, rename it; {_ELSE}"
        raise DataError(rule, place=Place(str(root)), hint=hint)
    return {split: splits[split] for split in SPELLINGS if split in splits}


def _beside(root: Path, folders: dict[str, Path]) -> Iterator[str]:
    """A sentence about folders beside the split folders, if there are any."""
    beside = [name for name in _folders(root) if root / name not in folders.values()]
    if beside and root not in folders.values():
        yield f"folders beside the splits are not used: {', '.join(beside)}"


def _named_splits(root: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name in _folders(root):
        split = _SPLIT_OF.get(name.casefold())
        if split in found:
            rule = f"two folders are called like the {split} split"
            both = raw(f"{found[split].name} and {name}")
            raise DataError(rule, place=Place(str(root)), found=both, hint=f"rename or remove one; {_ELSE}")
        if split is not None:
            found[split] = root / name
    return found


def _names(splits: dict[str, Path]) -> str:
    return " and ".join(folder.name for folder in splits.values())


def _classes(folder: Path, ignored: Ignored) -> tuple[str, ...]:
    """The names of the class folders in ``folder``, at least two."""
    for entry, kind in _entries(folder):
        if kind == "link to nothing" and entry.suffix.lower() not in ENDINGS:
            hint = "restore the folder it points to, or remove the link"
            raise DataError("the link in place of a class folder points to nothing", place=Place(str(entry)), hint=hint)
        if kind == "file" and entry.suffix.lower() in ENDINGS:
            ignored.outside.append(entry)
    classes = tuple(_folders(folder))
    if not classes:
        expected = "one sub-folder of images per class"
        raise DataError("the folder holds no classes", place=Place(str(folder)), expected=expected)
    if len(classes) == 1:
        inner = folder / classes[0]
        hint = "put the images of each class into a folder of its own"
        if _holds(inner, "folder"):
            hint = f"if the folders inside it are the classes, use {inner} as the data root (--data-root); else {hint}"
        raise DataError(
            "there is only one class folder here",
            place=Place(str(folder)),
            found=classes[0],
            expected="at least two",
            hint=hint,
        )
    _check_no_splits_inside(folder, classes)
    return classes


def _check_no_splits_inside(folder: Path, classes: tuple[str, ...]) -> None:
    """Refuse ``<class>/train/**``, because its test images would be used for training."""
    for name in classes:
        inside = [inner for inner in _folders(folder / name) if inner.casefold() in _SPLIT_OF]
        if len(inside) < 2:
            return
    rule = f"each class's folder holds folders called like splits ({', '.join(inside)})"
    hint = "reverse the order: a folder for each split, and in it one for each class"
    raise DataError(rule, place=Place(str(folder)), hint=hint)


def _check_same_classes(folder: Path, found: tuple[str, ...], train: Path, classes: tuple[str, ...]) -> None:
    if found != classes:
        odd = sorted(set(found) ^ set(classes))
        rule = f"the classes differ from those in {train}"
        hint = "give every split the same class folders"
        raise DataError(rule, place=Place(str(folder)), found=odd, hint=hint)


def _pictures(folder: Path, ignored: Ignored) -> tuple[Path, ...]:
    """The sorted image files in a class folder and all folders below it; hidden files are ignored."""
    found, waiting, seen = [], [folder], set[tuple[int, int]]()
    above = {_identity(parent) for parent in (*folder.absolute().parents, *folder.resolve().parents)}
    while waiting:
        here = waiting.pop()
        same = _identity(here)
        if same in above:
            ignored.upward.append(here)
            continue
        if same in seen:  # a link to a folder that was already visited
            continue
        seen.add(same)
        for entry, kind in _entries(here):
            if kind == "folder":
                waiting.append(entry)
            elif kind == "link to nothing":
                ignored.links.append(entry)
            elif kind == "special file":
                ignored.special.append(entry)
            elif entry.suffix.lower() not in ENDINGS:
                ignored.endings[entry.suffix.lower()] += 1
            else:
                found.append(entry)
                ignored.nested += here != folder
    if not found:
        expected = "files ending in " + ", ".join(sorted(ENDINGS))
        raise DataError("the class folder holds no images", place=Place(str(folder)), expected=expected)
    return tuple(sorted(found))


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _holds(folder: Path, what: Literal["folder", "picture"]) -> bool:
    """Whether ``folder`` directly contains a folder or an image."""
    if what == "folder":
        return any(kind == "folder" for _, kind in _entries(folder))
    return any(kind == "file" and entry.suffix.lower() in ENDINGS for entry, kind in _entries(folder))


def _folders(folder: Path) -> list[str]:
    """The sorted names of the folders in ``folder``."""
    return [entry.name for entry, kind in _entries(folder) if kind == "folder"]


def _entries(folder: Path) -> list[tuple[Path, Kind]]:
    """The visible entries of ``folder``, sorted by name, with their kinds; links are followed."""
    return [(entry, _kind(entry)) for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]


def _kind(path: Path) -> Kind:
    try:
        mode = path.stat().st_mode
    except PermissionError:
        raise
    except OSError:  # the target is missing, or links form a cycle
        return "link to nothing"
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) else "special file"


@contextmanager
def _readable(root: Path) -> Iterator[None]:
    """Convert an OSError to a DataError that names the folder."""
    try:
        yield
    except OSError as error:
        where = os.fsdecode(error.filename) if error.filename else str(root)
        hint = "allow it to be read (chmod), or name another folder (--data-root)"
        raise DataError(
            "the folder cannot be read", place=Place(where), found=raw(error.strerror or str(error)), hint=hint
        ) from None
