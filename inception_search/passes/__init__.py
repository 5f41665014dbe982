"""The table of passes. A new pass is a file here and a row in :data:`PASSES`, in the order in which they run."""

from __future__ import annotations

from inception_search.passes import merge_siblings
from inception_search.passes.rewrite import Pass

PASSES: dict[str, Pass] = {row.name: row for row in (merge_siblings.PASS,)}
