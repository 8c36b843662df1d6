"""What the parts share: a row of the table, a measurement, contestants that take turns, and the file."""

from __future__ import annotations

import csv
import io
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from clustlab.bench.table import protocol_path
from clustlab.runs.layout import write_aside, write_json

__all__ = ["HEADER", "Measurement", "Row", "Settings", "cells_of", "cpu_seconds", "ratio_row", "take_turns", "write"]

MEASURED_WITH = ("clustlab", "torch", "numpy", "scikit-learn", "umap-learn", "clustpy")
"""Packages whose versions stand in the protocol, as far as they are there."""


@dataclass(frozen=True)
class Settings:
    """How thoroughly is measured.

    Attributes
    ----------
    repeats : int
        Turns that each contestant takes, at most.
    seconds : float
        About how long a turn of the loop lasts: short ones, and many, since a busy machine changes from second to
        second. Where frames are recorded a turn takes 25 times as long.
    threads : int
        CPU threads of torch and of whatever else computes in parallel.
    samples : tuple of int
        Sizes of data that are read into memory, and what a run on them takes is measured.
    mapped : tuple of int
        Sizes of data that stay in their file, likewise.
    data : tuple of str
        Data on which ClustPy and clustlab learn codes: sources or files.
    """

    repeats: int = 25
    seconds: float = 0.2
    threads: int = 1
    samples: tuple[int, ...] = (10_000, 100_000)
    mapped: tuple[int, ...] = (100_000, 1_000_000)
    data: tuple[str, ...] = ("digits",)


@dataclass(frozen=True)
class Row:
    """One measured quantity beside its reference; what is not defined is None.

    Attributes
    ----------
    part, what, setting : str
        Which part, what was measured, under which circumstances.
    value, reference : float
        In ``unit``; medians over the repeats.
    ratio, low, high : float
        Median, smallest and largest of the repeats' own ratios, value over reference.
    target : str
        What is aimed at, ``≤ 1.1`` or ``≤ 0.3 s``.
    met : bool
        Whether the target is met, where there is one.
    """

    part: str
    what: str
    setting: str
    value: float
    unit: str
    reference: float | None = None
    reference_is: str = ""
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    repeats: int = 1
    target: str = ""
    met: bool | None = None
    note: str = ""

    def record(self) -> dict[str, str]:
        """Return the row as it stands in the CSV file: numbers with six digits, nothing for None."""
        return {name: _written(getattr(self, name)) for name in HEADER}


HEADER = tuple(field.name for field in fields(Row))
"""Columns of the CSV file."""


@dataclass(frozen=True)
class Measurement:
    """Something to measure: its title, about how many seconds it takes, and the function that does it."""

    title: str
    seconds: float
    take: Callable[[], list[Row]]


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds that this process spends on something, all its threads counted."""
    began = time.process_time()
    work()
    return time.process_time() - began


def take_turns(contestants: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Return what each contestant says of each round.

    Within a round they run right after one another, in one process: what else the machine does, how warm it is and
    where memory lies then touches all of them. Who begins changes from round to round, so that drift cancels.
    """
    names = list(contestants)
    said: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(repeats):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            said[name].append(contestants[name]())
    return said


def ratio_row(row: Row, values: Sequence[float], references: Sequence[float], limit: float | None = None) -> Row:
    """Return the row with medians of values and references, and of the ratios round by round.

    Parameters
    ----------
    row : Row
        What is known besides; its value is replaced.
    values, references : sequence of float
        One a round, in the same order.
    limit : float, optional
        The ratio that is aimed at.
    """
    ratios = [value / reference for value, reference in zip(values, references, strict=True)]
    ratio = statistics.median(ratios)
    known: dict[str, Any] = {field.name: getattr(row, field.name) for field in fields(Row)}
    known |= {"value": statistics.median(values), "reference": statistics.median(references)}
    known |= {"ratio": ratio, "low": min(ratios), "high": max(ratios), "repeats": len(ratios)}
    if limit is not None:
        known |= {"target": f"ratio ≤ {limit:g}", "met": ratio <= limit}
    return Row(**known)


def cells_of(row: Row) -> tuple[str, ...]:
    """Return a row as a person reads it: part, what, setting, measured, reference, ratio, target, remark."""
    reference = "" if row.reference is None else f"{row.reference:.3g} {row.unit}, {row.reference_is}"
    ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
    if row.low is not None and row.high is not None and row.repeats > 1:
        ratio += f" ({row.low:.3g}–{row.high:.3g})"
    target = "" if row.met is None else f"{row.target}: {'met' if row.met else 'missed'}"
    return row.part, row.what, row.setting, f"{row.value:.3g} {row.unit}", reference, ratio, target, row.note


def write(table: Path, rows: Sequence[Row], settings: Settings, parts: Sequence[str], complete: bool) -> None:
    """Write table and protocol; readers see the old ones or the new ones, never half."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.record() for row in rows)
    table.parent.mkdir(parents=True, exist_ok=True)
    write_aside(table, lambda stream: stream.write(text.getvalue().encode()))
    write_json(protocol_path(table), _protocol(settings, parts, complete))


def _protocol(settings: Settings, parts: Sequence[str], complete: bool) -> dict[str, Any]:
    return {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "complete": complete,
        "versions": _versions(),
        "python": platform.python_version(),
        "machine": {"system": platform.system(), "processor": platform.machine(), "cpu_count": os.cpu_count()},
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "threads": settings.threads,
        "repeats": settings.repeats,
        "seconds_a_turn": settings.seconds,
        "parts": list(parts),
        "times": "CPU seconds of the measuring process, all threads counted",
        "ratios": "median, smallest and largest of the rounds' own ratios; contestants take turns in one process",
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in MEASURED_WITH:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # ClustPy need not be there
    return found


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
