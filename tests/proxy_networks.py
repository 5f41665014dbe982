"""Small networks for 32x32 images made of the modules of Inception v1, v4 and Inception-ResNet-v2, as proxies have."""

from __future__ import annotations

import inception_search as ins
from inception_search.spec.network import Network
from inception_search.spec.transform import remake, set_head, set_input

WIDTH = 0.125  # the factor on all filters with which the networks are used; the stem then has 24
# Two modules at 32x32, two at 16x16, one at 8x8.
MODULES = {
    "inception_v1": (
        "inception_v1@torchvision",
        ("inception_3a", "inception_3b", "inception_4a", "inception_4b", "inception_5a"),
    ),
    "inception_v4": ("inception_v4", ("inception_a", "inception_a", "inception_b", "inception_b", "inception_c")),
    "inception_resnet_v2": ("inception_resnet_v2", ("block35", "block35", "block17", "block17", "block8")),
}


def proxy_network(family: str) -> Network:
    """The proxy of a family, in full width: ``ins.compile(proxy_network("inception_v4"), width=WIDTH)``."""
    name, modules = MODULES[family]
    source = ins.load(name)
    parts = {**source.stages, **source.blocks}
    stages = {"stem": ins.parse_step("3x3 192")}
    for number, module in enumerate(modules, start=1):
        if number in (3, 5):
            stages[f"pool_{number}"] = ins.parse_step("max 3x3 s2")
        stages[f"module_{number}"] = parts[module]
    network = remake(source, name=f"{family}_proxy", stages=stages, blocks={}, aux={})
    network = set_input(network, channels=3, height=32, width=32)
    return set_head(network, 10, None)
