"""A part: a piece of a network as calls of ONNX operators, in plain data that every runtime of this room can run.

``inputs`` and ``weights`` are shapes by name, ``constants`` are pairs of dtype and values by name. A call is a list of
operator, inputs, output and attributes; all calls have one output. ``output`` and ``output_shape`` are the name and the
shape of the result. Shapes of inputs and of the output are without the batch.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

Part: TypeAlias = Mapping[str, Any]
REPEATED = 4093  # random numbers of a weight, which repeat: drawing millions takes longer than timing the op
EMPTY: Part = {
    "inputs": {"x": [8]},
    "weights": {},
    "constants": {},
    "calls": [["Relu", ["x"], "y", {}]],
    "output": "y",
    "output_shape": [8],
}
"""A part whose time is that of a call without work."""


class PlanError(Exception):
    """A plan, a table or a runtime cannot be used; the message is for the user."""


def arrays(part: Part) -> dict[str, Any]:
    """The weights of a part, random but the same every time, and its constants, as NumPy arrays by name."""
    import numpy as np

    found: dict[str, Any] = {}
    for name, shape in part["weights"].items():
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little"))
        if len(shape) > 1:
            few = rng.standard_normal(REPEATED, np.float32) * np.float32(math.sqrt(2.0 / math.prod(shape[1:])))
        else:
            few = rng.uniform(0.5, 1.5, REPEATED).astype(np.float32)
        found[name] = np.resize(few, shape)
    for name, (dtype, values) in part["constants"].items():
        found[name] = np.asarray(values, np.dtype(dtype))
    return found


def images(part: Part, batch_size: int) -> dict[str, Any]:
    """Random float32 inputs of a part by name."""
    import numpy as np

    rng = np.random.default_rng(0)
    return {name: rng.standard_normal((batch_size, *shape), np.float32) for name, shape in part["inputs"].items()}
