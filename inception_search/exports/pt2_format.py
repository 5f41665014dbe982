"""``.pt2`` files of torch.export, checked by loading them again."""

from __future__ import annotations

import copy
import io
from pathlib import Path

import torch

from inception_search.backend.network_module import NetworkModule
from inception_search.exports.format import Format, Run, outputs_of
from inception_search.exports.job import Job

_LARGEST_BATCH = 65536


class Pt2Format(Format):
    """``.pt2``: an ``ExportedProgram``, from which ExecuTorch, LiteRT and Core ML convert."""

    suffix = ".pt2"
    summary = "torch.export, the input of ExecuTorch, LiteRT and Core ML"

    def require(self) -> None:
        """Nothing but torch."""

    def write(self, job: Job, path: Path) -> None:
        """Export for any number of images in a batch."""
        batch = torch.export.Dim("N", min=1, max=_LARGEST_BATCH)
        model = _as_written(job.model)
        program = torch.export.export(model, (job.images,), dynamic_shapes=({0: batch},), strict=False)
        _save(program, path, dict(job.metadata))

    def load(self, job: Job, path: Path) -> Run:
        """Load the file and run its module."""
        return outputs_of(torch.export.load(path).module())

    def runtime(self) -> str:
        """PyTorch with its version."""
        return f"torch {torch.__version__}"

    def annotate(self, job: Job, path: Path, facts: dict[str, str]) -> None:
        """Add to the extra files of the archive."""
        program = torch.export.load(path)
        _save(program, path, {**job.metadata, **facts})


def _save(program: torch.export.ExportedProgram, path: Path, facts: dict[str, str]) -> None:
    content = io.BytesIO()  # torch's own writer ends the process if the disk is full
    torch.export.save(program, content, extra_files=facts)
    path.write_bytes(content.getvalue())


def _as_written(model: NetworkModule) -> NetworkModule:
    """A model that computes as its document is written, with a storage for each tensor, as torch.export needs it."""
    if not model.rewrites:
        return model
    plain = copy.deepcopy(model)
    plain.__dict__.pop("forward", None)
    for tensor in (*plain.parameters(), *plain.buffers()):
        tensor.data = tensor.data.clone()
    return plain
