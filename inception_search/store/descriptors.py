"""Standard input, output and error as file descriptors that are there, also where a process was started without."""

from __future__ import annotations

import os


def open_standard_descriptors() -> None:
    """Open the null device as each of the descriptors 0, 1 and 2 that is closed.

    The next file, socket or pipe that is opened would else become, say, standard output, and get what is printed.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
            os.set_inheritable(opened, True)
