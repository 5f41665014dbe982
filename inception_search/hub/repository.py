"""Repositories of the Hugging Face Hub: their addresses, the download of a model, and clear errors."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from inception_search.errors import ConfigError, MissingRequirementError, WeightsError, raw
from inception_search.extras import install
from inception_search.spec.safetensors_header import DOCUMENT, read_metadata

SCHEME = "hf://"
MODEL = "model.safetensors"
_HUB = "https://huggingface.co"
_PART = r"(?![.-])[\w.-]{1,96}(?<![.-])"
_REPOSITORY = re.compile(rf"{_PART}/{_PART}\Z", re.ASCII)
_REVISION = re.compile(r"[\w./-]{1,96}\Z", re.ASCII)


_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ENOTDIR}

T = TypeVar("T")


class Repository(NamedTuple):
    """A repository of models, and a branch, tag or commit of it (None: the main branch)."""

    name: str
    revision: str | None = None

    @property
    def url(self) -> str:
        """Its address, on the server in ``HF_ENDPOINT`` if that is set."""
        return f"{endpoint()}/{self.name}"


def repository(words: str) -> Repository:
    """The repository that ``user/name``, ``hf://user/name`` or ``hf://user/name@revision`` names, else ConfigError."""
    name, at, revision = words.removeprefix(SCHEME).partition("@")
    if not _is_name(name) or (at and not _is_revision(revision)):
        expected = "user/name, with letters, digits, '-', '_' and '.'; in hf://user/name@revision with a revision"
        raise ConfigError("not the name of a repository of the Hugging Face Hub", found=words, expected=expected)
    return Repository(name, revision or None)


def _is_name(name: str) -> bool:
    """Whether the Hub permits a name; ``--`` separates its parts in the cache of huggingface_hub."""
    permitted = _REPOSITORY.match(name) is not None and not name.endswith(".git")
    return permitted and not any(wrong in name for wrong in ("--", ".."))


def _is_revision(revision: str) -> bool:
    """Whether a revision can be a file path in the cache of huggingface_hub, and one that stays there."""
    return _REVISION.match(revision) is not None and all(
        part and not part.startswith(".") for part in revision.split("/")
    )


def endpoint() -> str:
    """The server of the Hub."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or _HUB


def hub_package() -> Any:
    """The package huggingface_hub; raises :class:`MissingRequirementError` without it."""
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError as error:
        rule = f"the Hugging Face Hub needs {error.name or 'huggingface_hub'}, which is not installed"
        raise MissingRequirementError(rule, hint=install("hub")) from None
    return huggingface_hub


def model_file(words: str) -> Path:
    """The model file of the repository ``words`` in the cache of huggingface_hub, downloaded if necessary.

    Raises :class:`WeightsError` if it cannot be downloaded or has no document of a network.
    """
    found, hub = repository(words), hub_package()
    with hub_errors(found, "downloaded"):
        path = Path(hub.hf_hub_download(found.name, MODEL, revision=found.revision, endpoint=endpoint()))
    if DOCUMENT not in read_metadata(path):
        hint = f"compile the network with weights={str(path)!r}, or push the model with ins.push_to_hub"
        rule = f"{MODEL} of the repository has weights, but no document of a network"
        raise WeightsError(rule, hint=hint).at(file=found.url)
    return path


def local(words: T) -> T | Path:
    """``words``; for ``hf://user/name`` the path of its model file."""
    return model_file(words) if isinstance(words, str) and words.startswith(SCHEME) else words


@contextmanager
def hub_errors(found: Repository, done: str) -> Iterator[None]:
    """Raise :class:`WeightsError` with the URL and the likely fix for every error of the Hub."""
    errors = hub_package().errors
    try:
        yield
    except errors.GatedRepoError as error:
        raise _failed(found, done, "access to it is restricted", "ask for access on its page, then log in") from error
    except errors.RepositoryNotFoundError as error:
        hint = "check the name; for a private repository run 'hf auth login' or set HF_TOKEN"
        raise _failed(found, done, "there is no such repository, or the token may not use it", hint) from error
    except errors.RevisionNotFoundError as error:
        why = f"it has no revision {found.revision!r}"
        raise _failed(found, done, why, "name a branch, tag or commit of it") from error
    except errors.OfflineModeIsEnabled as error:
        raise _failed(found, done, "HF_HUB_OFFLINE forbids requests to the Hub", "unset HF_HUB_OFFLINE") from error
    except errors.LocalEntryNotFoundError as error:
        hint = f"unset HF_HUB_OFFLINE, check the connection, or load {MODEL} from a local path with ins.load_model"
        raise _failed(found, done, "the Hub cannot be reached, and the file is not in the cache", hint) from error
    except errors.EntryNotFoundError as error:
        hint = "name a repository that ins.push_to_hub wrote"
        raise _failed(found, done, f"it has no file {MODEL}", hint) from error
    except Exception as error:  # errors of the connection are those of the HTTP library of each version
        cause = error.__cause__ if isinstance(error, RuntimeError) else None  # a large file: it names only the file
        raise _failed(found, done, *_why(cause or error)) from error


def _why(error: BaseException) -> tuple[str, str]:
    """What went wrong, and the likely fix."""
    if isinstance(error, hub_package().errors.HfHubHTTPError):
        status = getattr(error.response, "status_code", None)
        login = "log in with a token that may write ('hf auth login', or token=)"
        return f"the server answered {status}", login if status in (401, 403) else "try again later"
    if isinstance(error, OSError) and error.errno in _DISK:
        return f"the file cannot be stored ({error})", "free some space, or set HF_HOME to another folder"
    return f"the connection failed ({type(error).__name__}: {error})", "check the connection, and HF_ENDPOINT"


def _failed(found: Repository, done: str, why: str, hint: str) -> WeightsError:
    return WeightsError(f"the model cannot be {done}", found=raw(why), hint=hint).at(file=found.url)
