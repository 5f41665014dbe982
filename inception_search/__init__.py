"""Design, search and draw Inception-style networks.

>>> import inception_search as ins
>>> net = ins.load("inception_v4")
>>> ins.lower(net).cost().params
42679816
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from inception_search._version import __version__

if TYPE_CHECKING:
    from inception_search.api import compile, diff, draw, load_space, view
    from inception_search.backend.images import prepare_images
    from inception_search.canonical.catalogue import dialects, list_models, names
    from inception_search.data.catalogue import load_data
    from inception_search.edits.edit import Edit
    from inception_search.errors import InceptionSearchError
    from inception_search.graph.graph import Graph, GraphBuilder
    from inception_search.items import load, module
    from inception_search.measures.budget import Budget
    from inception_search.measures.sample import sample_within
    from inception_search.named import (
        arch_id,
        crossover,
        drop_head,
        edits_of,
        load_model,
        lower,
        measure,
        mutate,
        normal,
        path,
        scale_width,
        set_classes,
        set_depth,
        set_input,
        set_stem_stride,
        swap_stem,
        text,
        to_networkx,
    )
    from inception_search.search_api import finalize, open_run, resume, search
    from inception_search.space.space import Space
    from inception_search.spec.document import parse
    from inception_search.spec.network import Network
    from inception_search.study.study import Study
    from inception_search.weights.export import export_weights
    from inception_search.weights.load import load_weights
    from inception_search.weights.model_file import save

# Public name -> where it is defined; imported on first use, so that listing and drawing never import torch.
_PUBLIC = {
    "Budget": "measures.budget:Budget",
    "Edit": "edits.edit:Edit",
    "Graph": "graph.graph:Graph",
    "GraphBuilder": "graph.graph:GraphBuilder",
    "InceptionSearchError": "errors:InceptionSearchError",
    "Network": "spec.network:Network",
    "Space": "space.space:Space",
    "Study": "study.study:Study",
    "arch_id": "named:arch_id",
    "compile": "api:compile",
    "crossover": "named:crossover",
    "dialects": "canonical.catalogue:dialects",
    "diff": "api:diff",
    "draw": "api:draw",
    "drop_head": "named:drop_head",
    "edits_of": "named:edits_of",
    "export_weights": "weights.export:export_weights",
    "finalize": "search_api:finalize",
    "list_models": "canonical.catalogue:list_models",
    "load": "items:load",
    "load_data": "data.catalogue:load_data",
    "load_model": "named:load_model",
    "load_space": "api:load_space",
    "load_weights": "weights.load:load_weights",
    "lower": "named:lower",
    "measure": "named:measure",
    "module": "items:module",
    "mutate": "named:mutate",
    "names": "canonical.catalogue:names",
    "normal": "named:normal",
    "open_run": "search_api:open_run",
    "parse": "spec.document:parse",
    "path": "named:path",
    "prepare_images": "backend.images:prepare_images",
    "resume": "search_api:resume",
    "sample_within": "measures.sample:sample_within",
    "save": "weights.model_file:save",
    "scale_width": "named:scale_width",
    "search": "search_api:search",
    "set_classes": "named:set_classes",
    "set_depth": "named:set_depth",
    "set_input": "named:set_input",
    "set_stem_stride": "named:set_stem_stride",
    "swap_stem": "named:swap_stem",
    "text": "named:text",
    "to_networkx": "named:to_networkx",
    "view": "api:view",
}

__all__ = [
    "Budget",
    "Edit",
    "Graph",
    "GraphBuilder",
    "InceptionSearchError",
    "Network",
    "Space",
    "Study",
    "__version__",
    "arch_id",
    "compile",
    "crossover",
    "dialects",
    "diff",
    "draw",
    "drop_head",
    "edits_of",
    "export_weights",
    "finalize",
    "list_models",
    "load",
    "load_data",
    "load_model",
    "load_space",
    "load_weights",
    "lower",
    "measure",
    "module",
    "mutate",
    "names",
    "normal",
    "open_run",
    "parse",
    "path",
    "prepare_images",
    "resume",
    "sample_within",
    "save",
    "scale_width",
    "search",
    "set_classes",
    "set_depth",
    "set_input",
    "set_stem_stride",
    "swap_stem",
    "text",
    "to_networkx",
    "view",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'inception_search' has no attribute {name!r}")
    where, _, attribute = _PUBLIC[name].partition(":")
    value = getattr(importlib.import_module(f"inception_search.{where}"), attribute)
    if not isinstance(value, type):
        from inception_search.arguments import checked

        value = checked(value, name=name)
        value.__module__, value.__qualname__ = __name__, name  # where pickles find it
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)  # not what this file imports; pages of help and TAB show these
