"""Installation hints for missing optional packages: one wording for every error.

The extras are those of ``pyproject.toml``; ``tests/contracts/test_extras.py`` compares the two.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Extra: TypeAlias = Literal[
    "images",
    "png",
    "dashboard",
    "postgresql",
    "cmaes",
    "keras",
    "tensorflow",
    "onnx",
    "openvino",
    "nncf",
    "timm",
    "hub",
    "ray",
]
PACKAGES: dict[Extra, str] = {
    "images": "pillow",
    "png": "resvg-py",
    "dashboard": "optuna-dashboard",
    "postgresql": "'psycopg[binary]'",
    "cmaes": "cmaes",
    "keras": "h5py",
    "tensorflow": "tensorflow",
    "onnx": "onnx onnxruntime",
    "openvino": "onnx openvino",
    "nncf": "nncf",
    "timm": "timm",
    "hub": "huggingface_hub",
    "ray": "ray",
}


def install(extra: Extra) -> str:
    """How to install the package of an extra: by its name, or as the extra in a clone of the repository.

    >>> install("keras")
    "pip install h5py, or in a clone of inception-search pip install '.[keras]'"
    """
    return f"pip install {PACKAGES[extra]}, or in a clone of inception-search pip install '.[{extra}]'"
