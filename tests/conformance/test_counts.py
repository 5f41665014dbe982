"""Every implementation that was ever measured, and every network of the papers, against our document of it.

Parameters with and without the auxiliary classifiers, multiply-adds of both, convolutions and batch norms: equal to
the unit. Where two ways of counting differ, the table says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest

import inception_search as ins
from inception_search.canonical.catalogue import names
from inception_search.graph.graph import Graph
from tests.conformance.measured import MEASURED, PAPER_SPECS

FIGURES = {**MEASURED, **PAPER_SPECS}


class Row(NamedTuple):
    """Our document, and how theirs is counted."""

    document: str
    aux: bool = True  # whether theirs was built with its auxiliary classifiers, where ours has some
    more_convs: int = 0  # classifiers that are 1x1 convolutions there and linear layers here
    heads_in_macs: bool = False  # their multiply-adds are of all, the auxiliary classifiers' included
    heads_in_params: bool = False  # so are their parameters without auxiliary classifiers


# implementation.network, measured by running it
BUILT = {
    "torchvision.googlenet": Row("inception_v1@torchvision"),
    "torchvision.googlenet_noaux": Row("inception_v1@torchvision", aux=False),
    "torchvision.inception_v3": Row("inception_v3@torchvision"),
    "timm.inception_v3": Row("inception_v3", aux=False),
    "timm.inception_v3_aux": Row("inception_v3", heads_in_macs=True),
    "timm.inception_v4": Row("inception_v4"),
    "timm.inception_resnet_v2": Row("inception_resnet_v2"),
    "cadene.bninception": Row("bn_inception"),
    "cadene.inceptionv4": Row("inception_v4@cadene"),
    "cadene.inceptionv4_1001": Row("inception_v4@cadene"),
    "cadene.inceptionresnetv2": Row("inception_resnet_v2@cadene"),
    "cadene.inceptionresnetv2_1001": Row("inception_resnet_v2@cadene"),
    "facenet_pytorch.inception_resnet_v1": Row("inception_resnet_v1@facenet"),
    "facenet_pytorch.inception_resnet_v1_299": Row("inception_resnet_v1@facenet"),
    "facenet_pytorch.inception_resnet_v1_classify1000": Row("inception_resnet_v1@facenet"),
    "googlenet_pytorch.googlenet": Row("inception_v1@torchvision"),
    "keras.InceptionV3": Row("inception_v3@keras"),
    "keras.InceptionResNetV2": Row("inception_resnet_v2@keras"),
    "tf_slim.inception_v1": Row("inception_v1@slim", more_convs=1),
    "tf_slim.inception_v2": Row("bn_inception@slim", more_convs=1),
    "tf_slim.inception_v3": Row("inception_v3@slim", more_convs=2),
    "tf_slim.inception_v1_1001": Row("inception_v1@slim", more_convs=1),
    "tf_slim.inception_v2_1001": Row("bn_inception@slim", more_convs=1),
    "tf_slim.inception_v3_1001": Row("inception_v3@slim", more_convs=2),
    "facenet_tf.inception_resnet_v1": Row("inception_resnet_v1@facenet_tf"),
    "facenet_tf.inception_resnet_v1_299": Row("inception_resnet_v1@facenet_tf"),
    "facenet_tf.inception_resnet_v2": Row("inception_resnet_v2@facenet_tf"),
    "facenet_tf.inception_resnet_v2_299": Row("inception_resnet_v2@facenet_tf"),
    "caffe_soeaver.inception_v1-dsd": Row("inception_v1", heads_in_macs=True, heads_in_params=True),
    "caffe_soeaver.inception_v1-tf": Row("inception_v1@torchvision", aux=False, more_convs=1),
    "caffe_soeaver.inception_v2": Row("bn_inception@caffe"),
    "caffe_soeaver.inception_v3": Row("inception_v3@caffe"),
    "caffe_soeaver.inception_v4": Row("inception_v4@caffe"),
    "caffe_soeaver.inception_resnet-v2": Row("inception_resnet_v2@caffe"),
}
# network@dialect, counted on its graph
GRAPHS = {
    "googlenet@torchvision": Row("inception_v1@torchvision"),
    "googlenet@slim": Row("inception_v1@slim", more_convs=1),
    "bninception@caffe/cadene": Row("bn_inception@cadene"),
    "bninception@slim": Row("bn_inception@slim", more_convs=1),
    "inception_v3@torchvision": Row("inception_v3@torchvision"),
    "inception_v3@slim": Row("inception_v3@slim"),
    "inception_v3@keras": Row("inception_v3@keras"),
    "inception_v4@timm": Row("inception_v4@timm"),
    "inception_v4@cadene1001": Row("inception_v4@cadene"),
    "inception_resnet_v1@facenet_tf": Row("inception_resnet_v1@facenet_tf"),
    "inception_resnet_v1@facenet_pytorch": Row("inception_resnet_v1@facenet"),
    "inception_resnet_v2@keras": Row("inception_resnet_v2@keras"),
    "inception_resnet_v2@timm": Row("inception_resnet_v2@timm"),
    "inception_resnet_v2@facenet_tf": Row("inception_resnet_v2@facenet_tf"),
    "inception_v4@slim_1000": Row("inception_v4@slim"),
    "inception_resnet_v2@slim_1000": Row("inception_resnet_v2@slim"),
    "inception_v4@slim_1001": Row("inception_v4@slim"),
    "inception_resnet_v2@slim_1001": Row("inception_resnet_v2@slim"),
    "inception_v4@slim_gamma_1000": Row("inception_v4@slim_gamma"),
    "inception_resnet_v2@slim_gamma_1000": Row("inception_resnet_v2@slim_gamma"),
    "nin_cifar10@author": Row("nin_cifar10"),
    "nin_cifar10@caffe": Row("nin_cifar10@caffe"),
    "nin_cifar100@author": Row("nin_cifar10"),
    "nin_imagenet@caffe": Row("nin_imagenet"),
    "nin_imagenet@caffe_227": Row("nin_imagenet"),
    "googlenet@paper_dense7x7": Row("inception_v1"),
    "googlenet@paper_sep7x7": Row("inception_v1@separable"),
    "googlenet@paper_dense7x7_bn": Row("inception_v1@batch_norm"),
    "googlenet@slim_form_with_5x5": Row("inception_v1@slim_5x5"),
    "bninception@paper_literal_608": Row("bn_inception@paper"),
    "bninception@paper_literal_576": Row("bn_inception@paper_576"),
    "bninception@paper_dense_608": Row("bn_inception@dense"),
    "bninception@slim_gamma_bnstem": Row("bn_inception@slim_gamma", more_convs=1),
    "inception_v2_rethinking@base_7x7": Row("inception_v2@baseline"),
    "inception_v2_rethinking@factorized7x7": Row("inception_v2"),
    "inception_v2_rethinking@bn_aux(=v3)": Row("inception_v2@bn_auxiliary"),
    "inception_v2_rethinking@4x17": Row("inception_v2@released_depth"),
    "inception_v3@fid": Row("inception_v3@fid"),
    "inception_v4@paper": Row("inception_v4@paper"),
    "inception_resnet_v1@paper": Row("inception_resnet_v1"),
    "inception_resnet_v1@slim_style_1000": Row("inception_resnet_v1@slim_style"),
    "inception_resnet_v2@paper": Row("inception_resnet_v2@paper"),
}
ROWS = {**BUILT, **GRAPHS}


def our_graph(document: str, shape: Sequence[int], classes: int, *, aux: bool) -> Graph:
    """The graph of our document at their size and with their classes (0: as the document has it)."""
    channels, height, width = shape
    network = ins.set_input(ins.load(document), channels=channels, height=height, width=width)
    return ins.lower(ins.set_classes(network, classes) if classes else network, aux=aux)


def graph_of_row(name: str) -> Graph:
    """The graph of our document of a row."""
    row, theirs = ROWS[name], FIGURES[name]
    return our_graph(row.document, theirs["input"], theirs["classes"], aux=row.aux)


def test_every_row_is_compared() -> None:
    assert (BUILT.keys(), GRAPHS.keys()) == (MEASURED.keys(), PAPER_SPECS.keys())
    assert (len(BUILT), len(GRAPHS)) == (34, 42)


@pytest.mark.parametrize("name", ROWS)
def test_our_document_has_exactly_as_many(name: str) -> None:
    row, theirs = ROWS[name], FIGURES[name]
    graph = graph_of_row(name)
    cost = graph.cost()
    assert cost.params_with_aux == theirs["params_with_aux"]
    assert (cost.params_with_aux if row.heads_in_params else cost.params) == theirs["params_without_aux"]
    assert cost.macs + (cost.aux_macs if row.heads_in_macs else 0) == theirs["macs_conv_linear"]
    if "macs_aux" in theirs:
        assert cost.aux_macs == theirs["macs_aux"]
    ops = [node.op.name for node in graph.nodes]
    assert ops.count("conv") + row.more_convs == theirs["conv_layers"]
    assert ops.count("batch_norm") == theirs["bn_layers"]


def test_the_difference_in_convolutions_is_that_in_linear_layers() -> None:
    """Each convolution that theirs has more is a classifier: ours are linear layers of as many weights."""
    for name, row in ROWS.items():
        if row.more_convs:
            graph = ins.lower(ins.load(row.document), aux=row.aux)
            classifiers = [node for node in graph.nodes if node.op.name == "linear"]
            assert len(classifiers) == row.more_convs, name


def test_every_network_has_been_measured_in_some_dialect() -> None:
    assert {row.document.partition("@")[0] for row in ROWS.values()} == set(names())
