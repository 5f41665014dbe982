"""Lets torchvision (and so timm) import next to a torch whose ABI its compiled ops do not fit.

It declares the operators torchvision registers fakes for; nothing here is ever called. Import it before timm.
"""

from __future__ import annotations

from importlib.util import find_spec

import torch

_INTS = "SymInt pooled_height, SymInt pooled_width"
_SHAPE = "SymInt batch_size, SymInt channels, SymInt height, SymInt width"
_CONV = (
    "SymInt stride_h, SymInt stride_w, SymInt pad_h, SymInt pad_w, SymInt dilation_h, SymInt dilation_w, "
    "SymInt groups, SymInt offset_groups, bool use_mask"
)
_FIVE = "Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias"
SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    f"roi_align(Tensor input, Tensor rois, float spatial_scale, {_INTS}, int sampling_ratio, bool aligned) -> Tensor",
    f"_roi_align_backward(Tensor grad, Tensor rois, float spatial_scale, {_INTS}, {_SHAPE}, int sampling_ratio, "
    "bool aligned) -> Tensor",
    f"roi_pool(Tensor input, Tensor rois, float spatial_scale, {_INTS}) -> (Tensor, Tensor)",
    f"_roi_pool_backward(Tensor grad, Tensor rois, Tensor argmax, float spatial_scale, {_INTS}, {_SHAPE}) -> Tensor",
    f"ps_roi_align(Tensor input, Tensor rois, float spatial_scale, {_INTS}, int sampling_ratio) -> (Tensor, Tensor)",
    f"_ps_roi_align_backward(Tensor grad, Tensor rois, Tensor channel_mapping, float spatial_scale, {_INTS}, "
    f"int sampling_ratio, {_SHAPE}) -> Tensor",
    f"ps_roi_pool(Tensor input, Tensor rois, float spatial_scale, {_INTS}) -> (Tensor, Tensor)",
    f"_ps_roi_pool_backward(Tensor grad, Tensor rois, Tensor channel_mapping, float spatial_scale, {_INTS}, "
    f"{_SHAPE}) -> Tensor",
    f"deform_conv2d({_FIVE}, {_CONV}) -> Tensor",
    f"_deform_conv2d_backward(Tensor grad, {_FIVE}, {_CONV}) -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
)
_library = torch.library.Library("torchvision", "DEF")

if find_spec("torchvision") is not None:
    for _schema in SCHEMAS:
        _library.define(_schema)
