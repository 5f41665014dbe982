"""The part of a Ray executor that runs on the nodes: an actor that runs one trial at a time in a process of its own."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inception_search.errors import InceptionSearchError, Place, RunFolderError
from inception_search.runner.executor import Ended, Epoch, Event
from inception_search.runner.job import Job
from inception_search.runner.process_executor import ProcessExecutor
from inception_search.store.disk import typed_errors
from inception_search.store.flock import locked, try_lock
from inception_search.store.layout import Layout
from inception_search.store.provenance import common_versions

_TURN = 0.5  # seconds between checks whether the actor closes
_MEMORY = "import torch; print(torch.cuda.get_device_properties(0).total_memory)"

Content = NDArray[np.uint8]
"""The content of a file; Ray moves arrays between nodes without copies in memory."""


@dataclass(frozen=True)
class Assignment:
    """A trial to run: its job file, and references to the images that it needs in Ray's object store."""

    number: int
    job_name: str
    """The path of the job file in the run folder."""
    job: bytes
    images: Mapping[str, Any]
    """References by path in the run folder."""
    state: Content | None
    """The training state after the last epoch of an earlier attempt."""


@dataclass(frozen=True)
class Report:
    """An event of a trial with the files that it left: ``state``, and at the end ``checkpoint`` and ``result``."""

    event: Event
    files: Mapping[str, Content] = field(default_factory=dict)


@dataclass(frozen=True)
class Trouble:
    """A node cannot run trials."""

    reason: str


class NodeWorker:
    """The actor. It has a temporary run folder on its node, which it removes at its end."""

    def __init__(self, device: str, trial_seconds: float) -> None:
        self.device, self.trial_seconds = device, trial_seconds
        self.folder: NodeFolder | None = None
        self.executor: ProcessExecutor | None = None
        self.job: Job | None = None
        self.closing = threading.Event()
        self.turn = threading.Lock()
        """Held while a trial runs; :meth:`close` is called from another thread."""

    def facts(self) -> dict[str, Any]:
        """The node, the versions of packages on it, and the memory of the GPU in bytes, if there is one.

        The server of trial processes starts to load torch.
        """
        import ray

        if self.executor is None:
            self.executor = ProcessExecutor(1, self.trial_seconds, persistent=self.device != "cpu")
        node = ray.get_runtime_context().get_node_id()
        facts: dict[str, Any] = {"common": common_versions(), "node": node, "pid": os.getpid()}
        if self.device != "cpu":
            facts["gpu_bytes"] = _gpu_bytes()
        return facts

    def run(self, assignment: Assignment) -> Report | Trouble:
        """Start a trial and wait for its first event."""
        try:
            with self.turn:
                return self._run(assignment)
        except InceptionSearchError as error:
            return Trouble(str(error))

    def answer(self, number: int, word: Any) -> Report | Trouble:
        """Answer the epoch that a trial reported, and wait for its next event."""
        assert self.executor is not None
        try:
            with self.turn:
                self.executor.answer(number, word)
                return self._next(number)
        except InceptionSearchError as error:
            return Trouble(str(error))

    def close(self) -> None:
        """End the running trial, if any, and remove the folder."""
        self.closing.set()
        with self.turn:
            if self.executor is not None:
                self.executor.cancel()
            if self.folder is not None:
                self.folder.remove()

    def _run(self, assignment: Assignment) -> Report:
        if self.folder is None:
            self.folder = NodeFolder.create()
        assert self.executor is not None
        folder = self.folder
        for name, reference in assignment.images.items():
            folder.place_images(name, reference)
        job_file = folder.path / assignment.job_name
        with typed_errors(job_file):
            job_file.write_bytes(assignment.job)
        self.job = Job.read(job_file)
        folder.clear(self.job)
        if assignment.state is not None and self.job.state:
            with typed_errors(folder.path / self.job.state):
                assignment.state.tofile(folder.path / self.job.state)
        self.executor.submit(assignment.number, job_file)
        return self._next(assignment.number)

    def _next(self, number: int) -> Report:
        """The next event of the trial."""
        assert self.executor is not None
        while not self.closing.is_set():
            for event in self.executor.wait(_TURN):
                return self._report(event)
        return Report(Ended(number, None, handed_back=True))

    def _report(self, event: Event) -> Report:
        """The event with the files of the trial."""
        assert self.job is not None
        assert self.folder is not None
        names = {"state": self.job.state}
        if isinstance(event, Ended):
            names = {"checkpoint": self.job.checkpoint, "result": self.job.result}
        files = {kind: self.folder.content(name) for kind, name in names.items() if name}
        if not isinstance(event, Epoch):
            self.folder.clear(self.job)
        return Report(event, {kind: content for kind, content in files.items() if content is not None})


@dataclass(frozen=True)
class NodeFolder(Layout):
    """A temporary folder with the layout of a run folder, for one actor.

    The folders of all actors of a user on a node are in one folder. They share the images by hard links, and remove
    the folders of killed actors, which no longer hold a lock.
    """

    lock: int
    """The descriptor of the locked file ``alive``."""

    @classmethod
    def create(cls, parent: Path | None = None) -> NodeFolder:
        """A new folder below ``parent``. Raises RunFolderError."""
        parent = parent or _parent()
        path = parent / uuid.uuid4().hex
        with typed_errors(path), _alone(parent):
            _sweep(parent)
            for each in (path, path / "jobs", path / "results", path / "checkpoints"):
                each.mkdir(mode=0o700)
            lock = os.open(path / "alive", os.O_RDWR | os.O_CREAT, 0o600)
            try_lock(lock, path)
        return cls(path, lock)

    def place_images(self, name: str, reference: Any) -> None:
        """Make the file ``name`` from an object in Ray's store, or from that of another actor of this node."""
        target = self.path / name
        if target.exists():
            return
        kept = f"{reference.hex()}.images"
        with typed_errors(target), _alone(self.path.parent):
            for other in self.path.parent.glob(f"*/{kept}"):
                with suppress(OSError):  # a file system without hard links
                    os.link(other, target)
                    return
            _fetch(reference).tofile(target)
            with suppress(OSError):
                os.link(target, self.path / kept)

    def content(self, name: str) -> Content | None:
        """The content of a file; None if it does not exist."""
        path = self.path / name
        with typed_errors(path):
            return np.fromfile(path, np.uint8) if path.is_file() else None

    def clear(self, job: Job) -> None:
        """Remove the files of a trial other than its job."""
        for name in (job.state, job.checkpoint, job.result):
            if name:
                (self.path / name).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):
            os.close(self.lock)


def _fetch(reference: Any) -> Content:
    """An object of Ray's store."""
    import ray

    content: Content = ray.get(reference)
    return content


def _parent() -> Path:
    """The folder of this user for the folders of actors. Raises RunFolderError if it belongs to somebody else."""
    parent = Path(tempfile.gettempdir()) / f"inception-search-{os.getuid()}"
    with typed_errors(parent):
        parent.mkdir(mode=0o700, exist_ok=True)
        facts = parent.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
        hint = "remove it, or set TMPDIR to another folder on this node"
        raise RunFolderError("the temporary folder belongs to another user", place=Place(str(parent)), hint=hint)
    return parent


@contextmanager
def _alone(parent: Path) -> Iterator[None]:
    """Hold the lock of the folder of all actors."""
    fd = os.open(parent / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with locked(fd, parent):
            yield
    finally:
        os.close(fd)


def _sweep(parent: Path) -> None:
    """Remove the folders of killed actors."""
    for path in parent.iterdir():
        if path.is_dir() and not path.is_symlink() and _abandoned(path / "alive"):
            shutil.rmtree(path, ignore_errors=True)


def _abandoned(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        return try_lock(fd, path)
    finally:
        os.close(fd)


def _gpu_bytes() -> float:
    """The memory of the first GPU that Ray gave to this process, measured in another process to free it again."""
    done = subprocess.run([sys.executable, "-c", _MEMORY], capture_output=True, text=True, check=False)
    return float(done.stdout) if done.returncode == 0 else 0.0
