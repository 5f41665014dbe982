"""The table of formats. A new format is a file here and a row in :data:`FORMATS`."""

from __future__ import annotations

from inception_search.exports.format import Format
from inception_search.exports.onnx_format import OnnxFormat
from inception_search.exports.openvino_format import OpenvinoFormat
from inception_search.exports.pt2_format import Pt2Format
from inception_search.exports.safetensors_format import SafetensorsFormat
from inception_search.exports.source_format import SourceFormat
from inception_search.exports.timm_format import TimmFormat

FORMATS: dict[str, type[Format]] = {
    "onnx": OnnxFormat,
    "source": SourceFormat,
    "pt2": Pt2Format,
    "openvino": OpenvinoFormat,
    "safetensors": SafetensorsFormat,
    "timm": TimmFormat,
}
