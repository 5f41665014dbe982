"""A network for one image size, batch size and dtype: packed weights and compiled code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inception_search.backend.recorder import Recorder
from inception_search.execution.branches import Fork, forks
from inception_search.execution.captured import Captured, Streams, choose_forks
from inception_search.execution.fuse import Plan, Step, plan
from inception_search.execution.kernels import DTYPES, can_fuse, kernels, pack
from inception_search.execution.source import Source, needs_module
from inception_search.graph.graph import Graph, Node
from inception_search.graph.ops import BatchNorm, Conv, Linear
from inception_search.graph.types import FeatureMap
from inception_search.passes.expressions import evaluate
from inception_search.passes.rewrite import State

# Of the largest output, for recorded code; a GPU computes float32 convolutions in TF32 by default
TOLERANCE = {("cpu", torch.float32): 1e-5, ("cpu", torch.bfloat16): 3e-2}
_OTHER_DEVICES = 3e-2


class Evaluated(Mapping[str, Tensor]):
    """The tensors of a rewritten graph, computed when they are read, so that they are not all in memory at once."""

    def __init__(self, state: State, stored: Callable[[str], Tensor]) -> None:
        self.state, self.stored = state, stored

    def __getitem__(self, name: str) -> Tensor:
        return evaluate(self.state[name], self.stored)

    def __iter__(self) -> Iterator[str]:
        return iter(self.state)

    def __len__(self) -> int:
        return len(self.state)


class Packed:
    """Packed weights, shared by all specialisations for which oneDNN prefers the same layout."""

    def __init__(self) -> None:
        self._known = WeakValueDictionary[tuple[Any, ...], Tensor]()  # code that is not kept frees its weights

    def shared(self, path: str, weight: Tensor) -> Tensor:
        """``weight`` of the layer at ``path``, or the tensor that was given before for it in the same layout."""
        describe = getattr(torch.ops.mkldnn, "_get_mkldnn_serialized_md", None)
        if describe is None or not weight.is_mkldnn:
            return weight
        layout = bytes(describe(weight).tolist())
        return self._known.setdefault((path, weight.dtype, layout), weight)


class Specialised:
    """A network for one batch (N, C, H, W).

    Args:
        graph: the graph for this image size, after rewrites.
        tensors: ``path.name`` of every tensor of the graph, in float32.
        modules: the module of a node that has no code of its own, by path: plug-in ops with weights.
        batch_size: the number of images.
        dtype: "float32" or "bfloat16".
        packed: the packed weights of other specialisations.
        fused: use fused ops where the installed torch has them.
        overwrites: use calls that write their result over a value that nothing reads any more.
    """

    def __init__(
        self,
        graph: Graph,
        tensors: Mapping[str, Tensor],
        modules: Callable[[Node], nn.Module],
        *,
        batch_size: int,
        dtype: str,
        packed: Packed | None = None,
        fused: bool = True,
        overwrites: bool = True,
    ) -> None:
        self.graph, self.tensors, self.batch_size, self.dtype = graph, tensors, batch_size, DTYPES[dtype]
        self.fuses = fused
        self.packed = packed or Packed()
        self.plan: Plan = plan(graph, self._fusable)
        self.weights: dict[str, Tensor] = {}
        self.biases: dict[str, Tensor | None] = {}
        self.scales: dict[str, Tensor] = {}
        self.shifts: dict[str, Tensor] = {}
        self.fused: set[int] = set()
        self.source = Source(self.plan, dtype, batch_size, self.fused, overwrites=overwrites)
        for step in self.plan.steps:
            self._prepare(step)
        del self.tensors  # those of layers are not needed any more once they are packed
        self.modules = {s.node.path: modules(s.node) for s in self.plan.steps if needs_module(s.node.op)}
        self.code = self.source.text()
        self.run: Callable[[Tensor], Tensor] = self._compiled(self.code)
        self.notes = self._notes()

    def __call__(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) to the output in float32."""
        output: Tensor = self.run(images)
        return output if output.dtype == torch.float32 else output.float()

    def agrees(self, found: Tensor, expected: Tensor) -> bool:
        """Whether an output of recorded code is the expected one, to rounding."""
        tolerance = TOLERANCE.get((found.device.type, self.dtype), _OTHER_DEVICES)
        return bool((found - expected).abs().max() <= tolerance * expected.abs().max())

    def _fusable(self, node: Node, act: str | None, added: bool) -> bool:
        return self.fuses and isinstance(node.op, Conv) and can_fuse(act, added, self.dtype)

    def _prepare(self, step: Step) -> None:
        op, path = step.node.op, step.node.path
        if type(op) is Conv:
            self.biases[path] = self._tensor(path, "bias")
            self.weights[path] = self._conv_weight(step, op, self._tensor(path, "weight"))
        elif type(op) is Linear:
            self.weights[path] = self._given(path, "weight")
            self.biases[path] = self._tensor(path, "bias")
        elif type(op) is BatchNorm:
            self._norm(step, op)

    def _conv_weight(self, step: Step, op: Conv, weight: Tensor | None) -> Tensor:
        assert weight is not None
        read = self.graph.nodes[step.reads[0]].type
        assert isinstance(read, FeatureMap)
        zeros = self.source.uneven_zeros(step, op) or (0, 0, 0, 0)
        shape = (self.batch_size, read.channels, read.height + sum(zeros[2:]), read.width + sum(zeros[:2]))
        packed = pack(weight, self.source.place(step, op), shape) if self._fusable(step.node, None, False) else None
        if packed is None:
            return weight.contiguous(memory_format=torch.channels_last)
        self.fused.add(step.value)
        made_of = str(self.tensors.state[f"{step.node.path}.weight"]) if isinstance(self.tensors, Evaluated) else ""
        return self.packed.shared(f"{step.node.path} {made_of}", packed)

    def _norm(self, step: Step, op: BatchNorm) -> None:
        path = step.node.path
        scale = torch.rsqrt(self.tensors[f"{path}.running_var"] + op.eps)
        scale = scale * self.tensors[f"{path}.weight"] if op.gamma else scale
        shift = self.tensors[f"{path}.bias"] - self.tensors[f"{path}.running_mean"] * scale
        shape = (-1, 1, 1) if isinstance(step.node.type, FeatureMap) else (-1,)
        self.scales[path], self.shifts[path] = scale.reshape(shape).to(self.dtype), shift.reshape(shape).to(self.dtype)

    def _given(self, path: str, name: str) -> Tensor:
        return self.tensors[f"{path}.{name}"].to(self.dtype)

    def _tensor(self, path: str, name: str) -> Tensor | None:
        return self._given(path, name) if f"{path}.{name}" in self.tensors else None

    def capture(self, images: Tensor, recorder: Recorder, streams: Streams) -> None:
        """Run as one recorded graph on a GPU, with the branches of concatenations on streams where that saves time.

        If it cannot be recorded, the calls are launched one by one and a note is added.

        Args:
            images: (N, C, H, W) on the device.
            recorder: records work.
            streams: the streams of branches.
        """

        def made(forks: Sequence[Fork]) -> Captured:
            captured = Captured(self._compiled(self.source.text(forks), streams), images, recorder)
            if not self.agrees(captured(images), plain(images).float()):
                raise RuntimeError("the first replay gives another result")
            return captured

        plain = self.run
        try:
            self.run, kept = choose_forks(made, forks(self.plan), streams.synchronize)
        except RuntimeError as error:  # includes out of memory, because a recording needs more memory than a call
            first_line = (str(error) or type(error).__name__).splitlines()[0]
            self.notes = (*self.notes, f"the network is not recorded as a CUDA graph: {first_line}")
            return
        self.code = self.source.text(kept)

    def _compiled(self, code: str, streams: Streams | None = None) -> Callable[[Tensor], Tensor]:
        names: dict[str, Any] = {"torch": torch, "F": F, "w": self.weights, "b": self.biases, **kernels()}
        names |= {"scale": self.scales, "shift": self.shifts, "module": self.modules, "dtype": self.dtype}
        names["streams"] = streams
        exec(compile(code, "<generated by ins.optimize>", "exec"), names)
        run: Callable[[Tensor], Tensor] = names["run"]
        return run

    def _notes(self) -> tuple[str, ...]:
        convs = [step for step in self.plan.steps if isinstance(step.node.op, Conv)]
        plain = [step.node.path for step in convs if step.value not in self.fused]
        if not plain:
            return ()
        where = "all convolutions" if len(plain) == len(convs) else f"{len(plain)} of {len(convs)} convolutions"
        return (f"{where} are plain ATen calls: the installed torch {torch.__version__} has no fused call for them",)
