"""The process of one trial: build, train, leave a result file. It sees no test image and no study."""

from __future__ import annotations

import json
import signal
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from inception_search.backend.compile import build
from inception_search.data.frozen import thaw
from inception_search.data.loader import DeviceData
from inception_search.errors import InceptionSearchError
from inception_search.lowering import lower
from inception_search.spec.document import network_from_data
from inception_search.store.atomic import write_atomic
from inception_search.study.job import Job
from inception_search.training.devices import describe_device
from inception_search.training.fidelity import Fidelity
from inception_search.training.trainer import EpochMetrics, train


def main(job_file: str, connection: Connection) -> None:
    """Run the job in ``job_file``; every epoch goes out on ``connection`` and waits for "go on" or "stop"."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's; it ends its trials itself
    job = Job.read(Path(job_file))
    try:
        payload = _train(job, connection)
    except InceptionSearchError as error:
        payload = {"state": "failed", "reason": str(error), "curve": []}
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        payload = {"state": "failed", "reason": f"{type(error).__name__}: {error} ({where})", "curve": []}
    write_atomic(Path(job.result), json.dumps({**payload, "attempt": job.attempt}, allow_nan=False))
    connection.close()


def _train(job: Job, connection: Connection) -> dict[str, Any]:
    fidelity = Fidelity.from_dict(job.fidelity)
    if fidelity.threads:
        torch.set_num_threads(fidelity.threads)
    device = torch.device(job.device)
    network = network_from_data(job.network)
    model = build(lower(network), name=network.name, seed=job.seed)
    data = DeviceData(thaw(Path(job.data)), device)

    def report(metrics: EpochMetrics) -> bool:
        connection.send_bytes(json.dumps(metrics.to_dict()).encode())
        return connection.recv_bytes() == b"go on"

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


def _save(model: torch.nn.Module, path: Path) -> None:
    """The trained weights as safetensors under the document's keys."""
    from safetensors.torch import save

    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    write_atomic(path, save(state))
