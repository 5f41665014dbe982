"""The module to which timm assigns the registered networks; ``timm.list_models(module="inception_networks")``."""

from __future__ import annotations

from typing import Any

default_cfgs: dict[str, Any] = {}
"""The ``pretrained_cfg`` of each registered network; timm reads it when a network is registered."""
__all__ = ["default_cfgs"]  # timm adds the names of the networks
