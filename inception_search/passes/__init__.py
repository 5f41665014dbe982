"""The table of passes. A new pass is a file here and a row in :data:`PASSES`, in the order in which they run."""

from __future__ import annotations

from inception_search.passes import (
    drop_identities,
    drop_inactive,
    flatten_concats,
    fold_norm,
    linear_as_conv,
    merge_siblings,
    share_values,
    swap_pool,
)
from inception_search.passes.rewrite import Pass

_ORDER = (
    share_values,  # first: convolutions on equal pools become siblings
    drop_inactive,
    fold_norm,  # before siblings are merged: parts of a merged convolution are read by views, not by a norm
    merge_siblings,
    flatten_concats,
    drop_identities,
    swap_pool,  # after norms are folded: a pool between a convolution and its norm is in the way
    linear_as_conv,
)
PASSES: dict[str, Pass] = {each.PASS.name: each.PASS for each in _ORDER}
