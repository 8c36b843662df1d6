"""Reading run folders, live, finished or broken off: every page, figure and script looks at a run through this."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from clustlab.errors import DamagedError, RunError, SpecError
from clustlab.runs.arrays import opened_arrays
from clustlab.runs.layout import RunFolder
from clustlab.runs.status import LIVE, derived_state, unsound
from clustlab.spec import RunSpec, run_title

__all__ = ["Frame", "Frames", "JsonLines", "Run", "list_runs", "open_run", "run_named"]


class JsonLines:
    """A growing ``.jsonl`` file: each :meth:`poll` returns the whole lines that are new since the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0

    def poll(self) -> list[dict[str, Any]]:
        """Return new records; a last line without newline waits for the next call.

        Raises
        ------
        DamagedError
            If a line is no record.
        RunError
            If the file is there and cannot be read.
        """
        name = f"{self.path.parent.name}/{self.path.name}"
        try:
            with self.path.open("rb") as stream:
                stream.seek(self._offset)
                content = stream.read()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RunError(f"the file {name} cannot be read ({error.strerror or error})") from error
        whole = content[: content.rfind(b"\n") + 1]
        try:
            records = [dict(json.loads(line)) for line in whole.splitlines() if line.strip()]
        except (ValueError, TypeError) as error:
            raise DamagedError(f"the file {name} is damaged ({error})") from error
        self._offset += len(whole)
        return records


class Frame:
    """One recorded moment: its line in ``frames.jsonl`` at once, its arrays when asked for.

    Arrays are attributes: ``frame.codes``, ``frame.q`` …; see ``FORMAT.md`` for shapes and dtypes.
    """

    def __init__(self, folder: RunFolder, record: dict[str, Any]) -> None:
        self.record = record
        self.number: int = record["frame"]
        self.step: int = record["step"]
        self.phase: str = record["phase"]
        self.metrics: dict[str, float] = record.get("metrics", {})
        self.terms: dict[str, dict[str, float]] = record.get("terms", {})
        self.values: dict[str, float] = record.get("values", {})
        self.array_names: list[str] = record["arrays"]
        self.path = folder.frames / Path(record["file"]).name

    @functools.cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays of the frame."""
        with opened_arrays(self.path) as file:
            return dict(file)

    def __contains__(self, name: object) -> bool:
        return name in self.array_names

    def __getattr__(self, name: str) -> np.ndarray:
        if name.startswith("_") or name not in self.__dict__.get("array_names", ()):
            raise AttributeError(
                f"this frame has no “{name}”; it has {', '.join(self.__dict__.get('array_names', ()))}"
            )
        return self.arrays[name]

    def __repr__(self) -> str:
        return f"<Frame {self.number}: step {self.step}, {self.phase}>"


class Frames(Sequence[Frame]):
    """The recorded frames in order; grows while the run lives."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._lines = JsonLines(folder.frame_index)
        self._records: list[dict[str, Any]] = []

    def records(self) -> list[dict[str, Any]]:
        """Lines of ``frames.jsonl`` so far."""
        self._records += self._lines.poll()
        return self._records

    def __len__(self) -> int:
        return len(self.records())

    @overload
    def __getitem__(self, key: int) -> Frame: ...
    @overload
    def __getitem__(self, key: slice) -> list[Frame]: ...
    def __getitem__(self, key: int | slice) -> Frame | list[Frame]:
        if isinstance(key, slice):
            return [Frame(self._folder, record) for record in self.records()[key]]
        return Frame(self._folder, self.records()[key])

    def __iter__(self) -> Iterator[Frame]:
        return (Frame(self._folder, record) for record in list(self.records()))


class Run:
    """A run folder, opened for reading.

    Parameters
    ----------
    path : str or Path
        The run's folder.

    Raises
    ------
    RunError
        If it is not a run folder, is damaged, or was written by a newer clustlab.
    """

    def __init__(self, path: str | Path) -> None:
        self.folder = RunFolder(Path(path).expanduser().resolve())
        if not self.folder.spec.is_file():
            raise RunError(f"{self.folder.path} is not a run folder: it has no spec.json")
        try:
            self.spec = RunSpec.parse(self.folder.spec.read_text("utf-8"))
        except (SpecError, UnicodeDecodeError, OSError) as error:
            raise RunError(f"the run {self.name} cannot be opened: {error}") from error
        self.frames = Frames(self.folder)
        self._scalars: list[dict[str, Any]] = []
        self._scalar_lines = JsonLines(self.folder.scalars)

    @property
    def name(self) -> str:
        """Identifier: the folder's name."""
        return self.folder.name

    @property
    def title(self) -> str:
        """What a person calls the run: ``IDEC + ACAI on digits · seed 0``."""
        title = self.about.get("title") or read_json(self.folder.status).get("title")
        return str(title or run_title(self.spec.method, list(self.spec.extensions), self.spec.data, self.spec.seed))

    @property
    def status(self) -> dict[str, Any]:
        """Content of ``status.json`` without what makes no sense there, with ``state`` as derived."""
        return self._status[0]

    @property
    def state(self) -> str:
        """``queued starting running paused stopped failed finished`` or ``lost``."""
        return str(self.status["state"])

    @property
    def lives(self) -> bool:
        """Whether a worker is at work on the run (or waiting for its turn)."""
        return self.state in LIVE

    @property
    def about(self) -> dict[str, Any]:
        """Content of ``about.json``; empty before data and networks are ready."""
        return read_json(self.folder.about)

    @functools.cached_property
    def sample(self) -> dict[str, np.ndarray]:
        """Arrays of the probe."""
        if not self.folder.sample.exists():
            raise RunError(f"the run {self.name} has recorded no sample yet")
        with opened_arrays(self.folder.sample) as file:
            return dict(file)

    @property
    def scalar_records(self) -> list[dict[str, Any]]:
        """Lines of ``scalars.jsonl`` so far, as written."""
        self._scalars += self._scalar_lines.poll()
        return self._scalars

    @property
    def scalars(self) -> list[dict[str, Any]]:
        """One flat record a line of ``scalars.jsonl``: ``step``, ``phase``, each term raw and ``<term> (weighted)``."""
        return [_flat(record) for record in self.scalar_records]

    @property
    def events(self) -> list[dict[str, Any]]:
        """Lines of ``events.jsonl``."""
        return JsonLines(self.folder.events).poll()

    @property
    def has_result(self) -> bool:
        """Whether ``result.npz`` is there and whole; reads all of it.

        Raises
        ------
        RunError
            If it is there and cannot be read now.
        """
        try:
            return self.folder.result.exists() and bool(self.result)
        except DamagedError:
            return False

    @property
    def result(self) -> dict[str, np.ndarray]:
        """Arrays of ``result.npz``: labels, codes and centroids of the whole data set.

        Raises
        ------
        RunError
            While the run has no result, or if that is damaged.
        """
        if not self.folder.result.exists():
            raise RunError(f"the run {self.name} has no result; it is {self.state}")
        with opened_arrays(self.folder.result) as file:
            return dict(file)

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics on the whole data set once finished, before that those of the last frame's probe.

        Raises
        ------
        DamagedError
            If they are no numbers.
        """
        if self.folder.result.exists():
            return _scores(self._said("metrics") or "{}", self.folder.result)
        records = self.frames.records()
        return _scores(records[-1].get("metrics", {}), self.folder.frame_index) if records else {}

    @property
    def protocol(self) -> str:
        """Which labels the metrics score, in words; empty where a run has not recorded it.

        Metrics of a frame are those of the labels shown in it, on the probe.
        """
        return self._said("protocol") if self.folder.result.exists() else ""

    def summary(self) -> dict[str, Any]:
        """Return what ``clustlab show --json`` prints: status, protocol and metrics as plain values.

        Where a file of the run cannot be read, ``error`` says which one; if it is damaged, so is the ``state``.
        """
        status, wrong = self._status
        state, why = status["state"], status.get("error", "")
        recorded: dict[str, Any] = {"metrics": {}, "protocol": "", "n_frames": 0}
        try:
            recorded = {"metrics": self.metrics, "protocol": self.protocol, "n_frames": len(self.frames)}
        except RunError as error:
            state, why = "damaged" if isinstance(error, DamagedError) else state, str(error)
        if wrong:
            state, why = "damaged", f"the file {self.name}/status.json is damaged (in {', '.join(wrong)})"
        return {
            "run": self.name,
            "title": self.title,
            "state": state,
            "method": self.spec.method,
            "extensions": list(self.spec.extensions),
            "data": self.spec.data,
            "seed": self.spec.seed,
            "n_clusters": self.about.get("n_clusters", self.spec.n_clusters),
            **recorded,
            "metrics_on": "data set" if self.folder.result.exists() else "probe",
            "step": status.get("step", 0),
            "wall_s": status.get("wall_s", 0.0),
            "error": why,
            "started": status.get("started", ""),
            "spec": self.spec.model_dump(),
            "folder": str(self.folder.path),
        }

    def figure(self, name: str, *, frame: int = -1, **options: Any) -> Any:
        """Return a plotly figure of the run at a frame; ``clustlab.views`` lists the names.

        Parameters
        ----------
        name : str
            For example ``latent``, ``p-and-q``, ``interpolation``, ``curves``.
        frame : int
            Index into :attr:`frames`.
        **options
            Passed to the figure, e.g. ``projection="umap"``. The frames of a run that has ended are projected first
            if need be, which takes UMAP some ten seconds.
        """
        # A figure needs plotly and a projection perhaps umap; reading a run needs neither.
        from clustlab.projections.follow import project
        from clustlab.views import draw

        if options.get("projection") and not self.lives:
            with contextlib.suppress(RunError):  # a folder that cannot be written keeps no coordinates
                project(self.folder.path, options["projection"])
        return draw(self, name, frame=frame, **options)

    @property
    def _status(self) -> tuple[dict[str, Any], list[str]]:
        """The sound part of ``status.json`` with ``state`` as derived, and the names of what is not sound."""
        content = read_json(self.folder.status)
        if not content:
            return {"state": "lost", "step": 0}, []
        wrong = unsound(content)
        status = {name: value for name, value in content.items() if name not in wrong}
        return {**status, "state": derived_state(status)}, wrong

    def _said(self, name: str) -> str:
        """Return a text of ``result.npz`` without reading the arrays beside it; empty where there is none."""
        with opened_arrays(self.folder.result) as file:
            return str(file[name]) if name in file else ""

    def __repr__(self) -> str:
        return f"<Run {self.name}: {self.state}, {len(self.frames)} frames>"


def open_run(path: str | Path) -> Run:
    """Return the run in a folder."""
    return Run(path)


def run_named(name: str, runs: Path) -> Run:
    """Return the run of that name in a folder of runs, else the run whose folder has that path.

    Raises
    ------
    RunError
        If there is neither, or it cannot be opened.
    """
    inside = runs / name
    if inside.is_dir() and inside.parent == runs:
        return Run(inside)
    if Path(name).is_dir():
        return Run(name)
    raise RunError(f"there is no run “{name}” in {runs}")


def list_runs(runs: Path) -> list[Run]:
    """Return the readable runs in a folder, latest first; links and folders that are no runs are passed over."""
    found = []
    for path in runs.iterdir() if runs.is_dir() else ():
        if not (path.is_symlink() or path.name.startswith(".")) and (path / "spec.json").is_file():
            try:
                found.append(Run(path))
            except RunError:
                continue
    return sorted(found, key=lambda run: str(run.status.get("started", "")), reverse=True)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; empty where there is none."""
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return {}


def _scores(told: Any, path: Path) -> dict[str, float]:
    """Return scores by name, from JSON or as JSON has been read, that stand in a file of a run."""
    name = f"{path.parent.name}/{path.name}"
    try:
        scores = dict(json.loads(told) if isinstance(told, str) else told)
    except (ValueError, TypeError) as error:
        raise DamagedError(f"the file {name} is damaged ({error})") from error
    wrong = [each for each, value in scores.items() if isinstance(value, bool) or not isinstance(value, int | float)]
    if wrong:
        raise DamagedError(f"the file {name} is damaged (“{wrong[0]}” is no number)")
    return scores


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    flat = {key: record[key] for key in ("step", "phase", "time")}
    for name, term in record.get("terms", {}).items():
        flat[name], flat[f"{name} (weighted)"] = term["raw"], term["weighted"]
    for name, value in record.get("values", {}).items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat
