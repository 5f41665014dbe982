"""A small network with everything that weights can differ in, and a state for it that is not the initial one."""

from __future__ import annotations

import torch

from inception_search.backend.network_module import NetworkModule

SMALL = """
schema: inception-search/network
version: 1
name: small
input: 3x16x16
blocks:
  unit: {block: {skip: add, project: linear, scale: 0.5, act: relu, body: {concat: [1x1 8, [1x1 4, 3x3 8 row_col]]}}}
stages:
  stem: 3x3 12
  module: 2 x unit
  pool: max 3x3 s2
  top: 3x3 16
head: {classes: 5, dropout: 0.1}
aux:
  aux1: {after: module, body: [avg 3x3 s2, 1x1 6], pool: avg, hidden: [7], weight: 0.3}
"""


def shaken(module: NetworkModule, seed: int = 0) -> NetworkModule:
    """``module`` with random numbers in every parameter and statistic, in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, value in module.state_dict().items():
            if value.is_floating_point():
                shift = 0.5 if key.endswith(("running_var", "norm.weight")) else -0.5
                value.copy_(torch.rand(value.shape, generator=generator) + shift)
            else:
                value.fill_(9)
    return module.eval()
