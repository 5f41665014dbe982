"""Code recorded as a graph: the same results, and direct calls wherever it cannot be recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import inception_search as ins
from inception_search.execution import kernels, optimized_model, recorded
from tests.execution.test_optimized_model import BFLOAT, FLOAT, images, same, small
from tests.passes.checks import distance, unsettled

needs_recording = pytest.mark.skipif(not recorded.can_record(), reason="this torch cannot fuse recorded graphs")


@needs_recording
@pytest.mark.parametrize("dtype", ["float32", *(["bfloat16"] if kernels._has_bfloat16() else [])])
@pytest.mark.parametrize("name", ["inception_v1", "inception_resnet_v2"])
def test_recorded_code_computes_the_same(name: str, dtype: Any) -> None:
    side = 75 if "resnet" in name else 64
    model = unsettled(ins.compile(name, width=0.25, input_size=side, num_classes=10, seed=0)).eval()
    fast = ins.optimize(model, batch_size=2, dtype=dtype)
    assert fast.notes == ()
    assert "torch.conv2d" in fast.code, "what is recorded are plain calls"
    for _ in range(3):
        same(fast, model, images(side=side), FLOAT if dtype == "float32" else BFLOAT)
    expected = ins.optimize(model, batch_size=2, dtype=dtype, record=False)(images(side=side))
    assert distance([fast(images(side=side))], [expected]) <= BFLOAT


@needs_recording
def test_recorded_code_follows_the_weights() -> None:
    model = small()
    fast = ins.optimize(model, batch_size=2)
    for seed in (1, 2):
        unsettled(model, seed)
        same(fast, model, images())


@needs_recording
def test_the_switch_of_torch_is_as_before() -> None:
    before = torch._C._jit_llga_enabled()
    ins.optimize(small())
    assert torch._C._jit_llga_enabled() == before


def _fails(run: Callable[[Tensor], Tensor], x: Tensor) -> Callable[[Tensor], Tensor]:
    raise RuntimeError("no such thing\nand more lines")


def _wrong(run: Callable[[Tensor], Tensor], x: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x: run(x) + 1


@needs_recording
@pytest.mark.parametrize(("record", "note"), [(_fails, "no such thing"), (_wrong, "its result is another one")])
def test_direct_calls_are_used_where_recording_fails(
    record: Callable[..., Any], note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimized_model, "record", record)
    model = small()
    fast = ins.optimize(model, batch_size=2)
    assert fast.notes == (f"the code is not recorded as a graph: {note}",)
    assert "conv(v0" in fast.code
    same(fast, model, images())


def test_a_torch_that_cannot_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch._C, "_jit_set_llga_enabled", raising=False)
    model = small()
    same(ins.optimize(model, batch_size=2), model, images())
