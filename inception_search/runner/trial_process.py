"""The process of trials: build, train, leave a result file. It sees no study, and test images only after the end."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inception_search.backend.build import build
from inception_search.data.frozen import thaw
from inception_search.data.loader import DeviceData
from inception_search.errors import (
    CheckpointError,
    DataError,
    DocumentError,
    InceptionSearchError,
    Place,
    RunFolderError,
    TrainingError,
)
from inception_search.lowering import lower
from inception_search.runner.executor import BAD_DISK, DONE, READY
from inception_search.runner.job import Job
from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.network import Network, Preprocess
from inception_search.spec.transform import remake, shrink
from inception_search.store.atomic import write_atomic
from inception_search.store.disk import typed_errors
from inception_search.store.jsonl import sealed
from inception_search.store.provenance import versions
from inception_search.training.devices import describe_device
from inception_search.training.evaluate import evaluate_each
from inception_search.training.fidelity import Fidelity
from inception_search.training.result import EpochMetrics, TrainingResult
from inception_search.training.score_parts import packed
from inception_search.training.trainer import train
from inception_search.weights.model_file import model_bytes

_log = logging.getLogger(__name__)
_STATES = {"stop": "pruned", "pause": "paused"}


class DriverGone(Exception):  # noqa: N818 - not an error of the trial
    """Nobody listens any more: the trial belongs to whoever resumes the study."""


def main(job_file: str, connection: Connection, device: str | None = None) -> None:
    """Run the job in ``job_file``; every epoch goes out on ``connection`` and waits for "go on", "stop" or "pause".

    ``device`` wins over the job's. First of all ``connection`` gets :data:`READY`.
    """
    _tie_to_driver()
    try:
        _sent(connection, READY)
        _run(Path(job_file), connection, device)
    finally:
        connection.close()


def serve(connection: Connection, device: str | None = None) -> None:
    """Run one job after another, whose files come on ``connection``; data and device stay as they are between them."""
    _tie_to_driver()
    try:
        listened = _sent(connection, READY)
        while listened and (job_file := _received(connection)):
            usable = _run(Path(job_file.decode()), connection, device)
            # A device that met an error it did not expect may give wrong numbers from now on, so this process ends; and
            # it does not say DONE, after which the next job could be sent to it just before it ends.
            listened = usable and _sent(connection, DONE)
    finally:
        connection.close()


def _sent(connection: Connection, message: bytes) -> bool:
    """Send a message; whether the driver is still there."""
    try:
        connection.send_bytes(message)
    except OSError:
        return False
    return True


def _received(connection: Connection) -> bytes:
    try:
        return connection.recv_bytes()
    except (EOFError, OSError):
        return b""


def _tie_to_driver() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's; it ends its trials itself
    _end_with_driver()


def _end_with_driver() -> None:
    """Have this process end as soon as the driver has: nobody is left to end it."""
    driver = multiprocessing.parent_process()
    if driver is None:
        return

    def watch() -> None:
        driver.join()
        os._exit(0)

    threading.Thread(target=watch, name="watch-driver", daemon=True).start()


def _run(job_file: Path, connection: Connection, device: str | None) -> bool:
    """Do one job; whether this process can do another."""
    root = job_file.parent.parent
    try:
        job = _job(job_file)
        trial = RunningJob(job, root, device or job.device)
        _check_inside(trial)
        text, usable = _answer(trial, connection)
        write_atomic(root / job.result, sealed(text))
        return usable
    except DriverGone:
        sys.exit(0)
    except (RunFolderError, DataError):  # says nothing about the network: no result; the exit code says it
        sys.exit(BAD_DISK)


def _check_inside(trial: RunningJob) -> None:
    """Raise RunFolderError for a job that would write outside of its run folder: it may have come from others."""
    for name in (trial.job.result, trial.job.checkpoint, trial.job.state or ""):
        if not Path(os.path.normpath(trial.root / name)).is_relative_to(os.path.normpath(trial.root)):
            raise RunFolderError("a job names a file outside of its run folder", place=Place(name))


def _job(file: Path) -> Job:
    """The job in a file. Raises RunFolderError for one that cannot be read (any more)."""
    try:
        with typed_errors(file):
            return Job.read(file)
    except (DocumentError, ValueError, TypeError) as error:
        raise RunFolderError(f"the job cannot be read: {error}", place=Place(str(file))) from error


def _answer(trial: RunningJob, connection: Connection) -> tuple[str, bool]:
    """The result as JSON, or why there is none; and whether the device is still sound."""
    usable = True
    try:
        if threads := trial.fidelity.threads:
            torch.set_num_threads(threads)
        return _text(trial.trained(connection), trial), True
    except (DriverGone, RunFolderError, DataError):
        raise
    except InceptionSearchError as error:
        reason = str(error)
        usable = not (isinstance(error, TrainingError) and trial.where != "cpu")
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        reason, usable = f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})", False
    return _text({"state": "failed", "reason": reason}, trial), usable


def _text(payload: dict[str, Any], trial: RunningJob) -> str:
    """A result with what it repeats of its job; ValueError for numbers that are none."""
    return json.dumps(payload | trial.job.stamp, allow_nan=False)


class StateFile:
    """How far a training came, in a file; one that cannot be used is set aside."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> bytes | None:
        """What was saved last, or None."""
        with typed_errors(self.path):
            return self.path.read_bytes() if self.path.is_file() else None

    def save(self, data: bytes) -> None:
        """Replace it in one step."""
        write_atomic(self.path, data)

    def set_aside(self) -> None:
        """Keep a damaged one for whoever wants to look."""
        aside = self.path.with_name(f"{self.path.name}.corrupt")
        with typed_errors(self.path):
            self.path.replace(aside)
        _log.warning("%s cannot be used and was set aside as %s; its training begins again", self.path, aside.name)


@dataclass
class RunningJob:
    """One job under way; its files are below ``root``."""

    job: Job
    root: Path
    where: str
    word: str = "go on"

    @cached_property
    def device(self) -> torch.device:
        """The device it runs on."""
        return torch.device(self.where)

    @cached_property
    def fidelity(self) -> Fidelity:
        """How it is trained."""
        return Fidelity.from_dict(self.job.fidelity)

    @cached_property
    def data(self) -> DeviceData:
        """What it is trained on, on the device."""
        return _data(self.root / self.job.data, self.device)

    def trained(self, connection: Connection) -> dict[str, Any]:
        """Train; the result, with the weights saved and tested where the training is at its end."""
        model, result = self.train(self.reporter(connection))
        state = _STATES[self.word] if result.stopped else "complete"
        tested = {}
        if state == "complete":
            self.save(model)
            tested = self.tested(model)
        return {
            "state": state,
            "value": result.final.validation_accuracy,
            "curve": [metrics.to_dict() for metrics in result.curve],
            "seconds": sum(metrics.seconds for metrics in result.curve),
            "device": describe_device(self.device),
            "fidelity": self.fidelity.to_dict(),
            "resources": _resources(result),
            "versions": versions(),
            **tested,
        }

    @cached_property
    def network(self) -> Network:
        """The network as it is trained."""
        whole = network_from_data(self.job.network)
        network = shrink(whole, self.fidelity.width, self.fidelity.depth)
        return network if self.job.aux else remake(network, aux={})

    @property
    def aux_weights(self) -> list[float]:
        """The weights of the losses of its auxiliary classifiers."""
        return [aux.weight for aux in self.network.aux.values()]

    def save(self, model: torch.nn.Module) -> None:
        """Write the trained weights as a whole model: with the document, the normalisation and the classes."""
        facts = Preprocess(mean=self.data.mean, std=self.data.std)
        document = remake(self.network, preprocess=facts)
        content = model_bytes(document, model.state_dict(), self.data.class_names)
        write_atomic(self.root / self.job.checkpoint, content)

    def built(self) -> torch.nn.Module:
        """The network as a module, with the weights of the seed."""
        return build(lower(self.network), name=self.network.name, seed=self.job.seed)

    @property
    def state(self) -> StateFile | None:
        """Where it is kept how far it came, if it is."""
        return StateFile(self.root / self.job.state) if self.job.state else None

    def train(self, report: Callable[[EpochMetrics], bool]) -> tuple[torch.nn.Module, TrainingResult]:
        """Train on from where an earlier attempt came to; from the beginning where that cannot be used."""
        state = self.state
        while True:
            model = self.built()
            try:
                result = train(
                    model,
                    self.data,
                    self.fidelity,
                    seed=self.job.seed,
                    report=report,
                    aux_weights=self.aux_weights,
                    checkpoint=state,
                    until=self.job.until,
                )
                return model, result
            except CheckpointError:
                if state is None:
                    raise
                state.set_aside()

    def reporter(self, connection: Connection) -> Callable[[EpochMetrics], bool]:
        """Report an epoch; whether to go on."""

        def report(metrics: EpochMetrics) -> bool:
            try:
                connection.send_bytes(json.dumps(metrics.to_dict(), allow_nan=False).encode())
                self.word = connection.recv_bytes().decode()
            except (OSError, EOFError):
                raise DriverGone from None
            return self.word == "go on"

        return report

    def tested(self, model: torch.nn.Module) -> dict[str, Any]:
        """What comes of the test images, each of them too, where this is the training that is tested."""
        if self.job.test is None:
            return {}
        data = DeviceData(thaw(self.root / self.job.test, ("test",)), self.device, splits=("test",))
        metrics, truth, answers = evaluate_each(model, data, "test", precision=self.fidelity.precision)
        bits = np.packbits((truth == answers).numpy()).tobytes().hex()
        return {
            "test_accuracy": metrics.accuracy,
            "test_balanced_accuracy": metrics.balanced_accuracy,
            "test_macro_f1": metrics.macro_f1,
            "test_loss": metrics.loss,
            "test_images": metrics.n,
            "test_right": bits,
            "test_truth": packed(truth.numpy()),
            "test_answers": packed(answers.numpy()),
        }


@lru_cache(maxsize=2)
def _data(path: Path, device: torch.device) -> DeviceData:
    """Training and validation images on the device, once in a process."""
    return DeviceData(thaw(path), device)


def _resources(result: TrainingResult) -> dict[str, float]:
    found = {
        "peak_bytes": float(result.peak_memory),
        "images_per_second": float(result.images_per_second),
        "resumed_from": float(result.resumed_from),
    }
    return {name: value for name, value in found.items() if value}
