"""Models that have been opened, the last few kept, so that a second question costs no loading."""

from __future__ import annotations

import functools
import threading
from pathlib import Path

from clustlab.errors import RunError
from clustlab.inspection.model import Inspection, open_model
from clustlab.runs.reader import Run

__all__ = ["opened"]

KEPT = 8
"""Models that are kept; one with the layers of the DEC paper takes some 15 MB."""

_OPENING = threading.Lock()


def opened(run: Run, step: int) -> Inspection:
    """Return the model of a run at a checkpoint; safe to call from several threads.

    A model is opened anew when its file has changed, and dropped when eight others have been asked since.

    Parameters
    ----------
    run : Run
    step : int
        Training step of the checkpoint.

    Raises
    ------
    RunError
        If the run has no such checkpoint, or it cannot be read.
    """
    file = run.folder.checkpoint_files().get(step)
    try:
        changed = file.stat().st_mtime_ns if file else 0
    except OSError as error:  # dropped by a worker that has written a later one
        raise RunError(f"the checkpoint of step {step} of the run {run.name} has just been removed") from error
    with _OPENING:  # of several who ask at once the first opens it, and the others find it
        return _open(run.folder.path, step, changed)


@functools.lru_cache(maxsize=KEPT)
def _open(path: Path, step: int, _changed: int) -> Inspection:
    model = open_model(Run(path), step=step)
    _ = model.answers  # builds the networks, which no two threads may do at once
    return model
