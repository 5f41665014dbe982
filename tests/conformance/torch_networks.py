"""Reference networks written in PyTorch: how each is built without weights, and what it computes.

The packages are imported where they are used: they take seconds, and every one needs the shim before torchvision.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

from torch import Tensor, nn

import tests.torchvision_shim  # noqa: F401 - must come before torchvision and all that import it
from tests.conformance.random_weights import randomise


class TorchNetwork:
    """A module of another implementation in the form in which networks are compared."""

    def __init__(self, make: Callable[[], nn.Module], heads: tuple[str, ...]) -> None:
        self.module = make().double().eval()
        randomise(self.module.state_dict(), out_axis=0)
        # torchvision's networks run their heads when the outermost module trains; batch norm and dropout do not
        self.module.training = bool(heads)
        self._seen: dict[str, Tensor] = {}
        self._heads = heads
        for head in heads:
            self.module.get_submodule(head).register_forward_hook(self._keep(head))

    def state_dict(self) -> dict[str, Tensor]:
        """The module's own."""
        return dict(self.module.state_dict())

    def parameters(self) -> dict[str, Tensor]:
        """The module's own."""
        return dict(self.module.named_parameters())

    def outputs(self, x: Tensor) -> tuple[Tensor, ...]:
        """Heads are read where they are computed: googlenet_pytorch returns its two under each other's name."""
        result = self.module(x)
        main = result if isinstance(result, Tensor) else result[0]
        return (main, *(self._seen.pop(head) for head in self._heads))

    def _keep(self, head: str) -> Callable[[nn.Module, tuple[Any, ...], Tensor], None]:
        def keep(_module: nn.Module, _inputs: tuple[Any, ...], output: Tensor) -> None:
            self._seen[head] = output

        return keep


def torchvision_network(name: str, **options: Any) -> nn.Module:
    """torchvision's definition; its own initialisation, which is slow, is left out."""
    import torchvision

    network: nn.Module = getattr(torchvision.models, name)(init_weights=False, transform_input=False, **options)
    return network


def googlenet_pytorch_network() -> nn.Module:
    """The GoogLeNet of googlenet_pytorch."""
    from googlenet_pytorch import GoogLeNet

    network: nn.Module = GoogLeNet.from_name("googlenet", {"transform_input": False})
    return network


def fid_network() -> nn.Module:
    """pytorch_fid's graph by its own builder, with the download of the weights taken out."""
    from pytorch_fid import inception

    download = mock.patch.object(inception, "load_state_dict_from_url")
    load = mock.patch.object(inception.torchvision.models.Inception3, "load_state_dict")
    with download, load:
        network: nn.Module = inception.fid_inception_v3()
    return network


def timm_network(name: str, **options: Any) -> nn.Module:
    """timm's definition."""
    import timm

    network: nn.Module = timm.create_model(name, pretrained=False, **options)
    return network


def cadene_network(name: str, classes: int = 1000) -> nn.Module:
    """The definition in Cadene's pretrainedmodels."""
    import pretrainedmodels

    network: nn.Module = getattr(pretrainedmodels, name)(num_classes=classes, pretrained=None)
    return network


def facenet_network(**options: Any) -> nn.Module:
    """facenet_pytorch's Inception-ResNet-v1: an embedding of length one, or logits."""
    from facenet_pytorch import InceptionResnetV1

    network: nn.Module = InceptionResnetV1(pretrained=None, **options)
    return network
