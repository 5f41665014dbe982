"""The function that timm calls to build a registered network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from torch import Tensor, fx, nn

from inception_search.backend.build import build
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import ConfigError, raw
from inception_search.lowering import lower
from inception_search.spec.network import Network
from inception_search.spec.transform import remake, set_head, set_input
from inception_search.timm_bridge.package import config_of
from inception_search.timm_bridge.source import Source

OPTIONS = ("num_classes", "in_chans", "img_size", "global_pool", "drop_rate", "features_only", "out_indices")
POOLS = {"avg": "avg", "max": "max", "": "none", "none": "none"}
_PARALLEL = "module."
_SAVED = "pretrained_model_args"  # from a config.json; all options of these networks are in their documents


def entry_point(name: str, source: Source) -> Callable[..., nn.Module]:
    """The function that builds the network ``name`` with the arguments of ``timm.create_model``."""

    def create(
        pretrained: bool = False,
        pretrained_cfg: Any = None,
        pretrained_cfg_overlay: Mapping[str, Any] | None = None,
        cache_dir: Any = None,
        **options: Any,
    ) -> nn.Module:
        from timm.models import load_pretrained, resolve_pretrained_cfg

        found = resolve_pretrained_cfg(name, pretrained_cfg, dict(pretrained_cfg_overlay or {}))
        config: dict[str, Any] = found.to_dict()  # type: ignore[no-untyped-call]
        options = {key: value for key, value in options.items() if key != _SAVED and value is not None}
        model = _built(name, source.network, options, config)
        model.pretrained_cfg = config
        if pretrained:
            if not any(config.get(key) for key in ("url", "file", "hf_hub_id", "state_dict")):
                hint = "leave out pretrained; or register a saved model, or a trial that has kept its weights"
                raise ConfigError("the network has no trained weights", path="pretrained", found=raw(name), hint=hint)
            where = {} if cache_dir is None else {"cache_dir": cache_dir}
            load_pretrained(
                model,
                config,
                num_classes=model.num_classes,
                in_chans=model.network.input.channels,
                filter_fn=_own_tensors,
                **where,
            )
        if source.classes is not None and len(source.classes) == model.num_classes == config["num_classes"]:
            model.classes = source.classes
        return _features(model, options.get("out_indices")) if options.get("features_only") else model

    create.__name__ = create.__qualname__ = name
    create.__module__ = "inception_search.timm_bridge.inception_networks"
    create.__doc__ = f"{source.network.name} of inception-search."
    return create


def default_config(source: Source) -> dict[str, Any]:
    """The default ``pretrained_cfg`` of a registered network."""
    return {**config_of(source.network, source.classes), "file": source.file}


def _built(name: str, network: Network, options: Mapping[str, Any], config: Mapping[str, Any]) -> NetworkModule:
    """The module of ``network`` with the options of timm; those that are missing are in ``config``."""
    unknown = [key for key in options if key not in OPTIONS]
    if unknown:
        rule = f"{name} does not have this option"
        raise ConfigError(rule, path=unknown[0], found=options[unknown[0]], expected=f"one of {', '.join(OPTIONS)}")
    pool = options.get("global_pool")
    if pool is not None and pool not in POOLS:
        expected = ", ".join(map(repr, POOLS))
        raise ConfigError(f"{name} has no such pooling", path="global_pool", found=pool, expected=f"one of {expected}")
    network = set_head(
        network, options.get("num_classes", config["num_classes"]), None if pool is None else POOLS[pool]
    )
    sides = _sides(options.get("img_size"))
    channels = options.get("in_chans", config["input_size"][0])
    network = set_input(network, channels=channels, height=sides[0], width=sides[1])
    if "drop_rate" in options:
        network = remake(network, head=remake(network.head, dropout=options["drop_rate"]))
    module = build(lower(network), name=network.name)
    module.remember(network=network)
    module.in_chans = channels  # timm looks for this attribute
    module.register_load_state_dict_pre_hook(_rename)  # type: ignore[no-untyped-call]
    return module


def _sides(size: int | Sequence[int] | None) -> tuple[int | None, int | None]:
    if size is None or isinstance(size, int):
        return size, size
    if len(size) != 2:
        raise ConfigError(
            "not the size of images", path="img_size", found=size, expected="a number, or (height, width)"
        )
    return size[0], size[1]


def _own_tensors(state: Mapping[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """``state`` under the names of ``model``, without auxiliary classifiers.

    timm removes ``module.`` from the beginning of every name, as it is that of a data-parallel model. A stage may have
    the name ``module``, too.
    """
    known = model.state_dict().keys()
    kept = {key: value for key, value in state.items() if not key.startswith("aux.")}
    cut = {key for key in kept if key not in known and f"{_PARALLEL}{key}" in known}
    return {f"{_PARALLEL}{key}" if key in cut else key: value for key, value in kept.items()}


def _rename(model: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """A hook of ``load_state_dict``, which renames the tensors of checkpoints that timm has read."""
    if not prefix:
        own = _own_tensors(state, model)
        state.clear()
        state.update(own)


def _features(model: NetworkModule, out_indices: int | Sequence[int] | None) -> fx.GraphModule:
    """A module with the layers that the chosen feature maps need: images to a list of feature maps.

    ``feature_info`` is timm's. The keys of its ``state_dict`` are those of the whole model.
    """
    from timm.models import FeatureInfo

    every, config = model.feature_info, model.pretrained_cfg
    chosen = out_indices if out_indices is not None else range(len(every))
    indices = range(-chosen, 0) if isinstance(chosen, int) else tuple(chosen)
    if not indices or any(not -len(every) <= index < len(every) for index in indices):
        expected = f"indices from 0 to {len(every) - 1}, or from -{len(every)} to -1"
        raise ConfigError("no such feature maps", path="out_indices", found=out_indices, expected=expected)
    names = [every[index]["module"] for index in indices]
    found: Any = fx.GraphModule(model, _listed(model.feature_extractor(names).graph, names), class_name="Features")
    found.feature_info = FeatureInfo(every, tuple(index % len(every) for index in indices))
    found.pretrained_cfg = found.default_cfg = {
        key: value for key, value in config.items() if key not in ("num_classes", "classifier", "global_pool")
    }
    found.in_chans = model.network.input.channels
    return cast(fx.GraphModule, found.train(model.training))


def _listed(graph: fx.Graph, names: Sequence[str]) -> fx.Graph:
    """A copy of ``graph`` whose output is a list in the order of ``names``, not a dict."""
    copied, copies = fx.Graph(), dict[fx.Node, fx.Node]()
    for node in graph.nodes:
        if node.op == "output":
            copied.output([copies[node.args[0][name]] for name in names])
        else:
            copies[node] = copied.node_copy(node, lambda old: copies[old])
    return copied
