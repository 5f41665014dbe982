"""Post-training quantisation to int8."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inception_search.errors import MissingRequirementError
from inception_search.exports.calibration import Calibration
from inception_search.extras import install


def quantise_onnx(source: Path, target: Path, calibration: Calibration, name: str) -> None:
    """Quantise an ONNX file by ONNX Runtime: weights for each filter, activations for each tensor.

    Args:
        source: the float32 file.
        target: the file to write.
        calibration: the images.
        name: the name of the input.
    """
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.batches = calibration.batches()

        def get_next(self) -> dict[str, np.ndarray[Any, Any]] | None:
            batch = next(self.batches, None)
            return None if batch is None else {name: batch.numpy()}

    with _quiet():
        quantization.quantize_static(
            source,
            target,
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
            reduce_range=not _has_vnni(),  # without these instructions, sums of two products overflow
        )


def quantise_openvino(model: Any, calibration: Calibration) -> Any:
    """An OpenVINO model quantised by NNCF; raises MissingRequirementError without it."""
    try:
        import nncf
    except ImportError:
        rule = "int8 for OpenVINO needs nncf, which is not installed"
        raise MissingRequirementError(rule, path="int8", hint=install("nncf")) from None
    batches = [batch.numpy() for batch in calibration.batches()]
    return nncf.quantize(model, nncf.Dataset(batches), subset_size=len(batches))


def _has_vnni() -> bool:
    supported = getattr(torch.cpu, "_is_vnni_supported", None)
    return supported is not None and bool(supported())


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the advice that ONNX Runtime logs, which our graphs already follow."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
