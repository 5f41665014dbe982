"""ONNX files, checked in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from inception_search.errors import ConfigError, MissingRequirementError
from inception_search.exports.format import Format, Run, differs_little
from inception_search.exports.job import Job
from inception_search.exports.onnx_writer import IMAGES, PixelHead, Writer, set_metadata
from inception_search.exports.quantised import quantise_onnx
from inception_search.extras import install
from inception_search.spec.network import Preprocess


class OnnxFormat(Format):
    """``.onnx``: written from the graph, without tracing."""

    suffix = ".onnx"
    summary = "ONNX, for ONNX Runtime, OpenVINO, TensorRT and others"
    options = ("dtype", "keep_norms", "preprocess", "dynamic_size", "int8")

    def require(self) -> None:
        """Both packages: the writer and the runtime of the check."""
        try:
            import onnx  # noqa: F401
            import onnxruntime  # noqa: F401
        except ImportError as error:
            rule = f"writing ONNX needs {error.name}, which is not installed"
            raise MissingRequirementError(rule, path="to", hint=install("onnx")) from None

    def write(self, job: Job, path: Path) -> None:
        """Write the model and its metadata."""
        import onnx

        content = self.model(job).SerializeToString(deterministic=True)
        if job.options.int8:
            source = path.with_suffix(".float.onnx")
            source.write_bytes(content)
            quantise_onnx(source, path, job.calibration, IMAGES)
            source.unlink()
        else:
            path.write_bytes(content)
        onnx.checker.check_model(str(path), full_check=True)

    def model(self, job: Job) -> Any:
        """The ``onnx.ModelProto``."""
        if job.options.dynamic_size:
            job.check_size_may_vary()
        head = _pixels(job) if job.options.preprocess else None

        def array(name: str) -> np.ndarray[Any, Any]:
            return job.tensor(name).numpy()

        writer = Writer(job.rewritten.graph, array, job.options.dtype, job.options.dynamic_size)
        model = writer.model(output_name(job), head)
        model.graph.name = job.model.network.name
        model.producer_name = "inception-search"
        model.producer_version = job.metadata["inception_search.version"]
        set_metadata(model, job.metadata)
        return model

    def load(self, job: Job, path: Path) -> Run:
        """Run the file on the CPU."""
        session = _session(path.read_bytes())
        return lambda images: torch.from_numpy(session.run(None, {IMAGES: given(job, images)})[0])

    def expected(self, job: Job, images: Tensor) -> Tensor:
        """Probabilities of the images as pixels, with preprocessing inside; else what the model returns."""
        if not job.options.preprocess:
            return job.outputs(images)
        return job.outputs(normalised(job, as_pixels(images))).softmax(1)

    def runtime(self) -> str:
        """ONNX Runtime with its version."""
        import onnxruntime

        return f"ONNX Runtime {onnxruntime.__version__}"

    def first_difference(self, job: Job, path: Path, images: Tensor, tolerance: float) -> str | None:
        """Compare the value of every node, in order."""
        import onnx

        model = onnx.load(str(path))
        inside = {name for node in model.graph.node for name in node.output}
        paths = [node.path for node in job.rewritten.graph.nodes if node.path in inside]
        for name in paths:
            model.graph.output.append(onnx.ValueInfoProto(name=name))
        expected = job.values(normalised(job, as_pixels(images)) if job.options.preprocess else images)
        found = _session(model.SerializeToString()).run(paths, {IMAGES: given(job, images)})
        for name, value in zip(paths, found, strict=True):
            if not differs_little(torch.from_numpy(value).float(), expected[name].float(), tolerance):
                return name
        return None

    def annotate(self, job: Job, path: Path, facts: dict[str, str]) -> None:
        """Add to the metadata."""
        import onnx

        model = onnx.load(str(path))
        set_metadata(model, facts)
        path.write_bytes(model.SerializeToString(deterministic=True))


def output_name(job: Job) -> str:
    """``logits`` or ``features``; ``probabilities`` with preprocessing inside."""
    if job.options.preprocess:
        return "probabilities"
    return "logits" if job.model.num_classes else "features"


def given(job: Job, images: Tensor) -> np.ndarray[Any, Any]:
    """The images as the file reads them: float32 (N, C, H, W), or pixels (N, H, W, C)."""
    if not job.options.preprocess:
        return images.numpy()
    return as_pixels(images).permute(0, 2, 3, 1).contiguous().numpy()


def as_pixels(images: Tensor) -> Tensor:
    """Images (N, C, H, W) of any numbers as pixels, for the check."""
    return (images * 64 + 128).clamp(0, 255).to(torch.uint8)


def normalised(job: Job, pixels: Tensor) -> Tensor:
    """Pixels (N, C, H, W) as the network reads them."""
    facts = _facts(job)
    x = pixels.float()
    x = x.flip(1) if facts.order == "bgr" else x
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (facts.mean, facts.std))
    return (x * (facts.scale / 255) - mean) / std


def _pixels(job: Job) -> PixelHead:
    facts = _facts(job)
    if not job.model.num_classes:
        hint = "leave out preprocess, or keep the classifier"
        raise ConfigError("a network without a classifier has no probabilities", path="preprocess", hint=hint)
    scale = [facts.scale / 255 / std for std in facts.std]
    shift = [-mean / std for mean, std in zip(facts.mean, facts.std, strict=True)]
    return PixelHead(scale, shift, facts.order == "bgr")


def _facts(job: Job) -> Preprocess:
    facts = job.model.network.preprocess
    if facts is None:
        hint = "add 'preprocess: {mean: ..., std: ...}' to it"
        raise ConfigError("the document has no preprocessing of images", path="preprocess", hint=hint)
    return facts


def _session(content: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
