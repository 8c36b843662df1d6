"""A run's folder of coordinates: what has been projected, which frame is due next, and how it is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from clustlab.errors import RunError
from clustlab.projections.layout import Layout, Projection, ProjectionError, blend, motion
from clustlab.projections.pca import PCA
from clustlab.projections.plane import PLANE
from clustlab.projections.umap import FEWEST, UMAP
from clustlab.runs.arrays import opened_arrays
from clustlab.runs.layout import RunFolder, write_aside, write_json
from clustlab.runs.reader import Run

__all__ = ["PROJECTIONS", "ProjectionCache", "available", "projection_of", "read_layout", "read_problems"]

PROJECTIONS: dict[str, Projection] = {projection.name: projection for projection in (PLANE, UMAP, PCA)}
"""Every projection by name, best first."""


def projection_of(name: str) -> Projection:
    """Return the projection of a name.

    Raises
    ------
    ProjectionError
        If there is none.
    """
    if name not in PROJECTIONS:
        raise ProjectionError(f"there is no projection “{name}”; there are {', '.join(PROJECTIONS)}")
    return PROJECTIONS[name]


def available(codes_dim: int, n: int) -> list[str]:
    """Return the projections that make sense for n codes with ``codes_dim`` coordinates, best first."""
    names = ["plane"] if codes_dim <= 2 else []
    return names + (["umap"] if n >= FEWEST else []) + ["pca"]


def read_layout(folder: RunFolder, projection: str, file: str) -> Layout | None:
    """Return the coordinates of the frame with a file name such as ``000120.npz``; None if not projected yet."""
    try:
        with opened_arrays(folder.projection(projection) / Path(file).name) as arrays:
            return Layout(arrays["points"], arrays["centroids"])
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_problems(folder: RunFolder, projection: str) -> dict[str, str]:
    """Return the frames (by file name) that a projection had to pass over, and why; empty where there are none."""
    return _mapping(_read_about(folder.projection(projection)), "problems")


class ProjectionCache:
    """The coordinates of one run under one projection; opened again, it goes on where it was.

    Parameters
    ----------
    run : Run
        The run, live or ended.
    projection : Projection
        The way onto the plane.

    Attributes
    ----------
    problems : dict of str to str
        Frames (by file name) that cannot be projected, and why; they are passed over.
    """

    def __init__(self, run: Run, projection: Projection) -> None:
        self.run, self.projection = run, projection
        self.folder = run.folder.projection(projection.name)
        self._frames: list[str] = []
        self._done = {path.name for path in self.folder.glob("*.npz")}
        self._asked_for: int | None = None
        about = _read_about(self.folder)
        self._stability: dict[str, float | None] = _mapping(about, "stability")
        self.problems: dict[str, str] = _mapping(about, "problems")

    @property
    def done(self) -> int:
        """Number of frames that have been dealt with."""
        return sum(map(self._is_done, self._frames))

    @property
    def total(self) -> int:
        """Number of frames recorded so far, as of the last :meth:`advance`."""
        return len(self._frames)

    def ask_for(self, number: int) -> None:
        """Have the next :meth:`advance` project a frame before all others: somebody waits for this one.

        Only the frame asked for last counts, and one that is not recorded or has been dealt with is passed over.

        Parameters
        ----------
        number : int
            Number of the frame.
        """
        self._asked_for = number

    def advance(self, *, newest_first: bool) -> bool:
        """Project the frame that is due, the one asked for before all others, and return whether there was one.

        Parameters
        ----------
        newest_first : bool
            Whether the newest frame goes before the gaps: somebody is watching a live run.

        Raises
        ------
        RunError
            If the run's folder cannot be written.
        """
        self._frames = [Path(record["file"]).name for record in self.run.frames.records()]
        index = self._due(newest_first)
        if index is None:
            return False
        frame = self.run.frames[index]
        try:
            layout = self.projection.project(frame.codes, frame.centroids, self._reference(index))
        except ProjectionError as error:
            self.problems[self._frames[index]] = str(error)
            self._write_about()
        else:
            self._store(index, layout)
        return True

    def _is_done(self, file: str) -> bool:
        return file in self._done or file in self.problems

    def _due(self, newest_first: bool) -> int | None:
        """Return the frame asked for, else the newest, else the first one beside a frame that has been projected."""
        asked_for, self._asked_for = self._asked_for, None
        count = len(self._frames)
        waiting = [index for index in range(count) if not self._is_done(self._frames[index])]
        if not waiting:
            return None
        if asked_for in waiting:
            return asked_for
        if newest_first and waiting[-1] == count - 1:
            return count - 1
        first = waiting[0]
        if self._neighbour(first, -1) is None and self._neighbour(first, +1) is not None:
            # Frames before the first projected one are chained backwards from it.
            return next(i for i in range(first, count) if i + 1 == count or self._is_done(self._frames[i + 1]))
        return first

    def _neighbour(self, index: int, direction: int) -> int | None:
        """Return the nearest frame before (-1) or after (+1) one that has coordinates."""
        ahead = range(index - 1, -1, -1) if direction < 0 else range(index + 1, len(self._frames))
        return next((i for i in ahead if self._frames[i] in self._done), None)

    def _reference(self, index: int) -> Layout | None:
        """Return the layout to stay close to: the one before; in a gap, the place between its two ends."""
        before, after = self._neighbour(index, -1), self._neighbour(index, +1)
        ends = [self._layout(i) for i in (before, after) if i is not None]
        if before is None or after is None or len(ends[0].rows) != len(ends[1].rows):
            return ends[0] if ends else None
        return blend(ends[0], ends[1], (index - before) / (after - before))

    def _layout(self, index: int) -> Layout:
        layout = read_layout(self.run.folder, self.projection.name, self._frames[index])
        if layout is None:
            raise RunError(f"the folder {self.folder} was emptied while it was being filled; ask again")
        return layout

    def _store(self, index: int, layout: Layout) -> None:
        file = self._frames[index]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_aside(
                self.folder / file,
                lambda stream: np.savez(stream, points=layout.points, centroids=layout.centroids),
            )
        except OSError as error:
            raise self._refusal(error) from error
        self._done.add(file)
        before, after = self._neighbour(index, -1), self._neighbour(index, +1)
        self._stability[file] = None if before is None else _motion(self._layout(before), layout)
        if after is not None:
            self._stability[self._frames[after]] = _motion(layout, self._layout(after))
        self._write_about()

    def _write_about(self) -> None:
        content = {
            "projection": self.projection.name,
            "settings": dict(self.projection.settings),
            "seed": self.projection.seed,
            "note": self.projection.note,
            "stability": dict(sorted(self._stability.items())),
            "problems": self.problems,
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(self.folder / "projection.json", content)
        except OSError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> RunError:
        return RunError(
            f"the coordinates of the run {self.run.name} cannot be written to {self.folder} "
            f"({error.strerror or error}); copy the run to a folder that can be written"
        )


def _read_about(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / "projection.json").read_text())
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return {}
    return content if isinstance(content, dict) else {}


def _mapping(about: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an entry of a file that anybody may have damaged; it costs no more than what it told."""
    found = about.get(name)
    return found if isinstance(found, dict) else {}


def _motion(before: Layout, after: Layout) -> float | None:
    return motion(before.points, after.points) if len(before.points) == len(after.points) else None
