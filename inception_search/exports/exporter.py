"""Export of a model to a file of another runtime, which gets its name only after it has been checked."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from inception_search._version import __version__
from inception_search.arguments import checked
from inception_search.backend.network_module import NetworkModule
from inception_search.data.dataset import Dataset
from inception_search.errors import CompileError, ConfigError, raw, unknown_name
from inception_search.exports.calibration import Accuracy
from inception_search.exports.format import Format, differs_little
from inception_search.exports.formats import FORMATS
from inception_search.exports.job import Dtype, Job, Options
from inception_search.exports.model_checks import check_images, checked_model
from inception_search.exports.target import check_target, folder_beside, put_in_place
from inception_search.spec.documents.to_yaml import network_text
from inception_search.spec.safetensors_header import CLASSES, DOCUMENT

TOLERANCE: dict[str, float] = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 5e-2, "int8": 0.5}
"""The largest difference that the check allows, relative to the largest output."""
META = "inception_search"  # begins the names of our facts in the metadata of files


class Exported(NamedTuple):
    """A written file.

    Args:
        path: the file.
        difference: the largest difference of an output, relative to the largest output; None if it was not checked.
        runtime: the runtime that computed it, with its version.
        accuracy: for int8: the accuracy before and after.
    """

    path: Path
    difference: float | None
    runtime: str
    accuracy: Accuracy | None = None

    def __str__(self) -> str:
        if self.difference is None:
            return f"{self.path} (not checked)"
        text = f"{self.path} (checked in {self.runtime}: outputs differ by {self.difference:.1e} of the largest)"
        return text if self.accuracy is None else f"{text}\n{self.accuracy}"


@checked
def export(
    model: nn.Module,
    to: str,
    path: str | Path,
    *,
    dtype: Dtype = "float32",
    keep_norms: bool = False,
    preprocess: bool = False,
    dynamic_size: bool = False,
    int8: bool = False,
    calibrate: Dataset | None = None,
    images: Tensor | None = None,
    check: bool = True,
    force: bool = False,
) -> Exported:
    """Write a model to a file of another runtime. The file is run there and compared before it gets its name.

    Args:
        model: a model from :func:`compile` or :func:`load_model`, in evaluation mode.
        to: the format: ``"onnx"``, ``"source"``, ``"pt2"``, ``"openvino"``, ``"safetensors"`` or ``"timm"``
            (docs/deploy.md).
        path: the file (for timm, the folder). Its name ends as the format demands: ``.onnx``, ``.py``, ``.pt2``,
            ``.xml``, ``.safetensors``.
        dtype: ``"float16"``: weights and computation are in it, images and outputs are float32. ``"bfloat16"``: weights
            are stored in it, and the computation is in float32, because few runtimes have it.
        keep_norms: write batch norms as they are, in place of folding them into the convolutions.
        preprocess: pixels in, probabilities out: the input is uint8 (N, H, W, C), RGB, of the network's size; it is
            normalised as the document says. The output is the softmax of the logits.
        dynamic_size: allow images of other heights and widths, if the network does.
        int8: quantise weights and activations after training; with float images and outputs (onnx, openvino).
        calibrate: a dataset, such as from :func:`load_data`, at the network's size: training images calibrate int8, and
            the accuracy on the validation images is measured before and after.
        images: more images (N, C, H, W), normalised as the model expects, for the check.
        check: run the file in its own runtime, and compare the outputs with those of the model.
        force: replace an existing file.

    Returns:
        The path, the largest relative difference that was found, and the runtime of the check.

    Raises:
        CompileError: the outputs differ, with the first layer that does; or the network has no form in the format. No
            file is written.
        ConfigError: an unknown format, an option that it does not have, int8 with another dtype or with preprocess, an
            existing file, a model in training mode, on another device or not in float32, values that are not finite.
        MissingRequirementError: a package is missing.

    >>> model = ins.compile("nin_cifar10", width=0.25, seed=0).eval()
    >>> ins.export(model, "pt2", "nin.pt2").path.name
    'nin.pt2'
    """
    options = Options(dtype, keep_norms, preprocess, dynamic_size, int8)
    kind, target = _format(to, options), Path(path)
    found = checked_model(model)
    check_target(target, kind, to, force)
    check_images(found, images)
    kind.require()
    facts = _facts(found, "not checked" if not check else "unfinished")
    job = Job(found, options, images, facts, calibrate)
    with torch.inference_mode(mode=False), folder_beside(target) as folder:
        file = folder / target.name
        kind.write(job, file)
        result = Exported(target, None, kind.runtime())
        if check:
            result = result._replace(difference=_difference(kind, job, file))
            text = f"{result.runtime}: largest relative difference {result.difference:.1e} on {len(job.images)} images"
            found_facts = {f"{META}.check": text}
            if int8 and calibrate is not None:
                accuracy = job.calibration.accuracy(kind.load(job, file))
                result = result._replace(accuracy=accuracy)
                found_facts[f"{META}.int8"] = f"{accuracy}; calibrated on images of {calibrate.name}"
            kind.annotate(job, file, found_facts)
        put_in_place(folder, target)
    return result


def _format(to: str, options: Options) -> Format:
    if to not in FORMATS:
        raise unknown_name("format", to, FORMATS)
    kind = FORMATS[to]()
    for name, value in options.given().items():
        if name not in kind.options:
            others = [other for other, each in FORMATS.items() if name in each.options]
            hint = f"leave it out; {' and '.join(others)} have it"
            found = None if value is True else value  # the name of a flag says it
            raise ConfigError(f"{to} has no such option", path=name, found=found, hint=hint)
    for name in ("dtype", "preprocess"):
        if options.int8 and name in options.given():
            raise ConfigError(f"cannot be combined with {name}", path="int8", hint="leave out one of the two")
    return kind


def _facts(model: NetworkModule, check: str) -> dict[str, str]:
    facts = {DOCUMENT: network_text(model.network), f"{META}.version": __version__, f"{META}.check": check}
    if model.classes is not None:
        facts[CLASSES] = json.dumps(model.classes)
    return facts


def _difference(kind: Format, job: Job, file: Path) -> float:
    """The largest difference; CompileError if it is above the tolerance."""
    dtype = "int8" if job.options.int8 else job.options.dtype
    tolerance = TOLERANCE[dtype]
    found, expected = kind.load(job, file)(job.images), kind.expected(job, job.images)
    if differs_little(found, expected, tolerance):
        return float((found - expected).abs().max() / expected.abs().max())
    layer = kind.first_difference(job, file, job.images, tolerance)
    where = "" if layer is None else f"; the first layer with other values is {layer}"
    size = float((found - expected).abs().max() / expected.abs().max()) if found.shape == expected.shape else math.inf
    raise CompileError(
        f"{kind.runtime()} computes something else from the file{where}",
        found=raw(f"a difference of {size:.1e} of the largest output"),
        expected=f"at most {tolerance:g} in {dtype}",
        hint="nothing was written; please report it with the network",
    )
