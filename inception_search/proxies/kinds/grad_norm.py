"""Gradient norm of the loss (Abdelfattah, Mehrotra, Dudziak, Lane: "Zero-Cost Proxies for Lightweight NAS",
2101.08134, section 3.2): the sum over layers of the Euclidean norm of the gradient after one batch.

Only the weights of convolutions and linear layers count, without biases, as in the authors' code.
"""

from __future__ import annotations

from inception_search.proxies.probe import Probe


def grad_norm(probe: Probe) -> float:
    """sum over layers of ||dL/dW||, with L the mean cross-entropy of the batch."""
    return sum(float(gradient.double().norm()) for _, gradient in probe.gradients)
