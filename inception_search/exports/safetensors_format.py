"""Files of this package, checked by loading them again."""

from __future__ import annotations

from pathlib import Path

from inception_search._version import __version__
from inception_search.exports.format import Format, Run, outputs_of
from inception_search.exports.job import Job
from inception_search.weights.model_file import add_metadata, load_model, save_model


class SafetensorsFormat(Format):
    """``.safetensors``: the weights with the document, as ``save_model`` writes them."""

    suffix = ".safetensors"
    summary = "weights and document in one file; load_model reads it"

    def require(self) -> None:
        """Nothing: safetensors is always installed."""

    def write(self, job: Job, path: Path) -> None:
        """As ``save_model``, with the facts on the export."""
        save_model(job.model, path)
        add_metadata(path, job.metadata)

    def load(self, job: Job, path: Path) -> Run:
        """Load the file and run the model."""
        return outputs_of(load_model(path))

    def runtime(self) -> str:
        """This package with its version."""
        return f"inception-search {__version__}"

    def annotate(self, job: Job, path: Path, facts: dict[str, str]) -> None:
        """Add to the metadata of the file."""
        add_metadata(path, facts)
