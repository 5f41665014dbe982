"""Registration of networks in timm."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from inception_search.canonical.catalogue import list_models
from inception_search.errors import ConfigError
from inception_search.spec.network import Network
from inception_search.timm_bridge import inception_networks
from inception_search.timm_bridge.entry_point import default_config, entry_point
from inception_search.timm_bridge.package import PREFIX, timm_package
from inception_search.timm_bridge.source import Source, source_of

_NAME = re.compile(r"[A-Za-z_]\w{0,199}\Z", re.ASCII)
_registered: dict[str, Source] = {}


def register_timm(
    networks: str | Path | Network | Sequence[str | Path | Network] | Mapping[str, str | Path | Network] | None = None,
    *,
    prefix: str = PREFIX,
    force: bool = False,
) -> list[str]:
    """Register networks in timm: ``timm.create_model`` builds them, and ``timm.list_models`` lists them.

    The models have the options ``num_classes``, ``in_chans``, ``img_size``, ``global_pool``, ``drop_rate``,
    ``features_only`` with ``out_indices``, ``pretrained_cfg`` and ``checkpoint_path``. Weights of saved models and
    trials are loaded with ``pretrained=True`` (docs/deploy.md).

    Args:
        networks: a document, a name (docs/naming.md), a saved model, a trial (``"runs/first:12"``), a folder that
            :func:`export` wrote for timm, a model on the Hugging Face Hub (``"hf://user/name"``), or several of these
            (default: every shipped network and dialect). A dict from names to networks sets the names in timm.
        prefix: the beginning of the names in timm; ``inception_v3@keras`` becomes ``ins_inception_v3_keras``.
            Folders and models on the Hub have the names in their ``config.json``.
        force: replace other networks that were registered under the same name before. The weights of the same network
            are always replaced.

    Returns:
        The names in timm.

    Raises:
        MissingRequirementError: timm is not installed.
        ConfigError: timm has a model of this name, or another network was registered under it.
        UnknownNameError: there is no such network.

    >>> ins.register_timm("inception_v3@keras")
    ['ins_inception_v3_keras']
    >>> import timm
    >>> timm.create_model("ins_inception_v3_keras", num_classes=10).num_classes
    10
    """
    timm = timm_package()
    given = list_models() if networks is None else networks
    if isinstance(given, Mapping):
        found = [(str(name), source_of(named, prefix)[1]) for name, named in given.items()]
    else:
        several = [given] if isinstance(given, str | Path | Network) else given
        found = [source_of(named, prefix) for named in several]
    for name, source in found:
        _check_free(timm.is_model, name, source, force)
    for name, source in found:
        register_source(name, source)
    return [name for name, _ in found]


def register_source(name: str, source: Source) -> None:
    """Register one network; an earlier one of this name is replaced if it differs."""
    from timm.models import register_model

    known = _registered.get(name)
    same = known is not None and known.network == source.network
    if same and (source.file is None or source == known):  # without new weights, the known ones remain
        return
    inception_networks.default_cfgs[name] = default_config(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # timm warns that the name is registered already
        register_model(entry_point(name, source))
    _registered[name] = source


def _check_free(is_model: object, name: str, source: Source, force: bool) -> None:
    """Raise ConfigError if the name cannot be used."""
    assert callable(is_model)
    if not _NAME.match(name):
        raise ConfigError("not a name for timm", found=name, expected="letters, digits and _, up to 200")
    if name not in _registered and is_model(name):
        hint = "choose another prefix, or give names: register_timm({name: network})"
        raise ConfigError("timm has a model of this name", path="networks", found=name, hint=hint)
    if name in _registered and _registered[name].network != source.network and not force:
        hint = "use force=True to replace it, or give names: register_timm({name: network})"
        raise ConfigError("another network is registered under this name", path="networks", found=name, hint=hint)
