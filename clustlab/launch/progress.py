"""A progress bar on the terminal (or in a notebook) for a run that trains in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from clustlab.runs.reader import Run

__all__ = ["bar", "shown"]

POLL_SECONDS = 0.2


def bar(console: Console | None = None) -> Progress:
    """Return an empty progress display that leaves nothing behind; by default on standard error."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console or Console(stderr=True), transient=True)


@contextmanager
def shown(run: Run, console: Console | None = None) -> Iterator[None]:
    """Show how far a run is for the length of a ``with`` block, from a thread that reads its folder."""
    over = threading.Event()

    def watch() -> None:
        with bar(console) as progress:
            task = progress.add_task("starting", total=None)
            while not over.wait(POLL_SECONDS):
                status = run.status
                doing = status.get("message") or f"{status.get('phase', '')} · step {status.get('step', 0)}"
                progress.update(
                    task, description=doing, completed=status.get("step", 0), total=status.get("total_steps")
                )

    watcher = threading.Thread(target=watch, name=f"progress of {run.name}", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
