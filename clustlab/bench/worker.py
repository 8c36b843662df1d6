"""A process that trains and scores one run folder after the other: ``python -m clustlab.bench.worker``.

It reads the path of a run folder a line from standard input and answers with a line of JSON: ``state``, ``error``,
``scores``. It ends with its input, so that it does not outlive by more than one run whoever started it. What a run
prints goes into its ``log.txt``.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clustlab.bench.scoring import score
from clustlab.errors import ClustlabError
from clustlab.launch.worker import LOCK_SECONDS, execute
from clustlab.runs import Run

__all__ = ["answer", "logged", "main"]


def answer(path: Path, patience: float = LOCK_SECONDS) -> dict[str, Any]:
    """Train a run folder as far as it is not yet, and score it.

    Parameters
    ----------
    path : Path
    patience : float
        As for :func:`clustlab.launch.worker.execute`.

    Returns
    -------
    dict
        ``state`` in which the run is, ``error`` (a sentence, empty where all went well), ``scores``.
    """
    run = Run(path)
    try:
        state = execute(path, patience)
    except ClustlabError as refusal:
        return {"state": run.state, "error": str(refusal), "scores": {}}
    if state == "finished":
        scores, error = score(run)
        return {"state": state, "error": error, "scores": scores}
    return {"state": state, "error": run.status.get("error", "") if state == "failed" else "", "scores": {}}


@contextlib.contextmanager
def logged(path: Path) -> Iterator[None]:
    """Have all that is printed go into the ``log.txt`` of a run folder, for the length of a ``with`` block."""
    with (path / "log.txt").open("a") as log, contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        yield


def main() -> None:
    """Answer line by line, at low priority."""
    if hasattr(os, "nice"):
        os.nice(5)
    answers = sys.stdout
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        with logged(path):
            content = answer(path)
        answers.write(json.dumps(content) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
