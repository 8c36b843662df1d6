"""Projecting a run from outside it, while it lives and after: one frame after the other into ``cache/``."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from clustlab.projections.cache import ProjectionCache, projection_of
from clustlab.runs.reader import Run, open_run

__all__ = ["follow", "project"]

POLL_SECONDS = 0.3
"""Pause between two looks at a live run that has no new frame."""


def follow(
    run: Run,
    projection: str,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], object] | None = None,
) -> ProjectionCache:
    """Project every frame of a run, and new ones for as long as it lives.

    While the run lives the newest frame goes first, chained from the layout nearest before it, so that whoever
    watches sees the present; frames left out are filled in when there is time.

    Parameters
    ----------
    run : Run
        The run, live or ended; only its ``cache/`` is written.
    projection : str
        ``umap``, ``pca`` or ``plane``.
    stop : callable
        Asked before each frame; when it returns True the function returns. Called again, it goes on from there.
    progress : callable, optional
        Called with the number of frames done and recorded after each frame.

    Returns
    -------
    ProjectionCache
        What was written; its ``problems`` names the frames that have no coordinates and says why.

    Raises
    ------
    ProjectionError
        If there is no such projection.
    RunError
        If the run's folder cannot be written.
    """
    cache = ProjectionCache(run, projection_of(projection))
    while not stop():
        lives = run.lives  # asked first: frames written before the end are then seen by the last look
        if cache.advance(newest_first=lives):
            if progress is not None:
                progress(cache.done, cache.total)
        elif lives:
            time.sleep(POLL_SECONDS)
        else:
            break
    return cache


def project(
    run_path: str | Path, projection: str = "umap", progress: Callable[[int, int], object] | None = None
) -> ProjectionCache:
    """Project all frames of the run in a folder; what ``clustlab project`` does. See :func:`follow`."""
    return follow(open_run(run_path), projection, progress=progress)
