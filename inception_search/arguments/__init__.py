"""Argument checks of the public functions; see :func:`checked`."""

from inception_search.arguments.checked import checked, checked_init, checked_on_failure

__all__ = ["checked", "checked_init", "checked_on_failure"]
