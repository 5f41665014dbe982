"""Every reference implementation that can be installed, and the document each must equal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import nn

from tests.conformance.keras_networks import KerasNetwork
from tests.conformance.network import ReferenceNetwork
from tests.conformance.torch_networks import (
    TorchNetwork,
    cadene_network,
    facenet_network,
    fid_network,
    googlenet_pytorch_network,
    timm_network,
    torchvision_network,
)

AT_160, AT_224, AT_299 = (3, 160, 160), (3, 224, 224), (3, 299, 299)


@dataclass(frozen=True)
class Reference:
    """One network of one implementation."""

    implementation: str  # whose names its weights have
    document: str  # the document and dialect that must compute the same
    input: tuple[int, int, int]
    classes: int  # 0: an embedding
    make: Callable[[], nn.Module] | str  # a PyTorch module, or the name of a Keras application
    heads: tuple[str, ...] = ()  # auxiliary classifiers in graph order

    @property
    def aux(self) -> bool:
        """Whether there are auxiliary logits after the main ones."""
        return bool(self.heads)

    def build(self) -> ReferenceNetwork:
        """The network with the same random weights at every call; it takes one to five seconds."""
        return KerasNetwork(self.make) if isinstance(self.make, str) else TorchNetwork(self.make, self.heads)


REFERENCES: dict[str, Reference] = {
    "torchvision.googlenet": Reference(
        "torchvision",
        "inception_v1@torchvision",
        AT_224,
        1000,
        partial(torchvision_network, "googlenet"),
        heads=("aux1", "aux2"),
    ),
    "torchvision.googlenet_noaux": Reference(
        "torchvision",
        "inception_v1@torchvision",
        AT_224,
        1000,
        partial(torchvision_network, "googlenet", aux_logits=False),
    ),
    "torchvision.inception_v3": Reference(
        "torchvision",
        "inception_v3@torchvision",
        AT_299,
        1000,
        partial(torchvision_network, "inception_v3"),
        heads=("AuxLogits",),
    ),
    "googlenet_pytorch.googlenet": Reference(
        "torchvision",
        "inception_v1@torchvision",
        AT_224,
        1000,
        googlenet_pytorch_network,
        heads=("aux1", "aux2"),
    ),
    "pytorch_fid.inception_v3": Reference("torchvision", "inception_v3@fid", AT_299, 1008, fid_network),
    "timm.inception_v3": Reference("timm", "inception_v3", AT_299, 1000, partial(timm_network, "inception_v3")),
    "timm.inception_v3_aux": Reference(
        "timm",
        "inception_v3",
        AT_299,
        1000,
        partial(timm_network, "inception_v3", aux_logits=True),
        heads=("AuxLogits",),
    ),
    "timm.inception_v4": Reference("timm", "inception_v4", AT_299, 1000, partial(timm_network, "inception_v4")),
    "timm.inception_resnet_v2": Reference(
        "timm", "inception_resnet_v2", AT_299, 1000, partial(timm_network, "inception_resnet_v2")
    ),
    "cadene.bninception": Reference("cadene", "bn_inception", AT_224, 1000, partial(cadene_network, "bninception")),
    "cadene.inceptionv4": Reference(
        "cadene", "inception_v4@cadene", AT_299, 1000, partial(cadene_network, "inceptionv4")
    ),
    "cadene.inceptionv4_1001": Reference(
        "cadene", "inception_v4@cadene", AT_299, 1001, partial(cadene_network, "inceptionv4", classes=1001)
    ),
    "cadene.inceptionresnetv2": Reference(
        "cadene", "inception_resnet_v2@cadene", AT_299, 1000, partial(cadene_network, "inceptionresnetv2")
    ),
    "cadene.inceptionresnetv2_1001": Reference(
        "cadene", "inception_resnet_v2@cadene", AT_299, 1001, partial(cadene_network, "inceptionresnetv2", classes=1001)
    ),
    "facenet_pytorch.inception_resnet_v1": Reference(
        "facenet", "inception_resnet_v1@facenet", AT_160, 0, facenet_network
    ),
    "facenet_pytorch.inception_resnet_v1_299": Reference(
        "facenet", "inception_resnet_v1@facenet", AT_299, 0, facenet_network
    ),
    "facenet_pytorch.inception_resnet_v1_classify1000": Reference(
        "facenet",
        "inception_resnet_v1@facenet",
        AT_299,
        1000,
        partial(facenet_network, classify=True, num_classes=1000),
    ),
    "keras.InceptionV3": Reference("keras", "inception_v3@keras", AT_299, 1000, "InceptionV3"),
    "keras.InceptionResNetV2": Reference("keras", "inception_resnet_v2@keras", AT_299, 1000, "InceptionResNetV2"),
}
