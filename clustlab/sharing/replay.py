"""A run as one HTML file that opens from the disk, without clustlab and without a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

import clustlab
from clustlab.errors import RunError
from clustlab.runs import Run
from clustlab.runs.layout import write_aside
from clustlab.sharing.document import Document, code_of, plotly_code
from clustlab.sharing.drawings import Drawing, drawn, panels_of
from clustlab.sharing.moments import (
    Moments,
    beliefs_of,
    chosen_records,
    described,
    moments_of,
    pictures_of,
    spread,
)
from clustlab.sharing.protocol import code_rows, protocol_rows
from clustlab.views import payload

__all__ = ["MEGABYTES", "Replay", "export_replay"]

MEGABYTES = 25.0
"""Size of a replay at most, unless another one is asked for."""

FEWEST_MEGABYTES = 1.0

MOST_MOMENTS = 240
FEWEST_MOMENTS = 6

FIGURES = 0.4
"""Share of the room that is kept for figures until it is known what they take."""

Report = Callable[[float, str], object]
"""Told how far it is (0 to 1), and what is being done."""


@dataclass(frozen=True)
class Replay:
    """What a replay carries.

    Attributes
    ----------
    bytes : int
        Size of the file.
    moments, of : int
        Frames that it carries, and that the run has recorded.
    panels : tuple of str
        Names of the panels that it carries beside the map and P and Q.
    notes : tuple of str
        What was left out or made smaller, a sentence each; they stand in the file too.
    """

    bytes: int
    moments: int
    of: int
    panels: tuple[str, ...]
    notes: tuple[str, ...]


def export_replay(
    run: Run,
    target: str | Path | IO[bytes],
    *,
    megabytes: float = MEGABYTES,
    panels: bool = True,
    report: Report = lambda share, what: None,
) -> Replay:
    """Write a run as one HTML file: the map that plays, the equation, P and Q, and the panels, all by itself.

    What does not fit is thinned out evenly, and the file says so. A run that still lives is written as far as it has
    come.

    Parameters
    ----------
    run : Run
        The run, live or ended.
    target : str, Path or binary stream
        The file, written aside and renamed.
    megabytes : float
        Its size at most.
    panels : bool
        Whether figures are carried, and the drawing library that they need (about 2 MB).
    report : callable
        Told how far it is.

    Returns
    -------
    Replay
        What the file carries.

    Raises
    ------
    RunError
        If the run has no frame, cannot be read, or is too large for the size asked for; or if the file cannot be
        written.
    """
    if megabytes < FEWEST_MEGABYTES:
        raise RunError(f"a replay of {megabytes:g} MB is not possible; allow at least {FEWEST_MEGABYTES:g} MB")
    try:
        content, replay = _Author(run, int(megabytes * 1e6), panels, report).written()
        if isinstance(target, (str, Path)):
            write_aside(Path(target), lambda stream: stream.write(content))
        else:
            target.write(content)
    except OSError as error:
        raise RunError(f"the replay of {run.name} cannot be written ({error.strerror or error})") from error
    return replay


class _Author:
    """Puts one replay together: what there must be first, then as many moments and figures as there is room for."""

    def __init__(self, run: Run, most: int, panels: bool, report: Report) -> None:
        self.run, self.most, self.panels, self.report = run, most, panels, report
        self.document = Document(run.title, clustlab.__version__)
        self.notes: list[str] = []

    def written(self) -> tuple[bytes, Replay]:
        """Return the file and what is in it."""
        self.report(0.0, "reading the frames")
        records = chosen_records(self.run)
        code = code_of()
        self.document.put_json("code", code)
        if self.panels:
            self.document.put("plotly", plotly_code())
        sample = self._put_sample()
        moments, beliefs = self._put_moments(records)
        self._check(self.document.size)
        drawings = self._put_figures(moments) if self.panels else []
        about = described(self.run, moments)
        self._tell_of_moments(moments, len(records))
        manifest = {
            "run": self.run.name,
            "about": about,
            "sample": sample,
            "beliefs": beliefs,
            "panels": [drawing.about for drawing in drawings],
            "moments": {"numbers": moments.numbers, "of": len(records)},
            "notes": self.notes,
        }
        self.document.put("manifest", payload.plain(manifest))
        rows = protocol_rows(self.run) + [("This file", note) for note in self.notes]
        self.document.tell(rows, code_rows(self.run))
        content = self.document.html()
        self._check(len(content))
        self.report(1.0, "done")
        names = tuple(drawing.about["name"] for drawing in drawings)
        return content, Replay(len(content), len(moments.frames), len(records), names, tuple(self.notes))

    def _put_sample(self) -> dict[str, Any] | None:
        if not self.run.folder.sample.exists():
            return None
        shape, pictures, times = pictures_of(self.run)
        if pictures:
            self.document.put("thumbnails", pictures)
        if times > 1:
            self.notes.append(f"The pictures of the samples are {times} times smaller on each side.")
        return payload.describe_sample(self.run) | {"thumbnails": shape}

    def _put_moments(self, records: list[dict[str, Any]]) -> tuple[Moments, dict[str, Any]]:
        """Put in places and beliefs of as many frames as there is room for, evenly spread."""
        room = (self.most - self.document.size) * (1 - FIGURES if self.panels else 0.95)
        phases = [record["phase"] for record in records]
        count = min(len(records), MOST_MOMENTS)
        while True:
            moments = moments_of(self.run, records, spread(phases, count))
            self.report(0.1, "packing the map")
            before = self.document.size
            beliefs = self._put_frames(moments)
            taken = self.document.size - before
            if taken <= room or count <= FEWEST_MOMENTS:
                return moments, beliefs
            for name in (*(f"points/{each}" for each in moments.projections), *beliefs):
                self.document.take_out(name)
            count = max(FEWEST_MOMENTS, min(count - 1, int(0.97 * count * room / taken)))

    def _put_frames(self, moments: Moments) -> dict[str, Any]:
        for projection in moments.projections:
            self.document.put(f"points/{projection}", payload.pack_frames(self.run, projection, moments.frames))
        beliefs = {}
        for name in ("q", "p"):
            places, values = beliefs_of(moments, name)
            if values:
                self.document.put(name, values)
                beliefs[name] = places
        return beliefs

    def _put_figures(self, moments: Moments) -> list[Drawing]:
        """Put in the panels, drawn at some moments; those that take too much are drawn at fewer."""
        asked = panels_of(self.run, moments)
        phases = [frame.phase for frame in moments.frames]
        drawings: list[Drawing] = []
        for at, each in enumerate(asked):
            self.report(0.2 + 0.75 * at / len(asked), f"drawing {each.panel['title']}")
            drawing = drawn(self.run, moments, each)
            if drawing is not None and (kept := self._fitted(drawing, phases)):
                drawings.append(kept)
        thinned = [each.about for each in drawings if not each.about["cursor"]]
        if any(len(about["drawn"]) < len(about["there"]) for about in thinned):
            most = max(len(about["drawn"]) for about in thinned)
            self.notes.append(f"Figures are drawn at up to {most} of its moments; the page says which one it shows.")
        if left_out := [each.panel["title"] for each in asked if each.panel["name"] not in _names(drawings)]:
            self.notes.append(f"Left out to keep the file small: {', '.join(left_out)}.")
        return drawings

    def _fitted(self, drawing: Drawing, phases: list[str]) -> Drawing | None:
        """Put a panel in with as many of its drawings as there is room for; None if not even two fit."""
        name, room = f"figures/{drawing.about['name']}", 0.98 * self.most - self.document.size
        count = len(drawing.figures)
        while True:
            if self.document.put(name, "\n".join(drawing.figures).encode()) <= room:
                return drawing
            self.document.take_out(name)
            count //= 2
            if count < 2:
                return None
            drawing = drawing.with_fewer(count, phases)

    def _tell_of_moments(self, moments: Moments, recorded: int) -> None:
        if len(moments.frames) < recorded:
            self.notes.append(f"It carries {len(moments.frames)} of {recorded} recorded frames, evenly spread.")
        if "umap" not in moments.projections and self._is_mapped():
            self.notes.append("UMAP is not among its maps, as it had not been computed for all of these frames.")

    def _is_mapped(self) -> bool:
        """Whether UMAP makes sense for the run."""
        return "umap" in {each["name"] for each in payload.projections_of(self.run)}

    def _check(self, size: int) -> None:
        if size > self.most:
            raise RunError(
                f"the replay of {self.run.name} takes {size / 1e6:.1f} MB even with {FEWEST_MOMENTS} frames; allow at "
                f"least {np.ceil(size / 1e6):.0f} MB"
            )


def _names(drawings: list[Drawing]) -> set[str]:
    return {drawing.about["name"] for drawing in drawings}
