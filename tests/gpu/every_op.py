"""One or more of every op that is a layer, with the type of what it reads."""

from __future__ import annotations

from inception_search.graph import ops
from inception_search.graph.op import Op
from inception_search.graph.ops.act import ACTIVATIONS
from inception_search.graph.types import FeatureMap, Type, Vector

MAPS, FLAT = FeatureMap(6, 11, 8), Vector(10)
EVERY_OP: dict[str, tuple[Op, Type]] = {
    repr(op): (op, shape)
    for op, shape in (
        *((ops.Act(name), MAPS) for name in ACTIVATIONS),
        (ops.Conv(4, (1, 1), (1, 1), (0, 0), (1, 1), 1, True), MAPS),
        (ops.Conv(6, (3, 3), (2, 2), (1, 1), (1, 1), 1, False), MAPS),
        (ops.Conv(6, (1, 3), (1, 1), (0, 2), (1, 2), 2, False), MAPS),
        (ops.Conv(4, (3, 3), (2, 2), "tf", (1, 1)), MAPS),
        *((ops.Pool(mode, (3, 3), (2, 2), (1, 1), True, True), MAPS) for mode in ("max", "avg", "l2")),
        *((ops.Pool(mode, (3, 3), (2, 2), "tf", False), MAPS) for mode in ("max", "avg", "l2")),
        (ops.BatchNorm(), MAPS),
        (ops.BatchNorm(eps=1e-5, momentum=0.01, gamma=False), MAPS),
        (ops.AdaptivePool((4, 3)), MAPS),
        (ops.AdaptivePool((1, 1), "max"), MAPS),
        (ops.Lrn(3, 0.5, 0.6, 2.0), MAPS),
        (ops.Dropout(0.3), MAPS),
        (ops.GlobalPool("avg"), MAPS),
        (ops.GlobalPool("max"), MAPS),
        (ops.Flatten(), MAPS),
        (ops.Scale(0.5), MAPS),
        (ops.Zero(), MAPS),
        (ops.Narrow(2, 1), MAPS),
        (ops.Normalize(), FLAT),
        (ops.Linear(7), FLAT),
        (ops.Linear(7, bias=False), FLAT),
    )
}
