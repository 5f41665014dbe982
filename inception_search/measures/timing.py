"""Timing on the device: back-to-back calls in inference mode, in channels_last format as in training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from inception_search.errors import CompileError, ConfigError, raw
from inception_search.graph.graph import Graph
from inception_search.graph.op import Op
from inception_search.graph.types import FeatureMap, Type
from inception_search.measures.target import Target
from inception_search.on_device.runtime import processor
from inception_search.on_device.stopwatch import milliseconds
from inception_search.passes.rewrite import Phase

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

ROUNDS = 7  # the fastest counts, because other load can only slow a round down
TIMES = 4  # consecutive calls of an op, so that the fixed cost of a forward pass nearly vanishes


def time_op(op: Op, inputs: tuple[Type, ...], target: Target) -> float:
    """Milliseconds of one call of ``op`` on inputs of types ``inputs``, as in a compiled network."""
    from inception_search.backend.emit import emit_op

    with _measuring(target) as device:
        module = emit_op(op, inputs, times=TIMES)
        return _milliseconds(module, tuple(_value(x, target, device) for x in inputs), device) / TIMES


def time_graph(graph: Graph, target: Target) -> float:
    """Milliseconds of one call of the whole compiled ``graph``."""
    from inception_search.backend.emit import emit

    with _measuring(target) as device:
        return _milliseconds(emit(graph), (_value(graph.nodes[0].type, target, device),), device)


def time_part(graph: Graph, target: Target, phase: Phase, dtype: str = "float32", rounds: int = ROUNDS) -> float:
    """Milliseconds of one call of a part of a network, which may have several inputs and outputs.

    Args:
        graph: the part; its layers get random weights.
        target: the device, its CPU threads, and the images in a batch.
        phase: ``"training"``: a forward and a backward pass; ``"inference"``: a forward pass in evaluation.
        dtype: of the computation: "float32" or "bfloat16" (autocast).
        rounds: the fastest of so many rounds counts.

    Raises:
        CompileError: it does not fit in memory.
    """
    return time_parts((graph,), target, phase, dtype, rounds)[0]


def time_parts(
    graphs: Sequence[Graph], target: Target, phase: Phase, dtype: str = "float32", rounds: int = ROUNDS
) -> list[float]:
    """As :func:`time_part` for several graphs, measured by turns, so that other load slows all of them alike."""
    from inception_search.backend.part import part_call

    with _measuring(target) as device:
        calls = [part_call(graph, target.batch_size, device, phase, dtype) for graph in graphs]
        return _milliseconds_of(calls, device, rounds)


def facts_of(target: Target) -> str:
    """The facts that a latency depends on: model of the device, CPU threads, and version of torch."""
    import torch

    device = device_of(target.device)
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    threads = target.threads or torch.get_num_threads()
    return f"{processor()}, {threads} threads, torch {torch.__version__}"


def device_of(name: str) -> torch.device:
    """``"cpu"``, ``"cuda"`` or ``"cuda:<number>"`` as a device; raises ConfigError if it does not exist."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name != "cpu" and int(name.partition(":")[2] or 0) >= count:
        hint = "measure on 'cpu', or install a torch built for CUDA"
        raise ConfigError(f"device {name!r} is not there", path="device", found=raw(f"{count} CUDA devices"), hint=hint)
    return torch.device(name)


@contextmanager
def _measuring(target: Target) -> Iterator[torch.device]:
    """Set threads, random state and cuDNN autotuning for a measurement, and restore them afterwards."""
    import torch

    from inception_search.backend.recorder import fastest_kernels

    device = device_of(target.device)
    with ExitStack() as undo:
        if target.threads is not None and target.threads != torch.get_num_threads():
            undo.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(target.threads)
        if device.type == "cuda":
            undo.enter_context(torch.cuda.device(device))
            undo.enter_context(fastest_kernels())
        undo.enter_context(torch.random.fork_rng([]))
        undo.enter_context(torch.inference_mode())
        try:
            yield device
        except (MemoryError, RuntimeError) as error:
            text = str(error)
            if not isinstance(error, MemoryError) and ("memory" not in text or "illegal memory" in text):
                raise
            hint = "use fewer or smaller images, or limit parameters or multiply-adds as well"
            raise CompileError(
                "the latency cannot be measured: the network does not fit in memory", hint=hint
            ) from None


def _value(x: Type, target: Target, device: torch.device) -> Tensor:
    import torch

    value = torch.randn(target.batch_size, *x, device=device)
    return value.contiguous(memory_format=torch.channels_last) if isinstance(x, FeatureMap) else value


def _milliseconds(module: nn.Module, values: tuple[Tensor, ...], device: torch.device) -> float:
    """Milliseconds per call for calls without synchronisation in between, as in a network."""
    import torch

    module.to(device=device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    return _milliseconds_of([lambda: module(*values)], device)[0]


def _milliseconds_of(calls: Sequence[Callable[[], object]], device: torch.device, rounds: int = ROUNDS) -> list[float]:
    """Milliseconds of one call of each of ``calls``, measured by turns."""
    import torch

    return milliseconds(calls, torch.cuda.synchronize if device.type == "cuda" else _nothing, rounds)


def _nothing() -> None:
    """The CPU needs no synchronisation: a call returns when its work is done."""
