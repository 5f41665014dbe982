"""Covariance of the input's Jacobians (Mellor, Turner, Storkey, Crowley: "Neural Architecture Search without
Training", the first version, 2006.04647v1, section 3): a network can distinguish images if its gradients with
respect to different images have low correlation.

With the eigenvalues s_i of the matrix (N, N) of correlations between the images' Jacobians, the score is
-sum_i [log(s_i + k) + 1 / (s_i + k)], k = 1e-5. The Jacobian of an image is the gradient of the sum of its outputs.
As in the authors' code, batch norm is in training mode, so that gradients also flow between images.
"""

from __future__ import annotations

import torch

from inception_search.proxies.probe import Probe, Unavailable, gradients

K = 1e-5


def jacob_cov(probe: Probe) -> float:
    """The score of the batch; the eigenvalues in float64."""
    images = probe.data.images.clone().requires_grad_()
    jacobians = gradients(probe.module()(images).sum(), [images])[0].flatten(1).double()
    jacobians = jacobians - jacobians.mean(1, keepdim=True)
    lengths = jacobians.norm(dim=1, keepdim=True)
    if not bool((lengths > 0).all()):
        raise Unavailable("the outputs do not depend on some of the images")
    unit = jacobians / lengths
    eigenvalues = torch.linalg.eigvalsh(unit @ unit.T).clamp_min(0) + K  # negative ones are rounding errors
    return -float((eigenvalues.log() + 1 / eigenvalues).sum())
