"""Find networks by shipped name, path or text, and modules inside them."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from inception_search.errors import ConfigError, Place, SpecError, UnknownNameError, unknown_name
from inception_search.spec.documents.dialect import dialects_of
from inception_search.spec.documents.files import read_text, shipped_folder, shipped_names
from inception_search.spec.documents.likely_mistakes import warn_of_order, warn_of_unused_blocks
from inception_search.spec.documents.parse import UPGRADES, check_header, load_network, parse_network
from inception_search.spec.documents.yaml_reader import read_yaml
from inception_search.spec.network import SCHEMA, VERSION, Network
from inception_search.spec.safetensors_header import read_document
from inception_search.spec.step import AnyStep, Use

FOLDER = "canonical"
MODEL = ".safetensors"
SUFFIXES = (".yaml", ".yml", ".json", MODEL)
WEIGHTS = (".pth", ".pt", ".bin", ".h5", ".hdf5", ".keras", ".ckpt", ".ckpt.index")


def names() -> tuple[str, ...]:
    """The names of the shipped networks, sorted."""
    return shipped_names(FOLDER)


def list_models(
    filter: str | Iterable[str] = "*",  # noqa: A002 (timm's word)
    *,
    exclude_filters: str | Iterable[str] = (),
    dialects: bool = True,
) -> list[str]:
    """List the names of the shipped networks and their dialects, as timm's ``list_models`` does.

    Args:
        filter: one pattern or several, as for file names (``*``, ``?``, ``[ab]``); names that match one are listed.
        exclude_filters: one pattern or several of names to omit.
        dialects: include the dialects (``"inception_v3@keras"``) of each network.

    Returns:
        The names, sorted; :func:`load` and :func:`compile` accept each of them.

    Raises:
        ConfigError: a pattern is not text.

    >>> ins.list_models("*v3@t*")
    ['inception_v3@timm', 'inception_v3@torchvision']
    >>> ins.list_models("inception_resnet*", dialects=False)
    ['inception_resnet_v1', 'inception_resnet_v2']
    """
    every = [name for network in names() for name in (network, *_readings(network, dialects))]
    wanted, unwanted = _patterns(filter), _patterns(exclude_filters)

    def matches(name: str, patterns: list[str]) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    return [name for name in every if matches(name, wanted) and not matches(name, unwanted)]


def _readings(network: str, wanted: bool) -> list[str]:
    """The names of a network's dialects, if wanted."""
    return [f"{network}@{dialect}" for dialect in _dialects(network)] if wanted else []


def _patterns(given: str | Iterable[str]) -> list[str]:
    """Patterns given as one text or several; an empty one, timm's default, matches all names."""
    patterns = [given] if isinstance(given, str) else list(given) if isinstance(given, Iterable) else [given]
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise ConfigError("not a pattern of names", found=pattern, expected="a text such as '*v3*', or several")
    return [pattern or "*" for pattern in patterns]


def list_dialects(network: str | Path) -> dict[str, str]:
    """List the dialects of a network: the variants of the paper and of each implementation.

    Args:
        network: a shipped name or the path of a document.

    Returns:
        The dialects by name, with a description, the main one first. ``"name@dialect"`` is the network in a dialect.

    Raises:
        UnknownNameError: the name is unknown.
        DocumentError: the document cannot be read.

    >>> list(ins.list_dialects("inception_v3"))
    ['timm', 'torchvision', 'caffe', 'slim', 'keras', 'fid']
    """
    name, dialect = _found(network)
    found = dict(_dialects(str(name))) if name in names() else _dialects_in(Path(name))
    if dialect is not None and dialect not in found:
        raise unknown_name(f"dialect of {name}", dialect, found)
    return found


def load(network: str | Path) -> Network:
    """A network by shipped name, from a file (a saved model, too), from YAML text, or the best of a run folder.

    ``name@dialect`` and ``file.yaml@dialect`` are the variant of the network in another implementation.

    Raises :class:`~inception_search.errors.UnknownNameError` for an unknown name, and
    :class:`~inception_search.errors.DocumentError` for a document that cannot be used. Warns
    (:class:`~inception_search.errors.DocumentWarning`) of blocks that a user's document never uses, and of an input
    that seems to be written as height, width, channels.
    """
    if isinstance(network, str) and ("\n" in network or network.lstrip().startswith("{")):
        return _checked(parse_network(network), network, None)
    name, dialect = _found(network)
    if name in names():
        return _shipped(str(name), dialect)
    if is_model(name) or _best_of(network) is not None:  # written by this package, so not checked for likely mistakes
        return _from_file(name, dialect)
    text = read_text(name)  # a pipe can be read only once
    return _checked(parse_network(text, str(name), dialect), text, str(name))


def _checked(network: Network, text: str, file: str | None) -> Network:
    """``network``, with a warning of the blocks that no dialect of its document uses."""
    data = read_yaml(text, file)
    others = (parse_network(text, file, name) for name in (None, *dialects_of(data, file)))
    warn_of_unused_blocks(network, others)
    origin = network.origin
    warn_of_order(*network.input.shape, Place(origin.file, origin.line(("input",)), "input"))
    return network


def _found(network: str | Path) -> tuple[str | Path, str | None]:
    """The shipped name or document path in ``network``, and the requested dialect."""
    best = _best_of(network)
    if best is not None:
        return best, None
    if _is_weights(network):
        raise _weights_not_network(network)
    if isinstance(network, Path):
        return network, None
    name, dialect = _split(network)
    if name in names() or name.endswith(SUFFIXES) or "/" in name:
        return name, dialect
    raise _unknown_network(network)


def _unknown_network(network: str) -> UnknownNameError:
    error = unknown_name("network", network, names())
    error.expected = f"{error.expected} (or with @dialect), or the path of a document (.yaml) or run folder"
    return error


def _is_weights(network: str | Path) -> bool:
    """Whether a path has the suffix of a weight file without a document."""
    return str(network).endswith(WEIGHTS) and "\n" not in str(network)


def _weights_not_network(path: str | Path) -> SpecError:
    hint = f"write compile(NETWORK, weights={str(path)!r}); 'inception-search convert {path}' shows which network"
    return SpecError("this is a file of weights, not a network", place=Place(str(path)), hint=hint)


def _split(network: str) -> tuple[str, str | None]:
    """The name or path, and the dialect after its last @; a folder or file may have an @ in its own name."""
    name, at, dialect = network.rpartition("@")
    return (network, None) if not at or "/" in dialect or is_file(network) else (name, dialect)


def _from_file(path: str | Path, dialect: str | None = None) -> Network:
    """The network of a document file or of a saved model."""
    if is_model(path):
        return parse_network(read_document(path), str(path), dialect)
    return load_network(path, dialect)


def module(reference: str) -> AnyStep:
    """The module a reference such as ``inception_v4.inception_a`` names: a block or stage of a shipped network."""
    name, _, part = reference.partition(".")
    network = load(name)
    known = {**network.stages, **network.blocks}
    if part not in known:
        raise unknown_name(f"module of {name}", part, known)
    step = known[part]
    while isinstance(step, Use):
        step = network.blocks[step.name]
    return step


def _best_of(path: str | Path) -> Path | None:
    """The document of the best network in a run folder."""
    if isinstance(path, str) and ("\n" in path or len(path) > 4096 or path in names()):
        return None
    best = Path(path) / "best.yaml"
    return best if is_file(best) else None


def is_model(path: str | Path) -> bool:
    """Whether ``path`` has the suffix of a saved model."""
    return str(path).endswith(MODEL) and "\n" not in str(path)


def is_file(path: str | Path) -> bool:
    """Whether ``path`` is the path of a file; False for values that cannot be paths."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: str | Path) -> bool:
    """Whether ``path`` is the path of a folder; False for values that cannot be paths."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


@lru_cache(maxsize=64)
def _dialects(name: str) -> dict[str, str]:
    path = _path(name)
    return dialects_of(read_yaml(read_text(path), str(path)), str(path))


@lru_cache(maxsize=64)
def _shipped(name: str, dialect: str | None) -> Network:
    path = _path(name)
    if not path.is_file():
        raise UnknownNameError("no such shipped network", found=name)
    return load_network(path, dialect)


def _dialects_in(path: Path) -> dict[str, str]:
    """The dialects of the document in a file."""
    text = read_document(path) if is_model(path) else read_text(path)
    data = check_header(read_yaml(text, str(path)), SCHEMA, VERSION, UPGRADES, str(path))
    return dialects_of(data, str(path))


def _path(name: str) -> Path:
    return shipped_folder() / FOLDER / f"{name}.yaml"
