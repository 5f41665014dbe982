"""How many kernels a training step launches: a number that is the same on every machine."""

from __future__ import annotations

import pytest
import torch

import inception_search as ins
from inception_search.spec.network import Network
from tests.aten_ops import aten_ops, training_step
from tests.proxy_networks import WIDTH, proxy_network

LOCAL = ["share_values", "merge_sum", "flatten_concats", "drop_identities"]
PASSES = [*LOCAL, "join_norms", "merge_siblings", "swap_pool"]
# Network and the largest allowed share of the kernels of plain modules. Residual blocks have fewer branches to merge.
NETWORKS = {
    "v1": (proxy_network("inception_v1"), None, 0.56),
    "v4": (proxy_network("inception_v4"), None, 0.60),
    "residual": (proxy_network("inception_resnet_v2"), None, 0.73),
    "v3 whole": (ins.load("inception_v3"), 96, 0.60),
    "v4 whole": (ins.load("inception_v4"), 96, 0.60),
}


def kernels(network: Network, optimize: str | list[str], size: int | None) -> int:
    model = ins.compile(network, seed=0, width=WIDTH, input_size=size, optimize=optimize)
    model = model.to(memory_format=torch.channels_last)
    images = torch.randn(2, *model.network.input.shape).to(memory_format=torch.channels_last)
    step = training_step(model, images, torch.tensor([0, 1]))
    step()
    return aten_ops(step).total()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_launches_fewer_kernels(name: str) -> None:
    network, size, limit = NETWORKS[name]
    assert kernels(network, PASSES, size) <= limit * kernels(network, "none", size)


def test_joining_tensors_takes_no_kernel() -> None:
    """Merged layers read the storage that the layers' parameters share, also after the model was moved."""
    network = proxy_network("inception_v4")
    model = ins.compile(network, width=WIDTH, optimize=["merge_siblings"]).to(memory_format=torch.channels_last)
    images = torch.randn(2, 3, 32, 32).to(memory_format=torch.channels_last)
    step = training_step(model, images, torch.tensor([0, 1]))
    step()
    merges = len([1 for name, _ in model.rewrites["training"] if name == "merge_siblings"])
    plain = ins.compile(network, width=WIDTH).to(memory_format=torch.channels_last)
    before = aten_ops(training_step(plain, images, torch.tensor([0, 1])))["cat"]
    assert aten_ops(step)["cat"] == before + merges, "one for each merged gradient"
