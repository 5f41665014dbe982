"""The text of the small classes that a file needs for what torch does not have, by name."""

from __future__ import annotations

PAD_FUNCTION = '''
def same_padding(
    x: Tensor, kernel: Pair, stride: Pair, dilation: Pair = 1, value: float = 0.0
) -> Tensor:
    """Pad (N, C, H, W) as TensorFlow's SAME does, for ceil(size / stride) outputs.

    An odd zero is at the bottom or right.
    """
    kernel, stride, dilation = pair(kernel), pair(stride), pair(dilation)
    zeros: list[int] = []
    for axis in (1, 0):
        size = x.shape[2 + axis]
        window = dilation[axis] * (kernel[axis] - 1) + 1
        outputs = -(-size // stride[axis])
        total = max((outputs - 1) * stride[axis] + window - size, 0)
        zeros += [total // 2, total - total // 2]
    return F.pad(x, zeros, value=value)


def pair(value: Pair) -> tuple[int, int]:
    """One number, or (height, width), as (height, width)."""
    return value if isinstance(value, tuple) else (value, value)
'''


def _shift_norm(kind: str) -> str:
    return f'''
class ShiftBatchNorm{kind}(nn.BatchNorm{kind}):
    """Batch norm with a learned shift, without a learned scale."""

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1
    ) -> None:
        super().__init__(num_features, eps, momentum)
        self.register_parameter("weight", None)
'''


HELPERS = {
    "SameConv2d": '''
class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding."""

    def forward(self, x: Tensor) -> Tensor:
        x = same_padding(x, self.kernel_size, self.stride, self.dilation)
        return super().forward(x)
''',
    "SameMaxPool2d": '''
class SameMaxPool2d(nn.MaxPool2d):
    """Maximum pooling with TensorFlow's SAME padding."""

    def forward(self, x: Tensor) -> Tensor:
        x = same_padding(x, self.kernel_size, self.stride, value=float("-inf"))
        return super().forward(x)
''',
    "SameAvgPool2d": '''
class SameAvgPool2d(nn.AvgPool2d):
    """Average pooling with TensorFlow's SAME padding."""

    def forward(self, x: Tensor) -> Tensor:
        average = super().forward(same_padding(x, self.kernel_size, self.stride))
        if self.count_include_pad:
            return average
        inside = same_padding(torch.ones_like(x[:1, :1]), self.kernel_size, self.stride)
        return average / super().forward(inside)
''',
    "L2Pool2d": '''
class L2Pool2d(nn.AvgPool2d):
    """Root of the sum of squares over each window."""

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, divisor_override=1)

    def forward(self, x: Tensor) -> Tensor:
        total = super().forward(x * x)
        # The tiny number keeps the gradient finite at zero.
        return (total + torch.finfo(x.dtype).tiny).sqrt()
''',
    "SameL2Pool2d": '''
class SameL2Pool2d(L2Pool2d):
    """Root of the sum of squares over each window, with TensorFlow's SAME padding."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(same_padding(x, self.kernel_size, self.stride))
''',
    "ShiftBatchNorm2d": _shift_norm("2d"),
    "ShiftBatchNorm1d": _shift_norm("1d"),
    "Narrow": '''
class Narrow(nn.Module):
    """Some consecutive channels of the input."""

    def __init__(self, start: int, width: int) -> None:
        super().__init__()
        self.start, self.width = start, width

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.start : self.start + self.width]
''',
    "Zero": '''
class Zero(nn.Module):
    """Zeros in place of the input."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)
''',
    "Concat": '''
class Concat(nn.Module):
    """Branches on one input, concatenated."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)
''',
    "Edge": '''
class Edge(nn.Module):
    """A step on the value of one node of a cell; node 0 is the input of the cell."""

    def __init__(self, node: int, step: nn.Module) -> None:
        super().__init__()
        self.node, self.step = node, step

    def forward(self, values: list[Tensor]) -> Tensor:
        return self.step(values[self.node])
''',
    "SumNode": '''
class SumNode(nn.Module):
    """The sum of the inputs of a node, and a step on it."""

    def __init__(self, *inputs: Edge, then: nn.Module | None = None) -> None:
        super().__init__()
        self.inputs = nn.ModuleList(inputs)
        self.then = then or nn.Identity()

    def forward(self, values: list[Tensor]) -> Tensor:
        return self.then(sum(edge(values) for edge in self.inputs))
''',
    "ConcatNode": '''
class ConcatNode(nn.Module):
    """The inputs of a node, concatenated, and a step on them."""

    def __init__(self, *inputs: Edge, then: nn.Module | None = None) -> None:
        super().__init__()
        self.inputs = nn.ModuleList(inputs)
        self.then = then or nn.Identity()

    def forward(self, values: list[Tensor]) -> Tensor:
        return self.then(torch.cat([edge(values) for edge in self.inputs], 1))
''',
}
