"""Checks of ops, spaces, strategies, datasets and proxies, for the tests of packages that add some.

Each check runs a suite (``OP_LAWS`` etc.) and raises AssertionError with the found and the expected value. The tests of
this package run the same suites. docs/plugins.md has an example of each.
"""

from inception_search.testing.datasets import DATASET_LAWS, check_dataset
from inception_search.testing.ops import OP_LAWS, check_op
from inception_search.testing.proxies import PROXY_LAWS, check_proxy
from inception_search.testing.spaces import SPACE_LAWS, check_space
from inception_search.testing.strategies import STRATEGY_LAWS, check_strategy

__all__ = [
    "DATASET_LAWS",
    "OP_LAWS",
    "PROXY_LAWS",
    "SPACE_LAWS",
    "STRATEGY_LAWS",
    "check_dataset",
    "check_op",
    "check_proxy",
    "check_space",
    "check_strategy",
]
