"""From a spec to a run: check it, make its folder, hand the path to an engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clustlab import catalog
from clustlab.data import Dataset, Source, known
from clustlab.data.files import absolute, is_path, split_options
from clustlab.errors import RunError, SpecError
from clustlab.launch import dask, inline, process
from clustlab.runs.layout import RunFolder, create_run_folder, runs_folder
from clustlab.runs.reader import Run, open_run
from clustlab.runs.writer import write_spec
from clustlab.spec import RunSpec, run_title

__all__ = ["ENGINES", "check", "engine_named", "launch", "submit"]

ENGINES: dict[str, Callable[[Path], None]] = {"process": process.start, "inline": inline.start, "dask": dask.start}
"""Ways to run ``worker.execute`` on a run folder."""


def check(spec: RunSpec, dataset: Dataset | None = None) -> Dataset | Source:
    """Refuse a spec that cannot run, before a folder is made for it; return its data, or what is known of them.

    Data that must be fetched are fetched by the worker, where one can watch it and call it off.

    Parameters
    ----------
    spec : RunSpec
    dataset : Dataset, optional
        Its data, where they are loaded already.

    Raises
    ------
    SpecError, DataError
        Unknown method, option, extension or data; more clusters than samples.
    """
    catalog.check(spec)
    there = dataset or known(spec.data)
    n_clusters = spec.n_clusters or there.n_classes
    if not n_clusters:
        raise SpecError(f"{there.title} has no classes to count; say how many clusters to look for (n_clusters)")
    if n_clusters > there.n:
        raise SpecError(
            f"n_clusters = {n_clusters} is too large: {there.title} has {there.n} samples, "
            "and there cannot be more clusters than samples"
        )
    if n_clusters > spec.recording.probe:
        raise SpecError(
            f"recording.probe = {spec.recording.probe} is too small to show {n_clusters} clusters; "
            "it must be at least n_clusters"
        )
    if spec.network.kind == "convolutional" and there.kind != "images":
        raise SpecError(f"a convolutional network needs images; {there.title} has vectors: choose network.kind = mlp")
    return there


def submit(spec: RunSpec, runs: str | Path | None = None, dataset: Dataset | None = None) -> Run:
    """Return a new, queued run for a spec: the folder exists, nothing trains yet.

    Parameters
    ----------
    spec : RunSpec
    runs : path, optional
        Folder for the new run.
    dataset : Dataset, optional
        Its data, where they are loaded already.

    Raises
    ------
    SpecError, DataError
        If the spec cannot run.
    RunError
        If the runs folder cannot be written.
    """
    if is_path(spec.data):  # a worker that resumes the run may be started elsewhere
        spec = spec.model_copy(update={"data": absolute(spec.data)})
    data = check(spec, dataset)
    known = catalog.described()
    extensions = [known["extensions"][name]["card"]["title"] for name in spec.extensions]
    title = run_title(known["methods"][spec.method]["card"]["title"], extensions, data.title, spec.seed)
    name = "-".join([spec.method, *spec.extensions, split_options(spec.data)[0].stem])
    folder: RunFolder = create_run_folder(runs_folder(runs), name)
    try:
        write_spec(folder, spec.to_json(), title)
    except OSError as error:
        folder.spec.unlink(missing_ok=True)
        folder.path.rmdir()
        raise RunError(f"the runs folder {folder.path.parent} cannot be written ({error.strerror})") from error
    return open_run(folder.path)


def engine_named(name: str) -> Callable[[Path], None]:
    """Return the function that has a run folder trained.

    Raises
    ------
    SpecError
        If there is no such engine.
    """
    if name not in ENGINES:
        raise SpecError(f"there is no engine “{name}”; there are {', '.join(ENGINES)}")
    return ENGINES[name]


def launch(spec: RunSpec, runs: str | Path | None = None, engine: str = "process") -> Run:
    """Submit a spec and hand it to an engine; ``inline`` returns when the run has ended.

    Raises
    ------
    SpecError, DataError, RunError, LaunchError
        As :func:`submit`; an unknown engine; a worker that cannot be started.
    """
    start = engine_named(engine)
    run = submit(spec, runs)
    start(run.folder.path)
    return run
