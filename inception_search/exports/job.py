"""What every format reads: the model, the options, and the graph that is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from inception_search.backend.network_module import NetworkModule
from inception_search.backend.rewritten import values_in_evaluation
from inception_search.data.dataset import Dataset
from inception_search.errors import ConfigError, ShapeError
from inception_search.exports.calibration import Calibration
from inception_search.graph.graph import Graph, Node
from inception_search.graph.ops import Input
from inception_search.lowering import lower
from inception_search.passes.expressions import evaluate
from inception_search.passes.pipeline import FOR_FUSED_CALLS, run_passes
from inception_search.passes.rewrite import PassResult
from inception_search.spec.transform import remake, set_input

Dtype: TypeAlias = Literal["float32", "float16", "bfloat16"]
AS_WRITTEN = ("share_values", "drop_inactive", "drop_identities")
_OTHER_SIZE = 32  # pixels that are added to see whether a network allows other sizes
IMAGES_OF_CHECK = 2


@dataclass(frozen=True)
class Options:
    """The options of :func:`export`, which has their description."""

    dtype: Dtype = "float32"
    keep_norms: bool = False
    preprocess: bool = False
    dynamic_size: bool = False
    int8: bool = False

    def given(self) -> dict[str, Any]:
        """Those that are not at their defaults."""
        return {name: value for name, value in vars(self).items() if value != getattr(Options(), name)}


@dataclass(frozen=True)
class Job:
    """One model that is exported.

    Args:
        model: the model, in evaluation mode.
        options: the options.
        given: more images (N, C, H, W) for the check; None if there are none.
        metadata: facts for the file.
        data: the images for the calibration of int8.
    """

    model: NetworkModule
    options: Options
    given: Tensor | None
    metadata: Mapping[str, str]
    data: Dataset | None = None

    @cached_property
    def plain(self) -> Graph:
        """The graph of the model without auxiliary classifiers."""
        graph: Graph = self.model.recall("graph")
        return Graph(graph.nodes, graph.outputs[:1])

    @cached_property
    def rewritten(self) -> PassResult:
        """The graph that is written, and the expressions of its tensors."""
        return run_passes(self.plain, "inference", only=AS_WRITTEN if self.options.keep_norms else FOR_FUSED_CALLS)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W) of the images."""
        return tuple(self.plain.nodes[0].type)

    @cached_property
    def images(self) -> Tensor:
        """(N, C, H, W) for the check: random ones (for int8, those of the calibration), and those that were given."""
        made = torch.randn(IMAGES_OF_CHECK, *self.shape, generator=torch.Generator().manual_seed(0))
        if self.options.int8:
            made = next(self.calibration.batches())
        return made if self.given is None else torch.cat([made, self.given.detach().cpu().float()])

    @cached_property
    def calibration(self) -> Calibration:
        """The images for int8; ConfigError if there are none."""
        if self.data is None:
            hint = 'give calibrate=ins.load_data("digits", image_size=...), or other images like those to come'
            raise ConfigError("int8 needs images for its calibration", path="calibrate", hint=hint)
        return Calibration(self.data, self.model)

    def tensor(self, name: str) -> Tensor:
        """The tensor ``path.name`` of the written graph, computed in float64."""
        layers = dict(self.model.named_modules())

        def stored(key: str) -> Tensor:
            path, _, own = key.rpartition(".")
            value: Tensor = getattr(layers[path], own)
            return value.detach().cpu().double()

        return evaluate(self.rewritten.state[name], stored)

    def outputs(self, images: Tensor) -> Tensor:
        """What the model returns for images."""
        with torch.inference_mode():
            output: Tensor = self.model(images)
        return output.float()

    def values(self, images: Tensor) -> dict[str, Tensor]:
        """The value of every node of the written graph, by path."""
        return values_in_evaluation(self.model, self.rewritten.graph, self.rewritten.state, images)

    def check_size_may_vary(self) -> None:
        """Raise ShapeError unless the network computes images of other sizes with the same weights."""
        _, height, width = self.shape
        network = remake(self.model.network, aux={})
        larger = lower(set_input(network, height=height + _OTHER_SIZE, width=width + _OTHER_SIZE))
        layers = {node.path: _layer(self.plain, node) for node in self.plain.nodes}
        for node in larger.nodes:
            if not isinstance(node.op, Input) and layers.get(node.path) != _layer(larger, node):
                hint = "leave out dynamic_size, or end the network in a global pool"
                rule = "the weights of the network fit images of one size only"
                raise ShapeError(rule, path=node.path, found=f"{height}x{width} pixels", hint=hint)


def _layer(graph: Graph, node: Node) -> tuple[Any, ...]:
    return node.op, [graph.nodes[i].type.channels for i in node.inputs] if node.op.tensors() else None
