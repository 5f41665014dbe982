"""The table of passes. A new pass is a file here and a row in :data:`PASSES`, in the order in which they run."""

from __future__ import annotations

from inception_search.passes import (
    drop_identities,
    drop_inactive,
    flatten_concats,
    fold_norm,
    fold_scale,
    join_norms,
    linear_as_conv,
    merge_kernels,
    merge_siblings,
    merge_sum,
    share_values,
    split_norm,
    swap_pool,
)
from inception_search.passes.rewrite import Pass

_ORDER = (
    share_values,  # first: convolutions on equal pools become siblings
    drop_inactive,
    split_norm,  # makes norms that are folded
    fold_norm,  # before everything that needs layers without a norm, or puts a view or a pool before the norm
    fold_scale,
    merge_sum,  # before siblings are merged: one kernel for a sum has fewer multiply-adds than two joined
    join_norms,  # before siblings are merged, whose values are read by views
    merge_siblings,  # costs nothing, so that
    merge_kernels,  # is compared with what is left
    flatten_concats,
    drop_identities,
    swap_pool,  # after norms are folded: a pool between a convolution and its norm is in the way
    linear_as_conv,
)
PASSES: dict[str, Pass] = {each.PASS.name: each.PASS for each in _ORDER}
