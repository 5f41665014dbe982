"""What a format is: how it is written, and how the written file is run for the check."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, TypeAlias

import torch
from torch import Tensor

from inception_search.exports.job import Job

Run: TypeAlias = Callable[[Tensor], Tensor]


class Format(ABC):
    """A kind of file that a model can be exported to; formats are rows of :data:`FORMATS`."""

    suffix: ClassVar[str]
    """How the names of its files end; empty for a folder."""
    summary: ClassVar[str]
    options: ClassVar[tuple[str, ...]] = ()
    """The options that it has, of those of :class:`Options`."""
    beside: ClassVar[tuple[str, ...]] = ()
    """How further files are named that it writes: the stem of the file with these endings."""
    files: ClassVar[tuple[str, ...]] = ()
    """For a format that writes a folder: the files in it."""

    @abstractmethod
    def require(self) -> None:
        """Raise MissingRequirementError if a package that it needs is missing."""

    @abstractmethod
    def write(self, job: Job, path: Path) -> None:
        """Write the file, or several of the same stem, to a folder that is empty before."""

    @abstractmethod
    def load(self, job: Job, path: Path) -> Run:
        """Load the file in its own runtime: a function from images (N, C, H, W) to outputs (N, ...)."""

    @abstractmethod
    def runtime(self) -> str:
        """The runtime that the check uses, with its version."""

    def expected(self, job: Job, images: Tensor) -> Tensor:
        """What the function of :meth:`load` should return."""
        return job.outputs(images)

    def first_difference(self, job: Job, path: Path, images: Tensor, tolerance: float) -> str | None:
        """The path of the first layer whose values differ; None if the runtime does not give them."""
        return None

    @abstractmethod
    def annotate(self, job: Job, path: Path, facts: dict[str, str]) -> None:
        """Write facts on the check to the metadata of the file, if it has any."""


def outputs_of(module: Callable[[Tensor], Tensor]) -> Run:
    """The outputs of a PyTorch module in float32."""

    def run(images: Tensor) -> Tensor:
        with torch.inference_mode():
            return module(images).float()

    return run


def differs_little(found: Tensor, expected: Tensor, tolerance: float) -> bool:
    """Whether no difference is larger than ``tolerance`` times the largest expected value."""
    same = found.shape == expected.shape and bool(found.isfinite().all())
    return same and float((found - expected).abs().max()) <= tolerance * float(expected.abs().max())
