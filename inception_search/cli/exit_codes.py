"""The exit codes of the command line, as the README lists them."""

FAILED, REFUSED, INTERRUPTED = 1, 2, 130
"""Something went wrong; a value that cannot be; stopped by Ctrl-C."""
