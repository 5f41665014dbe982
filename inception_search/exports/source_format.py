"""Stand-alone source in plain torch, with the weights beside it, checked by running it."""

from __future__ import annotations

from pathlib import Path

import torch

from inception_search.exports.format import Format, Run, outputs_of
from inception_search.exports.job import Job
from inception_search.exports.source import module_of, source_of
from inception_search.weights.model_file import add_metadata, load_model, save_model

WEIGHTS = ".safetensors"


class SourceFormat(Format):
    """``.py`` with one class for each block, and ``.safetensors`` of the same name with the weights."""

    suffix, beside = ".py", (WEIGHTS,)
    summary = "one Python file in plain torch, the weights beside it in .safetensors"

    def require(self) -> None:
        """Nothing but torch and safetensors."""

    def write(self, job: Job, path: Path) -> None:
        """Write the source and the weights."""
        path.write_text(source_of(job.model), encoding="utf-8")
        save_model(job.model, path.with_suffix(WEIGHTS))
        add_metadata(path.with_suffix(WEIGHTS), job.metadata)

    def load(self, job: Job, path: Path) -> Run:
        """Execute the source, and load the weights into its network."""
        state = load_model(path.with_suffix(WEIGHTS)).state_dict()
        return outputs_of(module_of(path.read_text(encoding="utf-8"), state))

    def runtime(self) -> str:
        """PyTorch with its version."""
        return f"torch {torch.__version__}"

    def annotate(self, job: Job, path: Path, facts: dict[str, str]) -> None:
        """Add to the metadata of the weights; the source is to be read and changed."""
        add_metadata(path.with_suffix(WEIGHTS), facts)
