"""The Python entry: :func:`train`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from clustlab.errors import LaunchError
from clustlab.launch.progress import shown
from clustlab.launch.submit import engine_named, submit
from clustlab.runs.reader import Run
from clustlab.spec import RunSpec, with_settings

__all__ = ["train"]


def train(
    method: str,
    *,
    data: str = "digits",
    extensions: Sequence[str] | Mapping[str, Mapping[str, Any]] = (),
    seed: int = 0,
    n_clusters: int | None = None,
    options: Mapping[str, Any] | None = None,
    settings: Sequence[str] = (),
    runs: str | Path | None = None,
    engine: str = "inline",
    progress: bool = True,
) -> Run:
    """Train a method and return its run.

    Parameters
    ----------
    method : str
        Name of a method; ``clustlab methods`` lists them.
    data : str
        Name of a data source, or path of a file.
    extensions : sequence of str, or mapping of str to options
    seed : int
    n_clusters : int, optional
        As many as the data has classes if not given.
    options : mapping, optional
        Options of the method.
    settings : sequence of str
        Further ``name=value`` settings, as on the command line: ``["training.epochs=50"]``.
    runs : path, optional
        Folder for the run; else ``$CLUSTLAB_RUNS``, else ``runs``.
    engine : {"inline", "process", "dask"}
        ``inline`` returns when the run has ended, the others at once.
    progress : bool
        Whether to show a progress bar while training here.

    Returns
    -------
    Run

    Raises
    ------
    SpecError, DataError
        If this cannot be trained.
    LaunchError
        If training failed; the run folder says how far it came.
    """
    spec = RunSpec.parse(
        {
            "method": method,
            "data": data,
            "extensions": extensions if isinstance(extensions, Mapping) else list(extensions),
            "seed": seed,
            "n_clusters": n_clusters,
            "options": dict(options or {}),
        }
    )
    start = engine_named(engine)
    run = submit(with_settings(spec, settings), runs)
    with shown(run) if progress and engine == "inline" else nullcontext():
        start(run.folder.path)
    if run.state == "failed":
        raise LaunchError(f"{run.status['error']} (run folder: {run.folder.path})")
    return run
