"""ONNX from a graph: every op writes its own calls (``Op.to_onnx``); names are the paths of the document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from inception_search.errors import CompileError
from inception_search.exports.job import Dtype
from inception_search.graph.graph import Graph, Node
from inception_search.graph.ops import Input
from inception_search.graph.types import FeatureMap

if TYPE_CHECKING:
    import onnx

OPSET, IR_VERSION = 17, 8  # of 2022: every runtime in use reads them
LARGEST = 2**31 - 1  # bytes of a protobuf message
IMAGES, BATCH, SIDES = "images", "N", ("height", "width")


class Writer:
    """Writes the ONNX graph of one network.

    Args:
        graph: the graph, with what it computes in evaluation mode.
        tensors: returns the value of a tensor of an op, ``path.name``, as an array.
        dtype: of the computation; with ``"bfloat16"``, weights are stored in it and the computation is in float32.
        varies: whether images of other heights and widths than the graph's may be given.
    """

    def __init__(
        self, graph: Graph, tensors: Callable[[str], np.ndarray[Any, Any]], dtype: Dtype, varies: bool = False
    ) -> None:
        from onnx import TensorProto

        self.graph, self.tensors, self.varies = graph, tensors, varies
        self.stored_in_bfloat16 = dtype == "bfloat16"
        self.number_type = np.float16 if dtype == "float16" else np.float32
        self.dtype: int = TensorProto.FLOAT16 if dtype == "float16" else TensorProto.FLOAT
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}
        self.values: dict[int, str] = {}
        self.node: Node = graph.nodes[0]
        self._own = 0  # calls of the present node

    def model(self, output: str, head: _Head | None = None) -> onnx.ModelProto:
        """The whole model.

        Args:
            output: the name of the output.
            head: what comes before the network and after it (default: float32 images in, the output of the network).
        """
        from onnx import helper

        head = head or _Head()
        given = head.before(self)
        for index in sorted(self.graph.main()):
            self._write(index, given)
        last = head.after(self, self.values[self.graph.outputs[0]])
        self._name_output(last, output)
        self._check_size()
        result = self.graph.nodes[self.graph.outputs[0]].type
        graph = helper.make_graph(
            self.nodes,
            "network",
            [head.input(self)],
            [helper.make_tensor_value_info(output, head.output_type(), [BATCH, *result])],
            list(self.initializers.values()),
            value_info=self._shapes(output),
        )
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)

    def call(self, kind: str, *values: str, **attributes: Any) -> str:
        """As :meth:`OnnxCalls.call`."""
        from onnx import helper

        path = self.node.path
        self._own += 1
        result = f"{path}/{kind}_{self._own}"
        self.nodes.append(helper.make_node(kind, list(values), [result], name=result, **attributes))
        return result

    def tensor(self, name: str) -> str:
        """As :meth:`OnnxCalls.tensor`."""
        key = f"{self.node.path}.{name}"
        if not self.stored_in_bfloat16:
            return self.constant(key, self.tensors(key).astype(self.number_type))
        stored = self.constant(f"{key}/bfloat16", self.tensors(key).astype(np.float32), bfloat16=True)
        return self.call("Cast", stored, to=self.dtype)

    def numbers(self, values: Any) -> str:
        """As :meth:`OnnxCalls.numbers`."""
        self._own += 1
        return self.constant(f"{self.node.path}/constant_{self._own}", np.asarray(values, self.number_type))

    def integers(self, values: Sequence[int]) -> str:
        """As :meth:`OnnxCalls.integers`."""
        self._own += 1
        return self.constant(f"{self.node.path}/constant_{self._own}", np.asarray(values, np.int64))

    def impossible(self, reason: str) -> NoReturn:
        """As :meth:`OnnxCalls.impossible`."""
        raise CompileError(
            "the network has no form in ONNX",
            path=self.node.path,
            found=reason,
            hint="an op of a package of your own needs a method to_onnx (docs/plugins.md); fixed sizes may help",
        )

    def constant(self, name: str, array: np.ndarray[Any, Any], *, bfloat16: bool = False) -> str:
        """Add a constant; returns its name."""
        from onnx import TensorProto, helper

        kind = TensorProto.BFLOAT16 if bfloat16 else helper.np_dtype_to_tensor_dtype(array.dtype)
        content = _as_bfloat16(array) if bfloat16 else np.ascontiguousarray(array).tobytes()
        made = TensorProto(name=name, data_type=kind, dims=array.shape, raw_data=content)
        self.initializers[name] = made
        return name

    def _write(self, index: int, given: str) -> None:
        """Write the calls of a node; the last of them gets the name of the node."""
        self.node, self._own = self.graph.nodes[index], 0
        if isinstance(self.node.op, Input):
            self.values[index] = given
            return
        before = len(self.nodes)
        values = tuple(self.values[i] for i in self.node.inputs)
        result = self.node.op.to_onnx(self, values, self.graph.input_types(self.node))
        if len(self.nodes) > before and self.nodes[-1].output[0] == result:
            result = self.nodes[-1].output[0] = self.nodes[-1].name = self.node.path
        self.values[index] = result

    def _name_output(self, last: str, output: str) -> None:
        """Give the last value the name of the output."""
        maker = next((node for node in self.nodes if node.output[0] == last), None)
        if maker is None or any(last in node.input for node in self.nodes):
            self.node = self.graph.nodes[self.graph.outputs[0]]
            self.call("Identity", last)
            maker = self.nodes[-1]
        maker.output[0] = output

    def _shapes(self, output: str) -> list[onnx.ValueInfoProto]:
        """The types of all values that are nodes of the graph."""
        from onnx import helper

        made = {name for node in self.nodes for name in node.output} - {output}
        found = []
        for index, value in self.values.items():
            kind = self.graph.nodes[index].type
            if value in made and value == self.graph.nodes[index].path:
                free = self.varies and isinstance(kind, FeatureMap)
                sides = [None, None] if free else kind[1:]
                found.append(helper.make_tensor_value_info(value, self.dtype, [BATCH, kind[0], *sides]))
        return found

    def _check_size(self) -> None:
        size = sum(len(each.raw_data) for each in self.initializers.values())
        if size > LARGEST * 0.99:
            raise CompileError(
                "the network is too large for one ONNX file",
                found=f"{size / 2**30:.1f} GiB of weights",
                expected="at most 2 GiB",
                hint='export it with dtype="float16", or as source or pt2',
            )


class _Head:
    """Float images (N, C, H, W) in, the output of the network out, both float32 whatever the computation is in."""

    def input(self, writer: Writer) -> onnx.ValueInfoProto:
        from onnx import TensorProto, helper

        channels, *size = writer.graph.nodes[0].type
        sides = SIDES if writer.varies else size
        return helper.make_tensor_value_info(IMAGES, TensorProto.FLOAT, [BATCH, channels, *sides])

    def before(self, writer: Writer) -> str:
        """Write what is computed before the network; returns the value that it reads."""
        return IMAGES if writer.number_type is np.float32 else writer.call("Cast", IMAGES, to=writer.dtype)

    def after(self, writer: Writer, last: str) -> str:
        """Write what is computed after it; returns the result."""
        from onnx import TensorProto

        return last if writer.number_type is np.float32 else writer.call("Cast", last, to=TensorProto.FLOAT)

    def output_type(self) -> int:
        from onnx import TensorProto

        return int(TensorProto.FLOAT)


class PixelHead(_Head):
    """Pixels (N, H, W, C) of 0 to 255 in, RGB; probabilities out.

    Args:
        scale: by what a pixel is multiplied, for each channel of the network.
        shift: what is added then.
        reverse: whether the network has its channels in the order blue, green, red.
    """

    def __init__(self, scale: Sequence[float], shift: Sequence[float], reverse: bool) -> None:
        self.scale, self.shift, self.reverse = scale, shift, reverse

    def input(self, writer: Writer) -> onnx.ValueInfoProto:
        from onnx import TensorProto, helper

        channels, *size = writer.graph.nodes[0].type
        sides = SIDES if writer.varies else size
        return helper.make_tensor_value_info(IMAGES, TensorProto.UINT8, [BATCH, *sides, channels])

    def before(self, writer: Writer) -> str:
        from onnx import TensorProto

        x = writer.call("Cast", IMAGES, to=TensorProto.FLOAT)
        x = writer.call("Transpose", x, perm=[0, 3, 1, 2])
        if self.reverse:
            order = writer.integers(range(len(self.scale))[::-1])
            x = writer.call("Gather", x, order, axis=1)
        scale, shift = (np.asarray(each, np.float32).reshape(1, -1, 1, 1) for each in (self.scale, self.shift))
        x = writer.call("Mul", x, writer.constant("input/scale", scale))
        x = writer.call("Add", x, writer.constant("input/shift", shift))
        return x if writer.number_type is np.float32 else writer.call("Cast", x, to=writer.dtype)

    def after(self, writer: Writer, last: str) -> str:
        return writer.call("Softmax", super().after(writer, last), axis=1)


def set_metadata(model: onnx.ModelProto, facts: Mapping[str, str]) -> None:
    """Write facts to the metadata of a model; those of the same name are replaced."""
    kept = {each.key: each.value for each in model.metadata_props} | dict(facts)
    del model.metadata_props[:]
    for key, value in kept.items():
        model.metadata_props.add(key=key, value=value)


def _as_bfloat16(array: np.ndarray[Any, Any]) -> bytes:
    """Float32 numbers rounded to bfloat16, to the nearest, and to even between two."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return rounded.astype("<u2").tobytes()
