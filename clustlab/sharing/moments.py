"""The moments of a run that a replay carries: which frames, their places on the map, what each sample believes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from clustlab.errors import RunError
from clustlab.projections import PROJECTIONS, ProjectionCache, available
from clustlab.projections.cache import read_problems
from clustlab.runs import Frame, Run
from clustlab.runs.arrays import opened_arrays
from clustlab.views import payload

__all__ = ["Moments", "beliefs_of", "chosen_records", "described", "moments_of", "pictures_of", "spread"]

SHARES = 65_535
"""A probability is carried as a whole number from 0 to this."""

MOST_PICTURE_BYTES = 3 * 2**20
"""Pictures of the probe take so much, before they are packed, at most; larger ones are made smaller."""

PRIVATE = {"host", "pid", "pid_started", "heartbeat"}
"""Parts of a status that tell where a run was trained."""


@dataclass(frozen=True)
class Moments:
    """The frames that a replay carries, counted anew from 0.

    Attributes
    ----------
    frames : list of Frame
        The frames; ``number`` is the place in the replay.
    numbers : list of int
        Their numbers in the run.
    projections : list of str
        Projections in which all of them have a place on the map, the best first.
    """

    frames: list[Frame]
    numbers: list[int]
    projections: list[str]


def spread(phases: Sequence[str], most: int) -> list[int]:
    """Return at most so many positions, evenly spread; where there is room, the ends of each phase are among them.

    Parameters
    ----------
    phases : sequence of str
        The phase at each position.
    most : int
        How many positions to keep.
    """
    count = len(phases)
    if count <= most:
        return list(range(count))
    even = np.linspace(0, count - 1, max(most, 1)).round().astype(int).tolist()
    borders = [at for at in range(1, count) if phases[at] != phases[at - 1]]
    ends = {0, count - 1, *borders, *(at - 1 for at in borders)}
    if len(ends) >= most:
        return sorted(set(even))
    # those far from the ends first, so that none of them stand side by side
    between = sorted(set(even) - ends, key=lambda at: -min(abs(at - end) for end in ends))
    return sorted(ends.union(between[: most - len(ends)]))


def chosen_records(run: Run) -> list[dict[str, Any]]:
    """Return the lines of the frames that are there to be carried.

    Raises
    ------
    RunError
        If the run has recorded no frame.
    """
    records = list(run.frames.records())
    if not records:
        raise RunError(f"the run {run.name} has recorded no frame yet, so that there is nothing to replay")
    return records


def moments_of(run: Run, records: Sequence[dict[str, Any]], kept: Sequence[int]) -> Moments:
    """Return the frames kept of a run; a map that costs nothing is laid out where it has not been.

    Raises
    ------
    RunError
        If coordinates are missing and the run's folder cannot be written.
    """
    frames = [Frame(run.folder, {**records[number], "frame": at}) for at, number in enumerate(kept)]
    with opened_arrays(frames[-1].path) as file:
        n, dimension = file["codes"].shape
    names = available(dimension, n)
    quick = next(name for name in names if name != "umap")
    if not _is_laid_out(run, quick, frames):
        cache = ProjectionCache(run, PROJECTIONS[quick])
        while cache.advance(newest_first=False):
            pass
    return Moments(frames, list(kept), [name for name in names if _is_laid_out(run, name, frames)])


def _is_laid_out(run: Run, projection: str, frames: Sequence[Frame]) -> bool:
    folder, problems = run.folder.projection(projection), read_problems(run.folder, projection)
    return all(frame.path.name in problems or (folder / frame.path.name).is_file() for frame in frames)


def beliefs_of(moments: Moments, name: str) -> tuple[list[dict[str, int] | None], bytes]:
    """Return Q (``q``) or P (``p``) of all moments that have it: where each begins, and the values one after another.

    Returns
    -------
    list of dict or None
        For each moment ``at`` (position of the first value) and ``k`` (clusters); None where the phase has none.
    bytes
        uint16, little-endian, each (n, K) and 65,535 for certainty.
    """
    places: list[dict[str, int] | None] = []
    parts: list[bytes] = []
    at = 0
    for frame in moments.frames:
        values = None
        if name in frame.array_names:
            with suppress(FileNotFoundError), opened_arrays(frame.path) as file:
                values = file[name].astype(np.float64)
        if values is None:
            places.append(None)
            continue
        places.append({"at": at, "k": values.shape[1]})
        parts.append(np.round(np.nan_to_num(values).clip(0, 1) * SHARES).astype("<u2").tobytes())
        at += values.size
    return places, b"".join(parts)


def pictures_of(run: Run) -> tuple[list[int] | None, bytes, int]:
    """Return the pictures of the probe: their shape, raw uint8, and how many times smaller they were made.

    Returns
    -------
    list of int or None
        (n, h, w) or (n, h, w, 3); None where samples are no pictures.
    bytes
        The pictures, one after another.
    int
        1 where they are as recorded, 2 where each side is half as long, and so on.
    """
    pictures = run.sample.get("thumbnails") if run.folder.sample.exists() else None
    if pictures is None:
        return None, b"", 1
    times = 1
    while pictures.nbytes / times**2 > MOST_PICTURE_BYTES and min(pictures.shape[1:3]) // (times + 1) >= 8:
        times += 1
    smaller = _shrunk(np.asarray(pictures, np.uint8), times)
    return list(smaller.shape), smaller.tobytes(), times


def _shrunk(pictures: np.ndarray, times: int) -> np.ndarray:
    """Return pictures (n, h, w, …) with sides so many times shorter: means of squares of pixels."""
    if times == 1:
        return np.ascontiguousarray(pictures)
    high, wide = (side // times for side in pictures.shape[1:3])
    squares = pictures[:, : high * times, : wide * times].reshape(
        len(pictures), high, times, wide, times, *pictures.shape[3:]
    )
    return np.ascontiguousarray(squares.mean(axis=(2, 4)).round().astype(np.uint8))


def described(run: Run, moments: Moments) -> dict[str, Any]:
    """Return what a viewer must know before the first frame, as the page has it, of the moments that are carried.

    Where and in which process the run was trained is nobody's business; a run that still lived shows as stopped.
    """
    content = payload.describe(run)
    status = {key: value for key, value in content["status"].items() if key not in PRIVATE}
    if run.lives:
        status |= {"state": "stopped", "message": ""}
    by_name = {each["name"]: each for each in content["projections"]}
    return content | {
        "status": status,
        "records": [frame.record for frame in moments.frames],
        "projections": [by_name[name] for name in moments.projections],
    }
