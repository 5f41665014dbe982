"""The spaces that come with the package, read once in each test process: reading the largest takes a second."""

from functools import cache

from inception_search.space.load_space import load_space
from inception_search.space.space import Space


@cache
def shipped_space(name: str) -> Space:
    """The shipped space called ``name``, shared by the tests, which do not change it."""
    return load_space(name)
