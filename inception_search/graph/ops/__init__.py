"""The table of ops. A new op is a file here and a row in :data:`OPS`."""

from __future__ import annotations

from inception_search.errors import shorten
from inception_search.graph.op import Op
from inception_search.graph.ops.act import Act
from inception_search.graph.ops.adaptive_pool import AdaptivePool
from inception_search.graph.ops.add import Add
from inception_search.graph.ops.batch_norm import BatchNorm
from inception_search.graph.ops.concat import Concat
from inception_search.graph.ops.conv import Conv
from inception_search.graph.ops.dropout import Dropout
from inception_search.graph.ops.flatten import Flatten
from inception_search.graph.ops.global_pool import GlobalPool
from inception_search.graph.ops.input import Input
from inception_search.graph.ops.linear import Linear
from inception_search.graph.ops.lrn import Lrn
from inception_search.graph.ops.narrow import Narrow
from inception_search.graph.ops.normalize import Normalize
from inception_search.graph.ops.pool import Pool
from inception_search.graph.ops.scale import Scale
from inception_search.graph.ops.zero import Zero
from inception_search.plugins import all_names, find, unusable

OPS: dict[str, type[Op]] = {
    "act": Act,
    "adaptive_pool": AdaptivePool,
    "add": Add,
    "batch_norm": BatchNorm,
    "concat": Concat,
    "conv": Conv,
    "dropout": Dropout,
    "flatten": Flatten,
    "global_pool": GlobalPool,
    "input": Input,
    "linear": Linear,
    "lrn": Lrn,
    "narrow": Narrow,
    "normalize": Normalize,
    "pool": Pool,
    "scale": Scale,
    "zero": Zero,
}


def names() -> tuple[str, ...]:
    """The names of all ops, with those of other packages last (docs/plugins.md)."""
    return all_names("op", OPS)


def find_op(name: str) -> type[Op] | None:
    """The class of the op ``name``; None if the name is unknown.

    Raises PluginError for an op of another package that cannot be used.
    """
    added = find("op", name, OPS)
    if added is None:
        return OPS.get(name)
    if not (isinstance(added, type) and issubclass(added, Op) and getattr(added, "name", None) == name):
        raise unusable("op", name, shorten(added), f"a class derived from Op whose name is {name!r}")
    return added


__all__ = [
    "OPS",
    "Act",
    "AdaptivePool",
    "Add",
    "BatchNorm",
    "Concat",
    "Conv",
    "Dropout",
    "Flatten",
    "GlobalPool",
    "Input",
    "Linear",
    "Lrn",
    "Narrow",
    "Normalize",
    "Pool",
    "Scale",
    "Zero",
    "find_op",
    "names",
]
