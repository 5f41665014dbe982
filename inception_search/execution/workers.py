"""Many images: batches on one-thread workers on a CPU, one after the other on a GPU."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import torch
from torch import Tensor

from inception_search.errors import ShapeError, raw

CPU_BATCH, GPU_BATCH = 4, 256  # images in a batch, where the caller gives no number
_WAITING = 2  # batches that are computed or wait, for each worker


def predict(run: Callable[[Tensor], Tensor], batches: Iterable[Tensor], workers: int) -> Tensor:
    """The outputs of ``run`` for all batches, in order, joined.

    Args:
        run: computes one batch.
        batches: tensors (n, C, H, W).
        workers: threads that compute one batch each, with one CPU thread; 1: the calling thread, with its CPU threads.
    """
    if workers == 1:
        return _joined([run(batch) for batch in batches])
    with _one_thread_each(workers) as pool:
        outputs: list[Tensor] = []
        running: deque[Future[Tensor]] = deque()
        for batch in batches:
            running.append(pool.submit(run, batch))
            if len(running) > _WAITING * workers:  # an iterable can have more images than fit in memory
                outputs.append(running.popleft().result())
        return _joined([*outputs, *(each.result() for each in running)])


def _joined(outputs: list[Tensor]) -> Tensor:
    shapes = dict.fromkeys(tuple(output.shape[1:]) for output in outputs)
    if len(shapes) > 1:
        found = ", ".join("x".join(map(str, shape)) for shape in shapes)
        hint = "give images of one size, or call the model for each batch"
        raise ShapeError("feature maps of several sizes cannot be joined", path="images", found=raw(found), hint=hint)
    return torch.cat(outputs)


@contextmanager
def _one_thread_each(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Threads with one CPU thread each.

    The number of CPU threads belongs to the thread that sets it, but threads that start later take the last one set,
    so the caller's number is set again afterwards.
    """
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)


def split(images: Tensor, batch_size: int) -> Iterator[Tensor]:
    """Batches of ``images``, all of one size, so that one specialisation serves all: the last repeats an image."""
    for batch in torch.split(images, batch_size):
        missing = batch_size - len(batch) if len(images) > batch_size else 0
        yield torch.cat([batch, batch[-1:].expand(missing, -1, -1, -1)]) if missing else batch
