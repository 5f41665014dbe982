"""The process of a trial: it builds and trains a network and writes a result file. It has no access to the study."""

from __future__ import annotations

import gc
import json
import logging
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections import Counter
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
    CompileError,
    DataError,
    DocumentError,
    InceptionSearchError,
    Place,
    RunFolderError,
    TrainingError,
)
from inception_search.lowering import lower
from inception_search.measures.choose_rewrites import rewrites_that_pay
from inception_search.measures.target import Target
from inception_search.passes.pipeline import Applied
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
from inception_search.training.trainer import memory_errors, train
from inception_search.weights.model_file import model_bytes

_log = logging.getLogger(__name__)
_STATES = {"stop": "pruned", "pause": "paused"}


class DriverGone(Exception):  # noqa: N818 - the trial itself has no error
    """The driver has ended; whoever resumes the study continues the trial."""


def main(job_file: str, connection: Connection, device: str | None = None) -> None:
    """Run the job in ``job_file``; each epoch is sent on ``connection`` and answered by "go on", "stop" or "pause".

    ``device`` overrides that of the job. The first message on ``connection`` is :data:`READY`.
    """
    _tie_to_driver()
    try:
        _sent(connection, READY)
        _run(Path(job_file), connection, device)
    finally:
        connection.close()


def serve(connection: Connection, device: str | None = None) -> None:
    """Run jobs whose files are received on ``connection``, keeping data and device between them."""
    _tie_to_driver()
    try:
        listened = _sent(connection, READY)
        gc.freeze()  # loaded modules stay, and need not be looked through after every job
        while listened and (job_file := _received(connection)):
            usable = _run(Path(job_file.decode()), connection, device)
            gc.collect()  # a network refers to itself; until it is collected, it keeps its memory on the device
            # After an unexpected error the device may compute wrong numbers, so this process ends. It does not send
            # DONE, because the driver could then send the next job to an ending process.
            listened = usable and _sent(connection, DONE)
    finally:
        connection.close()


def _sent(connection: Connection, message: bytes) -> bool:
    """Send a message; returns whether the driver is still alive."""
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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver handles Ctrl-C and ends its trials
    _end_with_driver()


def _end_with_driver() -> None:
    """End this process as soon as the driver ends, because nobody else would."""
    driver = multiprocessing.parent_process()
    if driver is None:
        return

    def watch() -> None:
        driver.join()
        os._exit(0)

    threading.Thread(target=watch, name="watch-driver", daemon=True).start()


def _run(job_file: Path, connection: Connection, device: str | None) -> bool:
    """Run one job; returns whether this process can run another."""
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
    except (RunFolderError, DataError):  # not a failure of the network: the exit code reports it instead of a result
        sys.exit(BAD_DISK)


def _check_inside(trial: RunningJob) -> None:
    """Raise RunFolderError for a job that would write outside its run folder, which others may have made."""
    for name in (trial.job.result, trial.job.checkpoint, trial.job.state or ""):
        if not Path(os.path.normpath(trial.root / name)).is_relative_to(os.path.normpath(trial.root)):
            raise RunFolderError("a job names a file outside its run folder", place=Place(name))


def _job(file: Path) -> Job:
    """The job in a file. Raises RunFolderError if it cannot be read."""
    try:
        with typed_errors(file):
            return Job.read(file)
    except (DocumentError, ValueError, TypeError) as error:
        raise RunFolderError(f"the job cannot be read: {error}", place=Place(str(file))) from error


def _answer(trial: RunningJob, connection: Connection) -> tuple[str, bool]:
    """The result, or the reason of failure, as JSON; and whether the device is still usable."""
    usable = True
    try:
        if threads := trial.fidelity.threads:
            torch.set_num_threads(threads)
        with memory_errors(trial.fidelity.batch_size):  # the data alone can be too much for a GPU that others use
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
    """A result with the facts of its job, as JSON; raises ValueError for NaN and infinity."""
    return json.dumps(payload | trial.job.stamp, allow_nan=False)


class StateFile:
    """The file with the training state; an unusable file is renamed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> bytes | None:
        """The bytes saved last, or None."""
        with typed_errors(self.path):
            return self.path.read_bytes() if self.path.is_file() else None

    def save(self, data: bytes) -> None:
        """Replace the file atomically."""
        write_atomic(self.path, data)

    def set_aside(self) -> None:
        """Rename a damaged file, so that it can be examined."""
        aside = self.path.with_name(f"{self.path.name}.corrupt")
        with typed_errors(self.path):
            self.path.replace(aside)
        _log.warning("%s cannot be used and was set aside as %s; its training begins again", self.path, aside.name)


@dataclass
class RunningJob:
    """A job with its objects; its files are below ``root``."""

    job: Job
    root: Path
    where: str
    word: str = "go on"

    @cached_property
    def device(self) -> torch.device:
        """The device of the training."""
        return torch.device(self.where)

    @cached_property
    def fidelity(self) -> Fidelity:
        """The options of the training."""
        return Fidelity.from_dict(self.job.fidelity)

    @cached_property
    def data(self) -> DeviceData:
        """The data, on the device."""
        return _data(self.root / self.job.data, self.device)

    def trained(self, connection: Connection) -> dict[str, Any]:
        """Train; returns the result. At the end of the training, the weights are saved and tested."""
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
            "rewrites": dict(Counter(name for name, _ in result.rewrites)),
            "versions": versions(),
            **tested,
        }

    @cached_property
    def network(self) -> Network:
        """The network to train."""
        whole = network_from_data(self.job.network)
        network = shrink(whole, self.fidelity.width, self.fidelity.depth)
        return network if self.job.aux else remake(network, aux={})

    @property
    def aux_weights(self) -> list[float]:
        """The weights of the losses of its auxiliary classifiers."""
        return [aux.weight for aux in self.network.aux.values()]

    def save(self, model: torch.nn.Module) -> None:
        """Save the trained weights as a complete model with document, normalisation and classes."""
        facts = Preprocess(mean=self.data.mean, std=self.data.std)
        document = remake(self.network, preprocess=facts)
        content = model_bytes(document, model.state_dict(), self.data.class_names)
        write_atomic(self.root / self.job.checkpoint, content)

    def built(self) -> torch.nn.Module:
        """The network as a module with the initial weights of the seed."""
        return build(lower(self.network), name=self.network.name, seed=self.job.seed)

    @cached_property
    def rewrites(self) -> Applied | None:
        """The rewrites with which a training step takes less time by the cost model; None if it cannot be measured."""
        fidelity = self.fidelity
        target = Target(str(self.device), fidelity.threads, fidelity.batch_size)
        try:
            return rewrites_that_pay(lower(self.network), "training", target, dtype=fidelity.precision)
        except CompileError as error:  # other processes leave no memory for the measurement
            _log.warning("the network is trained as it is written: %s", error)
            return None

    @property
    def state(self) -> StateFile | None:
        """The file of the training state, if the job has one."""
        return StateFile(self.root / self.job.state) if self.job.state else None

    def train(self, report: Callable[[EpochMetrics], bool]) -> tuple[torch.nn.Module, TrainingResult]:
        """Train from the state of an earlier attempt, or from the beginning if that is unusable."""
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
                    rewrites=self.rewrites,
                )
                return model, result
            except CheckpointError:
                if state is None:
                    raise
                state.set_aside()

    def reporter(self, connection: Connection) -> Callable[[EpochMetrics], bool]:
        """The function that reports an epoch and returns whether to continue."""

        def report(metrics: EpochMetrics) -> bool:
            try:
                connection.send_bytes(json.dumps(metrics.to_dict(), allow_nan=False).encode())
                self.word = connection.recv_bytes().decode()
            except (OSError, EOFError):
                raise DriverGone from None
            return self.word == "go on"

        return report

    def tested(self, model: torch.nn.Module) -> dict[str, Any]:
        """The test results, also for each image; empty if the job has no test images."""
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
    """Training and validation images on the device, loaded once per process."""
    return DeviceData(thaw(path), device)


def _resources(result: TrainingResult) -> dict[str, float]:
    found = {
        "peak_bytes": float(result.peak_memory),
        "images_per_second": float(result.images_per_second),
        "resumed_from": float(result.resumed_from),
    }
    return {name: value for name, value in found.items() if value}
