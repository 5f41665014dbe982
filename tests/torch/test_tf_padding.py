"""TensorFlow's SAME padding against the layers of Keras, in double precision: values, gradients, other sizes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import inception_search as ins
from inception_search.backend.network_module import NetworkModule
from inception_search.graph.torch_modules import tf_zeros
from tests.conformance.keras_networks import _float64, import_keras

ODD, EVEN, TINY = (9, 12), (8, 11), (2, 3)  # odd and even on either axis
SIZES = (ODD, EVEN, TINY)
STRIDES: tuple[Any, ...] = (1, 2, 3, (1, 2))
HEAD = "head: {pool: none, classifier: none}"
DEFAULTS = "conv_defaults: {norm: none, act: none, bias: true}"


def compiled(step: str, size: tuple[int, int], *, channels: int = 3, same: str = "symmetric") -> NetworkModule:
    """A network of one ``step`` that gives its maps, in double precision."""
    text = f"""
schema: inception-search/network
version: 1
name: one
input: [{channels}, {size[0]}, {size[1]}]
same_padding: {same}
{DEFAULTS}
stages: {{a: {step}}}
{HEAD}
"""
    return ins.compile(text, seed=0).double().eval()


def fields(kernel: tuple[int, int], stride: Any, **more: Any) -> str:
    """Fields of a convolution or a pool, as a document has them."""
    text = f"kernel: {kernel[0]}x{kernel[1]}, stride: {list(stride) if isinstance(stride, tuple) else stride}"
    return text + "".join(f", {name}: {value}" for name, value in more.items())


def image(size: tuple[int, int], channels: int = 3, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, channels, *size, dtype=torch.float64, generator=generator)


def keras_layer(make: Callable[[Any], Any], size: tuple[int, int], channels: int = 3) -> Any:
    """A built layer of Keras."""
    keras = import_keras()
    with _float64(keras):
        layer = make(keras.layers)
        layer.build((None, *size, channels))
    return layer


def theirs(layer: Any, x: Tensor) -> Tensor:
    """What Keras computes of NCHW images; it keeps channels last."""
    with _float64(import_keras()):
        result: Tensor = layer(x.permute(0, 2, 3, 1))
    return result.permute(0, 3, 1, 2)


def set_weights(layer: Any, *values: Tensor) -> None:
    for variable, value in zip(layer.variables, values, strict=True):
        with torch.no_grad():
            variable.value.copy_(value)


def assert_same(ours: Callable[[Tensor], Tensor], layer: Any, x: Tensor) -> None:
    """Equal outputs, and equal gradients of a random sum of them."""
    one, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    found, expected = ours(one), theirs(layer, other)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    probe = torch.randn(found.shape, dtype=found.dtype, generator=torch.Generator().manual_seed(2))
    (found * probe).sum().backward()
    (expected * probe).sum().backward()
    assert one.grad is not None
    torch.testing.assert_close(one.grad, other.grad, rtol=1e-12, atol=1e-12)


# kernel, stride, dilation; Keras has no dilated convolution with strides
CONVS = [
    *((kernel, stride, 1) for kernel in ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7)) for stride in STRIDES),
    *((kernel, stride, 1) for kernel in ((1, 7), (2, 3), (5, 4)) for stride in (1, 2, (1, 2), (3, 2))),
    *((kernel, 1, dilation) for kernel in ((2, 2), (3, 3), (3, 4)) for dilation in (2, 3)),
]


@pytest.mark.parametrize(("kernel", "stride", "dilation"), CONVS, ids=str)
def test_convolutions(kernel: tuple[int, int], stride: Any, dilation: int) -> None:
    for size in SIZES:
        module = compiled(f"{{conv: {{width: 4, padding: tf, {fields(kernel, stride, dilation=dilation)}}}}}", size)
        options = {"strides": stride, "dilation_rate": dilation, "padding": "same"}
        layer = keras_layer(lambda k: k.Conv2D(4, kernel, **options), size)  # noqa: B023
        conv: Any = module.get_submodule("a.conv")
        set_weights(layer, conv.weight.permute(2, 3, 1, 0), conv.bias)
        assert_same(module, layer, image(size))


@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize(("kernel", "stride"), [((3, 3), 1), ((3, 3), 2), ((7, 7), 2), ((4, 4), 2), ((2, 2), 3)])
def test_depthwise_and_separable_convolutions(kernel: tuple[int, int], stride: int, multiplier: int) -> None:
    for size in SIZES:
        depthwise = f"{{depthwise: {{multiplier: {multiplier}, padding: tf, {fields(kernel, stride)}}}}}"
        options = {"strides": stride, "depth_multiplier": multiplier, "padding": "same"}
        module = compiled(depthwise, size)
        layer = keras_layer(lambda k: k.DepthwiseConv2D(kernel, **options), size)  # noqa: B023
        conv: Any = module.get_submodule("a.conv")
        set_weights(layer, per_channel(conv.weight, multiplier), conv.bias)
        assert_same(module, layer, image(size))

        bare = depthwise.replace("padding", "bias: false, padding")
        module = compiled(f"[{bare}, 1x1 5]", size)
        layer = keras_layer(lambda k: k.SeparableConv2D(5, kernel, **options), size)  # noqa: B023
        conv, point = (module.get_submodule(name) for name in ("a.0.conv", "a.1.conv"))
        set_weights(layer, per_channel(conv.weight, multiplier), point.weight.permute(2, 3, 1, 0), point.bias)
        assert_same(module, layer, image(size))


def per_channel(weight: Tensor, multiplier: int) -> Tensor:
    """(channels * multiplier, 1, h, w) as Keras keeps it: (h, w, channels, multiplier)."""
    return weight.unflatten(0, (-1, multiplier)).squeeze(2).permute(2, 3, 0, 1)


KERNELS = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (7, 7), (2, 3), (1, 4)]


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_maxima_are_never_a_zero_of_the_border(kernel: tuple[int, int]) -> None:
    for size, stride in itertools.product(SIZES, (1, 2, 3)):
        module = compiled(f"{{pool: {{mode: max, padding: tf, {fields(kernel, stride)}}}}}", size)
        layer = keras_layer(lambda k: k.MaxPooling2D(kernel, strides=stride, padding="same"), size)  # noqa: B023
        assert_same(module, layer, image(size) - 10)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_averages_leave_the_border_out(kernel: tuple[int, int]) -> None:
    """AveragePooling2D itself where the border is symmetric.

    Where it is not, Keras on torch repeats the last row and column, TensorFlow leaves the border out; there, the sums
    that a convolution of Keras makes, by the pixels that it counts.
    """
    symmetric = 0
    for size, stride in itertools.product(SIZES, (1, 2, 3)):
        module = compiled(f"{{pool: {{mode: avg, padding: tf, {fields(kernel, stride)}}}}}", size)
        sums = keras_layer(lambda k: k.DepthwiseConv2D(kernel, strides=stride, padding="same", use_bias=False), size)  # noqa: B023
        set_weights(sums, torch.ones(*kernel, 3, 1, dtype=torch.float64))
        x = image(size) - 10
        expected = theirs(sums, x) / theirs(sums, torch.ones_like(x))
        torch.testing.assert_close(module(x), expected, rtol=1e-12, atol=1e-12)
        zeros = tf_zeros(size, kernel, (stride, stride))
        if zeros[0] == zeros[1] and zeros[2] == zeros[3]:
            symmetric += 1
            layer = keras_layer(lambda k: k.AveragePooling2D(kernel, strides=stride, padding="same"), size)  # noqa: B023
            assert_same(module, layer, x)
    assert symmetric


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_means_tensorflows_in_a_network_that_says_so(kernel: int, stride: int) -> None:
    """The short forms: ``3x3 4 s2`` and ``max 3x3 s2`` under ``same_padding: tf``."""
    strided = f" s{stride}" if stride > 1 else ""
    for size in SIZES:
        module = compiled(f"{kernel}x{kernel} 4{strided}", size, same="tf")
        layer = keras_layer(lambda k: k.Conv2D(4, kernel, strides=stride, padding="same"), size)
        conv: Any = module.get_submodule("a.conv")
        set_weights(layer, conv.weight.permute(2, 3, 1, 0), conv.bias)
        assert_same(module, layer, image(size))
        pool = compiled(f"max {kernel}x{kernel}{strided}", size, same="tf")
        layer = keras_layer(lambda k: k.MaxPooling2D(kernel, strides=stride, padding="same"), size)
        assert_same(pool, layer, image(size))


@pytest.mark.parametrize("factor", ["row_col", "col_row", "stacked", "split"])
@pytest.mark.parametrize("stride", [1, 2])
def test_factors_of_a_convolution_are_padded_each_on_its_own(factor: str, stride: int) -> None:
    for size in SIZES:
        step = f"{{conv: {{width: 4, factor: {factor}, padding: tf, {fields((5, 5), stride)}}}}}"
        module = compiled(step, size)
        convs = [part for part in module.modules() if isinstance(part, nn.Conv2d)]
        x, steps = image(size), []
        for conv in convs:
            shape = (size[0], size[1], conv.in_channels)
            layer = keras_layer(keras_conv(conv), shape[:2], shape[2])
            set_weights(layer, conv.weight.permute(2, 3, 1, 0), conv.bias)  # type: ignore[arg-type]
            steps.append(layer)
        if factor == "split":
            expected = torch.cat([theirs(layer, x) for layer in steps], 1)
        else:
            expected = x
            for layer in steps:
                expected = theirs(layer, expected)
        torch.testing.assert_close(module(x), expected, rtol=1e-12, atol=1e-12)


def keras_conv(conv: nn.Conv2d) -> Callable[[Any], Any]:
    return lambda k: k.Conv2D(conv.out_channels, conv.kernel_size, strides=conv.stride, padding="same")


def test_l2_and_counted_averages_are_what_they_say() -> None:
    """Keras has neither: the zeros written out, and the definition."""
    x = image(EVEN)
    padded = nn.functional.pad(x, (1, 1, 0, 1))  # 8x11, 3x3, stride 2: the odd zero at the bottom
    windows = padded.unfold(2, 3, 2).unfold(3, 3, 2)
    counted = compiled("{pool: {mode: avg, kernel: 3x3, stride: 2, padding: tf, count_pad: true}}", EVEN)
    torch.testing.assert_close(counted(x), windows.mean((-2, -1)))
    l2 = compiled("{pool: {mode: l2, kernel: 3x3, stride: 2, padding: tf}}", EVEN)
    torch.testing.assert_close(l2(x), windows.square().sum((-2, -1)).sqrt())


SMALL = f"""
schema: inception-search/network
version: 1
name: small
input: 3x16x16
same_padding: tf
{DEFAULTS}
stages:
  stem: [3x3 4 s2, {{depthwise: {{kernel: 4x4, stride: 2, padding: tf, act: relu}}}}]
  mixed: {{concat: [1x1 2, [3x3 3, {{conv: {{kernel: [1, 2], width: 3, padding: tf}}}}], avg 3x3]}}
  pool: max 3x3 s2
{HEAD}
"""


@pytest.mark.parametrize("size", [(16, 16), (17, 17), (18, 15), (31, 33), (5, 6), (1, 1)])
def test_a_module_made_for_one_size_pads_rightly_on_another(size: tuple[int, int]) -> None:
    made, other = (
        ins.compile(SMALL, seed=0).double().eval(),
        ins.compile(SMALL, seed=0, input_size=size).double().eval(),
    )
    x = image(size)
    torch.testing.assert_close(made(x), other(x), rtol=1e-12, atol=1e-12)
    assert tuple(made(x).shape[1:]) == tuple(ins.lower(other.network).nodes[-1].type)
    conv: Any = made.get_submodule("stem.0.conv")
    layer = keras_layer(lambda k: k.Conv2D(4, 3, strides=2, padding="same"), size)
    set_weights(layer, conv.weight.permute(2, 3, 1, 0), conv.bias)
    assert_same(conv, layer, x)


@pytest.mark.slow
def test_export_and_torch_compile_compute_the_same() -> None:
    module, x = ins.compile(SMALL, seed=0).eval(), image((16, 16)).float()
    expected = module(x)
    torch.testing.assert_close(torch.export.export(module, (x,)).module()(x), expected)
    traced = torch.compile(module, backend="eager")
    torch.testing.assert_close(traced(x), expected)
    larger = image((19, 22)).float()
    torch.testing.assert_close(traced(larger), module(larger))


@pytest.mark.slow
def test_export_with_sides_that_may_change() -> None:
    module, x = compiled("[3x3 4 s2, max 3x3 s2, avg 3x3 s2]", (77, 81), same="tf"), image((77, 81))
    sides = dict.fromkeys((2, 3), torch.export.Dim.AUTO)
    program = torch.export.export(module, (x,), dynamic_shapes=(sides,))
    for size in ((77, 81), (64, 97), (33, 34)):
        torch.testing.assert_close(program.module()(image(size)), module(image(size)))


def test_print_shows_the_padding() -> None:
    shown = str(ins.compile(SMALL))
    assert shown.count("padding=SAME") == 4
    assert "max, kernel_size=(3, 3), stride=(2, 2), padding=SAME" in shown
