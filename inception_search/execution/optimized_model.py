"""A compiled network that computes by generated code, and :func:`optimize`, which makes one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from threading import RLock
from typing import Any, Literal

import torch
from torch import Tensor, nn

from inception_search.arguments import checked, checked_on_failure
from inception_search.backend.as_documented import difference_from_document
from inception_search.backend.bound_tensors import place, stored_keys
from inception_search.backend.network_module import NetworkModule
from inception_search.backend.recorder import Recorder, fastest_kernels
from inception_search.errors import CompileError, ConfigError, ShapeError, raw
from inception_search.execution.captured import Streams
from inception_search.execution.kernels import check_dtype
from inception_search.execution.recorded import can_record, record
from inception_search.execution.specialised import Evaluated, Packed, Specialised
from inception_search.execution.watch import Watch
from inception_search.execution.workers import CPU_BATCH, GPU_BATCH, predict, split
from inception_search.graph.graph import Graph, Node
from inception_search.graph.types import FeatureMap
from inception_search.lowering import lower
from inception_search.passes.pipeline import FOR_FUSED_CALLS, run_passes
from inception_search.passes.rewrite import PassResult
from inception_search.spec.transform import remake, set_input

_RELEASED = "the weights of the model were released"


class OptimizedModel(nn.Module):
    """Images (N, C, H, W) to what the model returns in evaluation mode, by generated code; made by :func:`optimize`.

    It has no parameters of its own: it reads those of the model, and packs them again when they have changed. Code is
    generated once for each batch size and image size, and kept.
    """

    model: NetworkModule

    def __init__(self, model: NetworkModule, dtype: Literal["float32", "bfloat16"], record: bool = True) -> None:
        super().__init__()
        self.__dict__["model"] = model  # not a submodule: its parameters are not this module's
        self.device = next(model.parameters(), torch.empty(0)).device
        check_dtype(dtype, self.device)
        self.dtype, self.record = dtype, record
        self._own: Graph = model.recall("graph")
        self._graphs: dict[tuple[int, ...], PassResult] = {}
        self._made: dict[tuple[int, ...], Specialised] = {}
        self._last: Specialised | None = None
        self._lock = RLock()
        self._pack()

    @checked_on_failure
    def forward(self, images: Tensor) -> Tensor:
        """The output of the model in evaluation mode, in float32: logits, features or feature maps.

        Args:
            images: (N, C, H, W), of any floating-point dtype and any layout.

        Raises:
            CompileError: the model is in training mode, or its layers are not those of its document.
            ShapeError: the images have other channels, or are too small.
        """
        with torch.inference_mode():
            output = self._specialised(images)(images)
        return output.clone()  # a plain tensor, which a loss can use

    @checked
    def predict(
        self, images: Tensor | Iterable[Tensor], *, batch_size: int | None = None, workers: int | None = None
    ) -> Tensor:
        """The outputs for many images, in order.

        Args:
            images: (N, C, H, W), or an iterable of batches (n, C, H, W), such as a data loader without labels.
            batch_size: the number of images in a batch, for a tensor (default: 4 on a CPU, 256 on a GPU).
            workers: threads that compute a batch each, with one CPU thread (default: the number of CPU threads). On a
                GPU there is one.

        Returns:
            As for a call: (N, classes) logits, or features.

        Raises:
            ConfigError: there are no images, or a number is below 1.
        """
        for name, number in (("batch_size", batch_size), ("workers", workers)):
            if number is not None and number < 1:
                raise ConfigError("the number is too small", path=name, found=number, expected="1 or more")
        on_cpu = self.device.type == "cpu"
        workers = (workers or torch.get_num_threads()) if on_cpu else 1
        if isinstance(images, Tensor):
            self._check_images(images)
            size = batch_size or (CPU_BATCH if on_cpu else GPU_BATCH)
            batches: Iterable[Tensor] = split(images, min(size, -(-len(images) // workers)) or 1)
            return predict(self, batches, workers)[: len(images)]
        found = iter(images)
        first = next(found, None)
        if first is None:
            raise ConfigError("there are no images", path="images", found="an empty iterable")
        return predict(self, chain((first,), found), workers)

    @property
    def code(self) -> str:
        """The generated code of the last call (before the first: for the document's image size and ``batch_size``)."""
        return "" if self._last is None else self._last.code

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be done as wished, such as calls that are not fused."""
        return () if self._last is None else self._last.notes

    def refresh(self) -> None:
        """Pack the current weights of the model again, at the next call.

        Changed weights are found at each call without it, except after writes through ``tensor.data``.
        """
        self._check_released()
        self._pack()

    def _pack(self) -> None:
        self._check_model()
        self.device = next(self.model.parameters(), torch.empty(0)).device
        self._own = self.model.recall("graph")
        self._made.clear()
        self._graphs.clear()
        self._packed = Packed()
        keys = {key for expression in self._graph(*self._size()).state.values() for key in stored_keys(expression)}
        self.watch: Watch | None = Watch(self.model, keys)  # None: the weights are released
        self._check_mode(self.watch)

    @checked
    def release_model(self) -> None:
        """Free the weights of the model, which need about as much memory as the packed ones.

        The model cannot be used any more after that: save it before. Batch sizes, image sizes and numbers of threads
        with which this model was called before still work, other ones do not.
        """
        if self.watch is not None:
            _release(self.model, self.watch.keys)
            self.watch = None  # it has the weights, too

    def _check_released(self, key: tuple[int, ...] | None = None) -> None:
        """Raise CompileError if the weights are needed and not there, for the size ``key``."""
        if self.watch is None:
            hint = "call the fast model once with each size before release_model()"
            known = "; ".join(map(_size_text, self._made))
            found, expected = (None, None) if key is None else (_size_text(key), known)
            raise CompileError(_RELEASED, found=found, expected=expected, hint=hint)

    def _prepare(self, batch_size: int, height: int, width: int) -> Specialised:
        """The generated code for one batch size and image size, made at the first call for it."""
        key = (batch_size, height, width, torch.get_num_threads())  # the layout of weights depends on the threads
        found = self._made.get(key)
        if found is None:
            with self._lock:
                found = self._made.get(key)
                if found is None:
                    self._check_released(key)
                    found = self._made[key] = self._specialise(self._graph(height, width), batch_size)
        self._last = found
        return found

    def _specialise(self, result: PassResult, batch_size: int) -> Specialised:
        if self.device.type == "cuda" and batch_size > 0:
            return self._captured(result, batch_size)
        made = self._code(result, batch_size, fused=self.device.type == "cpu" and batch_size > 0)
        live = any(map(_has_state, made.modules.values()))  # their weights would be recorded as constants
        if self.record and made.fused and can_record() and not live:
            return self._recorded(made, result, batch_size)
        return made

    def _captured(self, result: PassResult, batch_size: int) -> Specialised:
        """The code as one CUDA graph, whose branches overwrite nothing because they run at the same time."""
        made = self._code(result, batch_size, fused=False, overwrites=False)
        made.notes = ()
        images = torch.randn(batch_size, *result.graph.nodes[0].type, device=self.device)
        with torch.cuda.device(self.device), torch.inference_mode(), fastest_kernels():
            made.capture(images, Recorder(), Streams(self.device))
        return made

    def _recorded(self, made: Specialised, result: PassResult, batch_size: int) -> Specialised:
        """The same as a recorded graph; ``made`` itself, with a note, if torch cannot record it or does it wrong."""
        plain = self._code(result, batch_size, fused=False, overwrites=False)
        images = torch.randn(batch_size, *result.graph.nodes[0].type, generator=torch.Generator().manual_seed(0))
        try:
            with torch.inference_mode():
                plain.run = record(plain.run, images)
                found, expected = plain(images), made(images)
            problem = None if plain.agrees(found, expected) else "its result is another one"
        except RuntimeError as error:
            problem = (str(error) or type(error).__name__).strip().splitlines()[0]
        if problem is None:
            plain.notes = ()
            return plain
        made.notes = (*made.notes, f"the code is not recorded as a graph: {problem}")
        return made

    def _code(self, result: PassResult, batch_size: int, *, fused: bool, overwrites: bool = True) -> Specialised:
        layers = dict(self.model.named_modules())

        def stored(key: str) -> Tensor:
            path, _, name = key.rpartition(".")
            value: Tensor = getattr(layers[path], name)
            return value.detach()

        def module(node: Node) -> nn.Module:
            made = node.op.build(result.graph.input_types(node)).eval()
            return layers[node.path] if _has_state(made) else made

        with torch.inference_mode():
            return Specialised(
                result.graph,
                Evaluated(result.state, stored),
                module,
                batch_size=batch_size,
                dtype=self.dtype,
                packed=self._packed,
                fused=fused,
                overwrites=overwrites,
            )

    def __reduce__(self) -> tuple[Any, ...]:
        self._check_released()
        return type(self), (self.model, self.dtype, self.record)  # code and packed weights are made again

    def _specialised(self, images: Tensor) -> Specialised:
        watch = self.watch
        if watch is not None:
            self._check_mode(watch)
            if watch.changed():
                with self._lock:
                    if watch is self.watch:  # otherwise another thread has packed the weights
                        self._pack()
        self._check_images(images)
        batch_size, _, height, width = images.shape
        return self._prepare(batch_size, height, width)

    def _check_mode(self, watch: Watch) -> None:
        if watch.training():
            hint = "call model.eval() first; a model that is optimized computes the output of evaluation mode"
            raise CompileError("the model is in training mode", hint=hint)

    def _check_images(self, images: Tensor) -> None:
        channels, height, width = self._input()
        if images.ndim != 4 or images.shape[1] != channels:
            expected = f"(N, {channels}, H, W), such as (1, {channels}, {height}, {width})"
            raise ShapeError("not the images of this network", found=tuple(images.shape), expected=expected)
        if not images.is_floating_point():
            hint = "ins.prepare_images makes them from pictures; or divide by 255 and normalise as the weights expect"
            raise ConfigError("images must be floating-point numbers", found=str(images.dtype), hint=hint)
        if images.device != self.device:
            hint = f"move them: images.to({str(self.device)!r})"
            raise ConfigError("the images are on another device", found=str(images.device), hint=hint)

    def _check_model(self) -> None:
        if found := difference_from_document(self.model):
            hint = "undo the change, or call the model itself"
            raise CompileError("the model is not the one of its document any more", found=raw(found), hint=hint)

    def _size(self) -> tuple[int, int]:
        _, height, width = self._input()
        return height, width

    def _input(self) -> FeatureMap:
        """The shape of the document's images."""
        shape = self._own.nodes[0].type
        assert isinstance(shape, FeatureMap)
        return shape

    def _graph(self, height: int, width: int) -> PassResult:
        """The rewritten graph for an image size."""
        key = (height, width)
        if key not in self._graphs:
            plain = self._plain_graph(height, width)
            self._graphs[key] = run_passes(Graph(plain.nodes, plain.outputs[:1]), "inference", only=FOR_FUSED_CALLS)
        return self._graphs[key]

    def _plain_graph(self, height: int, width: int) -> Graph:
        own = self._own
        if (height, width) == self._size():
            return own
        network = remake(self.model.network, aux={})
        graph = lower(set_input(network, height=height, width=width))
        layers = {node.path: (node.op.tensors(), self._shape(own, node)) for node in own.nodes if node.op.tensors()}
        for node in graph.nodes:
            if node.op.tensors() and layers.get(node.path) != (node.op.tensors(), self._shape(graph, node)):
                hint = f"use images of {self._size()[0]}x{self._size()[1]} pixels"
                found = f"{height}x{width} pixels"
                raise ShapeError("images of this size do not fit the weights", path=node.path, found=found, hint=hint)
        return graph

    def _shape(self, graph: Graph, node: Node) -> tuple[Any, ...]:
        return (node.op, graph.nodes[node.inputs[0]].type.channels)


def _release(model: NetworkModule, keys: Iterable[str]) -> None:
    """Replace tensors of a model by ones without memory, and let every call of it raise CompileError."""
    for key in keys:
        layer, name = place(model, key)
        table: dict[str, Any] = layer._parameters if name in layer._parameters else layer._buffers
        empty = torch.empty_like(table[name], device="meta")
        needs_grad = table[name].requires_grad
        table[name] = nn.Parameter(empty, needs_grad) if table is layer._parameters else empty

    def refuse(*_: object) -> None:
        raise CompileError(_RELEASED, hint="use the fast model, or load the weights again")

    model.register_forward_pre_hook(refuse)


def _size_text(key: tuple[int, ...]) -> str:
    batch_size, height, width, threads = key
    return f"{_number(batch_size, 'image')} of {height}x{width} with {_number(threads, 'thread')}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _has_state(module: nn.Module) -> bool:
    return next(iter(module.state_dict()), None) is not None


def optimize(
    model: nn.Module,
    *,
    batch_size: int = 1,
    dtype: Literal["float32", "bfloat16"] = "float32",
    record: bool = True,
) -> OptimizedModel:
    """Make a compiled network fast for inference, by generated code with packed weights and fused calls.

    The model stays as it is, and its weights may change: the next call sees it. See docs/execution.md.

    Args:
        model: a model in evaluation mode, made by :func:`compile` or :func:`load_model`.
        batch_size: the number of images in a batch; code for other batch sizes is made when they are first used.
        dtype: the dtype to compute in; images and outputs are float32. ``"bfloat16"`` is faster, and differs by about
            1 % of the largest logit.
        record: let PyTorch record the code and fuse it through oneDNN's graph compiler, where it can. That takes 1 to 3
            seconds more for each batch size and image size, and saves 5 to 40 % of each call.

    Returns:
        The fast model: ``fast(images)`` returns what ``model(images)`` returns, ``fast.code`` is the generated code.

    Raises:
        CompileError: the model is in training mode, or has layers that its document does not have.
        ConfigError: the model is not one of this package, or the dtype is unknown or not supported by the CPU.

    >>> import torch
    >>> model = ins.compile("nin_cifar10", width=0.25).eval()
    >>> fast = ins.optimize(model)
    >>> fast(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 10])
    """
    if not isinstance(model, NetworkModule):
        hint = "make it with ins.compile or ins.load_model; torch.compile takes any module"
        raise ConfigError("not a network of this package", path="model", found=type(model).__name__, hint=hint)
    if batch_size < 1:
        raise ConfigError("not a batch size", path="batch_size", found=batch_size, expected="1 or more")
    if any(tensor.is_meta for tensor in model.parameters()):
        hint = "load them, or compile the model again: release_model() frees them, and a model on device meta has none"
        raise CompileError("the model has no weights", hint=hint)
    fast = OptimizedModel(model, dtype, record)
    fast._prepare(batch_size, *fast._size())
    return fast
