"""OpenVINO's files, converted from our ONNX and checked in OpenVINO."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inception_search.errors import MissingRequirementError
from inception_search.exports.format import Run, differs_little
from inception_search.exports.job import Job
from inception_search.exports.onnx_format import OnnxFormat, given
from inception_search.exports.quantised import quantise_openvino
from inception_search.extras import install


class OpenvinoFormat(OnnxFormat):
    """``.xml`` with the graph, and ``.bin`` of the same name with the weights."""

    suffix, beside = ".xml", (".bin",)
    summary = "OpenVINO: the graph in .xml, the weights beside it in .bin"

    def require(self) -> None:
        """OpenVINO, and the writer of ONNX."""
        try:
            import onnx  # noqa: F401
            import openvino  # noqa: F401
        except ImportError as error:
            rule = f"writing OpenVINO's files needs {error.name}, which is not installed"
            raise MissingRequirementError(rule, path="to", hint=install("openvino")) from None

    def write(self, job: Job, path: Path) -> None:
        """Convert our ONNX; float16 and bfloat16 weights stay as small in the file."""
        import openvino

        own = path.with_suffix(".onnx")
        source = self.model(job)
        del source.metadata_props[:]  # OpenVINO would keep a second copy of them, which is not brought up to date
        own.write_bytes(source.SerializeToString())
        model = openvino.convert_model(own)
        if job.options.int8:
            model = quantise_openvino(model, job.calibration)
        self._set(model, dict(job.metadata))
        openvino.save_model(model, path, compress_to_fp16=False)
        own.unlink()

    def annotate(self, job: Job, path: Path, facts: dict[str, str]) -> None:
        """Add to the runtime information of the model."""
        import openvino

        model = openvino.Core().read_model(path, config={"ENABLE_MMAP": False})
        self._set(model, facts)
        openvino.save_model(model, path, compress_to_fp16=False)

    def load(self, job: Job, path: Path) -> Run:
        """Run the file on the CPU in float32."""
        run = self._compiled(path, [])
        return lambda images: torch.from_numpy(run(given(job, images))[0])

    def first_difference(self, job: Job, path: Path, images: Tensor, tolerance: float) -> str | None:
        """Compare the value of every node that is left in OpenVINO's graph, in order."""
        expected = job.values(images)
        names = [node.path for node in job.rewritten.graph.nodes if node.path in expected]
        names, found = self._inside(path, names, given(job, images))
        for name, value in zip(names, found, strict=True):
            if not differs_little(torch.from_numpy(value).float(), expected[name].float(), tolerance):
                return name
        return None

    def runtime(self) -> str:
        """OpenVINO with its version."""
        import openvino

        return f"OpenVINO {openvino.__version__.partition('-')[0]}"

    def _inside(self, path: Path, names: list[str], images: Any) -> tuple[list[str], list[Any]]:
        import openvino

        model = openvino.Core().read_model(path)
        known = {name for op in model.get_ops() for port in op.outputs() for name in port.get_names()}
        names = [name for name in names if name in known]
        return names, self._compiled(path, names)(images)[1:]

    def _compiled(self, path: Path, names: list[str]) -> Callable[[Any], list[Any]]:
        """A function from images to the output and the values of these names."""
        import openvino

        core = openvino.Core()
        model = core.read_model(path, config={"ENABLE_MMAP": False})
        for name in names:
            model.add_outputs(name)
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

        def run(images: Any) -> list[Any]:
            answer = compiled([images])
            return [answer[port].copy() for port in compiled.outputs]

        return run

    def _set(self, model: Any, facts: dict[str, str]) -> None:
        for name, value in facts.items():
            model.set_rt_info(value, name.split("."))
