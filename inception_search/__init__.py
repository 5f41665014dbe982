"""Design, search and draw Inception-style networks.

Examples in the docstrings of public functions assume ``import inception_search as ins``.

>>> import inception_search as ins
>>> net = ins.load("inception_v4")
>>> ins.lower(net).cost().params
42679816
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from inception_search._version import __version__ as __version__

if TYPE_CHECKING:  # the same names for type checkers; a test compares them with the table below
    from inception_search.api import compile as compile
    from inception_search.api import diff as diff
    from inception_search.api import draw as draw
    from inception_search.api import view as view
    from inception_search.backend.preprocess import prepare_images as prepare_images
    from inception_search.canonical.catalogue import list_dialects as list_dialects
    from inception_search.canonical.catalogue import list_models as list_models
    from inception_search.data.catalogue import load_data as load_data
    from inception_search.edits.edit import Edit as Edit
    from inception_search.errors import InceptionSearchError as InceptionSearchError
    from inception_search.execution.optimized_model import optimize as optimize
    from inception_search.exports.exporter import export as export
    from inception_search.graph.graph import Graph as Graph
    from inception_search.graph.graph import GraphBuilder as GraphBuilder
    from inception_search.hub.push import push_to_hub as push_to_hub
    from inception_search.items import load as load
    from inception_search.items import load_module as load_module
    from inception_search.measures.budget import Budget as Budget
    from inception_search.measures.sample_within import sample_within as sample_within
    from inception_search.named import arch_id as arch_id
    from inception_search.named import crossover as crossover
    from inception_search.named import drop_head as drop_head
    from inception_search.named import edit_path as edit_path
    from inception_search.named import edits_of as edits_of
    from inception_search.named import load_model as load_model
    from inception_search.named import lower as lower
    from inception_search.named import measure_network as measure_network
    from inception_search.named import mutate as mutate
    from inception_search.named import normal_form as normal_form
    from inception_search.named import scale_depth as scale_depth
    from inception_search.named import scale_width as scale_width
    from inception_search.named import set_classes as set_classes
    from inception_search.named import set_input as set_input
    from inception_search.named import set_stem_stride as set_stem_stride
    from inception_search.named import swap_stem as swap_stem
    from inception_search.named import to_networkx as to_networkx
    from inception_search.named import to_yaml as to_yaml
    from inception_search.published.catalogue import published_weights as published_weights
    from inception_search.search_api import finalize as finalize
    from inception_search.search_api import open_run as open_run
    from inception_search.search_api import resume as resume
    from inception_search.search_api import search as search
    from inception_search.space.load_space import load_space as load_space
    from inception_search.space.space import Space as Space
    from inception_search.spec.documents.parse import parse_step as parse_step
    from inception_search.spec.network import Network as Network
    from inception_search.study.study import Study as Study
    from inception_search.timm_bridge.register import register_timm as register_timm
    from inception_search.weights.export import export_weights as export_weights
    from inception_search.weights.load import load_weights as load_weights
    from inception_search.weights.model_file import save_model as save_model

# Public name -> where it is defined. Names are imported on first use, so that listing and drawing never load torch.
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
    "diff": "api:diff",
    "draw": "api:draw",
    "drop_head": "named:drop_head",
    "edit_path": "named:edit_path",
    "edits_of": "named:edits_of",
    "export": "exports.exporter:export",
    "export_weights": "weights.export:export_weights",
    "finalize": "search_api:finalize",
    "list_dialects": "canonical.catalogue:list_dialects",
    "list_models": "canonical.catalogue:list_models",
    "load": "items:load",
    "load_data": "data.catalogue:load_data",
    "load_model": "named:load_model",
    "load_module": "items:load_module",
    "load_space": "space.load_space:load_space",
    "load_weights": "weights.load:load_weights",
    "lower": "named:lower",
    "measure_network": "named:measure_network",
    "mutate": "named:mutate",
    "normal_form": "named:normal_form",
    "open_run": "search_api:open_run",
    "optimize": "execution.optimized_model:optimize",
    "parse_step": "spec.documents.parse:parse_step",
    "prepare_images": "backend.preprocess:prepare_images",
    "published_weights": "published.catalogue:published_weights",
    "push_to_hub": "hub.push:push_to_hub",
    "register_timm": "timm_bridge.register:register_timm",
    "resume": "search_api:resume",
    "sample_within": "measures.sample_within:sample_within",
    "save_model": "weights.model_file:save_model",
    "scale_depth": "named:scale_depth",
    "scale_width": "named:scale_width",
    "search": "search_api:search",
    "set_classes": "named:set_classes",
    "set_input": "named:set_input",
    "set_stem_stride": "named:set_stem_stride",
    "swap_stem": "named:swap_stem",
    "to_networkx": "named:to_networkx",
    "to_yaml": "named:to_yaml",
    "view": "api:view",
}

# Former public name -> its replacement, and where the former one is defined. All are removed in _REMOVED_IN.
_REMOVED_IN = "0.3"
_RENAMED = {
    "dialects": ("list_dialects", _PUBLIC["list_dialects"]),
    "measure": ("measure_network", _PUBLIC["measure_network"]),
    "module": ("load_module", _PUBLIC["load_module"]),
    "names": ("list_models(dialects=False)", "canonical.catalogue:names"),
    "normal": ("normal_form", _PUBLIC["normal_form"]),
    "parse": ("parse_step", _PUBLIC["parse_step"]),
    "path": ("edit_path", _PUBLIC["edit_path"]),
    "save": ("save_model", _PUBLIC["save_model"]),
    "set_depth": ("scale_depth", _PUBLIC["scale_depth"]),
    "text": ("to_yaml", _PUBLIC["to_yaml"]),
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = globals()[name] = _imported(name, _PUBLIC[name])
        return value
    if name in _RENAMED:
        from inception_search.errors import warn

        new, where = _RENAMED[name]
        message = f"ins.{name} is now ins.{new}; the former name will be removed in version {_REMOVED_IN}"
        warn(message, DeprecationWarning)
        return _imported(name, where)
    raise AttributeError(f"module 'inception_search' has no attribute {name!r}")


def _imported(name: str, where: str) -> Any:
    """The public object at ``where`` ("room.file:name"); a function gets checked arguments and its public name."""
    module, _, attribute = where.partition(":")
    value = getattr(importlib.import_module(f"inception_search.{module}"), attribute)
    if not isinstance(value, type):
        from inception_search.arguments import checked

        value = checked(value, name=name)
        value.__module__, value.__name__, value.__qualname__ = __name__, name, name  # where pickles find it
    return value


def __dir__() -> list[str]:
    return sorted(__all__)  # help() and TAB completion list these, without what this file imports
