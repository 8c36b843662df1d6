"""The parts, and measuring them one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from clustlab.bench.speed import against_clustpy, loop, memory, projector, recorder
from clustlab.bench.speed.measuring import HEADER, Measurement, Row, Settings, write
from clustlab.bench.table import check_replaceable
from clustlab.errors import SpecError

__all__ = ["PARTS", "measure", "planned"]

PARTS: dict[str, Callable[[Settings], list[Measurement]]] = {
    "loop": loop.measurements,
    "recorder": recorder.measurements,
    "projector": projector.measurements,
    "memory": memory.measurements,
    "clustpy": against_clustpy.measurements,
}
"""What can be measured, by name."""


def planned(parts: Sequence[str], settings: Settings) -> list[Measurement]:
    """Return what there is to measure, in order; all parts if none is named.

    Raises
    ------
    SpecError
        If there is no such part.
    """
    for name in parts:
        if name not in PARTS:
            raise SpecError(f"there is no part “{name}”; parts are {', '.join(PARTS)}")
    return [each for name in PARTS if not parts or name in parts for each in PARTS[name](settings)]


def measure(
    measurements: Sequence[Measurement],
    settings: Settings,
    parts: Sequence[str],
    table: Path | None,
    progress: Callable[[Measurement, float], None],
) -> list[Row]:
    """Measure and return the rows; with a ``table`` they are written anew after every measurement.

    Parameters
    ----------
    measurements : sequence of Measurement
        As :func:`planned` returns them.
    settings : Settings
    parts : sequence of str
        For the protocol.
    table : Path, optional
        CSV file; its protocol is written beside it.
    progress : callable
        Called before each measurement with it and with the seconds planned for those that are done.

    Raises
    ------
    SpecError
        If something else lies where the table should be.
    """
    if table is not None:
        check_replaceable(table, HEADER)
    rows: list[Row] = []
    done = 0.0
    for place, each in enumerate(measurements, start=1):
        progress(each, done)
        rows += each.take()
        done += each.seconds
        if table is not None:
            write(table, rows, settings, parts, complete=place == len(measurements))
    return rows
