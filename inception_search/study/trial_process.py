"""The process of one trial: build, train, leave a result file. It sees no test image and no study."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from inception_search.backend.compile import build
from inception_search.data.frozen import thaw
from inception_search.data.loader import DeviceData
from inception_search.errors import DataError, InceptionSearchError, RunFolderError
from inception_search.lowering import lower
from inception_search.spec.document import network_from_data
from inception_search.store.atomic import write_atomic
from inception_search.study.executor import BAD_DISK
from inception_search.study.job import Job
from inception_search.training.devices import describe_device
from inception_search.training.fidelity import Fidelity
from inception_search.training.trainer import EpochMetrics, train


class DriverGone(Exception):  # noqa: N818 - not an error of the trial
    """Nobody listens any more: the trial belongs to whoever resumes the study."""


def main(job_file: str, connection: Connection) -> None:
    """Run the job in ``job_file``; every epoch goes out on ``connection`` and waits for "go on" or "stop"."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's; it ends its trials itself
    _end_with_driver()
    job = Job.read(Path(job_file))
    try:
        write_atomic(Path(job.result), _answer(job, connection))
    except DriverGone:
        sys.exit(0)
    except (RunFolderError, DataError):  # says nothing about the network: no result, and the driver is told
        sys.exit(BAD_DISK)
    finally:
        connection.close()


def _end_with_driver() -> None:
    """Have this process end as soon as the driver has: nobody is left to end it."""
    driver = multiprocessing.parent_process()
    if driver is None:
        return

    def watch() -> None:
        driver.join()
        os._exit(0)

    threading.Thread(target=watch, name="watch-driver", daemon=True).start()


def _answer(job: Job, connection: Connection) -> str:
    """The result as JSON: what came of the training, or why nothing did."""
    try:
        return json.dumps(_train(job, connection) | job.stamp, allow_nan=False)
    except (DriverGone, RunFolderError, DataError):
        raise
    except InceptionSearchError as error:
        reason = str(error)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
    return json.dumps({"state": "failed", "reason": reason} | job.stamp)


def _train(job: Job, connection: Connection) -> dict[str, Any]:
    fidelity = Fidelity.from_dict(job.fidelity)
    if fidelity.threads:
        torch.set_num_threads(fidelity.threads)
    device = torch.device(job.device)
    network = network_from_data(job.network)
    model = build(lower(network), name=network.name, seed=job.seed)
    data = DeviceData(thaw(Path(job.data)), device)

    def report(metrics: EpochMetrics) -> bool:
        return _ask(connection, metrics.to_dict())

    weights = [aux.weight for aux in network.aux.values()]
    result = train(model, data, fidelity, seed=job.seed, report=report, aux_weights=weights)
    if not result.stopped:
        _save(model, Path(job.checkpoint))
    return {
        "state": "pruned" if result.stopped else "complete",
        "value": result.final.validation_accuracy,
        "curve": [metrics.to_dict() for metrics in result.curve],
        "seconds": result.seconds,
        "device": describe_device(device),
        "fidelity": fidelity.to_dict(),
    }


def _ask(connection: Connection, metrics: dict[str, Any]) -> bool:
    """Report an epoch; whether to go on."""
    try:
        connection.send_bytes(json.dumps(metrics, allow_nan=False).encode())
        return connection.recv_bytes() == b"go on"
    except (OSError, EOFError):
        raise DriverGone from None


def _save(model: torch.nn.Module, path: Path) -> None:
    """The trained weights as safetensors under the document's keys."""
    from safetensors.torch import save

    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    write_atomic(path, save(state))
