"""The ways a training run fails for good, as errors whose first words name the reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from inception_search.errors import TrainingError, raw

DIVERGED = "diverged"
OUT_OF_MEMORY = TrainingError.OUT_OF_MEMORY
# oneDNN, without memory for the code it generates; of what it does not support it says "a primitive descriptor".
_NO_PRIMITIVE = "could not create a primitive"
_SIGNS = ("DefaultCPUAllocator", "not enough memory", "out of memory", "STATUS_ALLOC_FAILED")


def diverged(what: str, epoch: int) -> TrainingError:
    """The error for a loss that is no longer a finite number."""
    hint = "lower learning_rate or gradient_clip, or lengthen warmup"
    return TrainingError(f"{DIVERGED}: the {what} is not finite in epoch {epoch}", hint=hint)


@contextmanager
def memory_errors(batch_size: int) -> Iterator[None]:
    """Turn what torch, CUDA and Python raise for want of memory into a TrainingError."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(error, batch_size) from error
    except RuntimeError as error:
        if str(error) == _NO_PRIMITIVE or any(words in str(error) for words in _SIGNS):
            raise _out_of_memory(error, batch_size) from error
        raise


def reason(error: TrainingError) -> str:
    """``"diverged"``, ``"out of memory"`` or ``"failed"``: the word to count a failure under."""
    return next((word for word in (DIVERGED, OUT_OF_MEMORY) if error.rule.startswith(word)), "failed")


def _out_of_memory(error: BaseException, batch_size: int) -> TrainingError:
    first_line = (str(error) or type(error).__name__).splitlines()[0]
    hint = f"use a batch_size below {batch_size}, smaller images or a smaller network"
    return TrainingError(f"{OUT_OF_MEMORY} while training", found=raw(first_line), hint=hint)
