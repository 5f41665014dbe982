"""Ops, spaces, strategies, datasets and proxies of other packages, found by their entry points (docs/plugins.md).

Names are read from the metadata of installed packages. A package is imported when one of its names is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from inception_search.errors import InceptionSearchError, PluginError, raw

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Kind: TypeAlias = Literal["op", "space", "strategy", "dataset", "proxy"]
GROUPS: dict[Kind, str] = {
    "op": "inception_search.ops",
    "space": "inception_search.spaces",
    "strategy": "inception_search.strategies",
    "dataset": "inception_search.datasets",
    "proxy": "inception_search.proxies",
}
OURS = "inception-search"


@cache
def added(kind: Kind) -> dict[str, tuple[EntryPoint, ...]]:
    """The entry points of a kind by name, in alphabetical order. Duplicate names are refused when they are used."""
    from importlib.metadata import entry_points

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in sorted(entry_points(group=GROUPS[kind]), key=lambda entry: (entry.name, package_of(entry))):
        found[entry.name] = (*found.get(entry.name, ()), entry)
    return found


def all_names(kind: Kind, own: Iterable[str]) -> tuple[str, ...]:
    """The names of this package, then those of other packages; imports nothing."""
    return tuple(dict.fromkeys((*own, *added(kind))))


def origin(kind: Kind, name: str) -> str:
    """The packages that add ``name``, joined by "and"; empty for a name that only this package has.

    >>> origin("strategy", "random")
    ''
    """
    return " and ".join(dict.fromkeys(map(package_of, added(kind).get(name, ()))))


def find(kind: Kind, name: str, own: Iterable[str]) -> Any:
    """The object that another package adds under ``name``, imported; None if no package adds it.

    ``own`` are the names of this package. Raises :class:`PluginError` if several packages define the name, this one
    included, or if the package cannot be imported.
    """
    entries = added(kind).get(name, ())
    if not entries:
        return None
    packages = [OURS] * (name in own) + [package_of(entry) for entry in entries]
    if len(packages) > 1:
        raise PluginError(
            f"two packages have a {kind} of one name",
            found=raw(f"{name!r} of {' and of '.join(packages)}"),
            hint=f"uninstall {packages[-1]}, or rename what it adds",
        )
    try:
        found = entries[0].load()
    except Exception as error:  # our own errors, too: they would not name the package
        raise _failed(kind, name, error) from error
    if found is None:
        raise unusable(kind, name, f"None at {entries[0].value}")
    return found


@contextmanager
def guarded(kind: Kind, name: str, *own: type[Exception]) -> Iterator[None]:
    """Turn exceptions of another package's code into a :class:`PluginError` that names the package.

    Errors of this package, which are more specific, and those of the types ``own`` are not changed.
    """
    try:
        yield
    except InceptionSearchError:
        raise
    except own:
        raise
    except Exception as error:
        raise _failed(kind, name, error) from error


def _failed(kind: Kind, name: str, error: Exception) -> PluginError:
    return unusable(kind, name, f"{type(error).__name__}: {error}")


def unusable(kind: Kind, name: str, found: str, expected: str | None = None) -> PluginError:
    """The error for an unusable ``name`` of another package; it names the package."""
    package = origin(kind, name)
    return PluginError(
        f"package {package} adds the {kind} {name!r}, which cannot be used",
        found=raw(found),
        expected=expected,
        hint=f"update or uninstall {package}; the mistake is in that package",
    )


def package_of(entry: EntryPoint) -> str:
    """The name of the package that defines an entry point."""
    return entry.dist.name if entry.dist is not None else entry.value.partition(".")[0].partition(":")[0]
