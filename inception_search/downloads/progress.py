"""Progress of a download on standard error: a bar in a terminal or notebook, else one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from inception_search.downloads.transfer import Watch
from inception_search.progress_console import progress_console


@contextmanager
def shown(name: str, url: str) -> Iterator[Watch]:
    """A function that shows the progress of the download of ``name`` while the context lasts."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = progress_console()
    live = console.is_terminal or console.is_jupyter
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=16), DownloadColumn(), TransferSpeedColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not live)
    if not live:
        console.print(f"downloading {name} from {url}", highlight=False, markup=False, soft_wrap=True)
    with bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
