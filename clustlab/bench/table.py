"""The table of a benchmark: one row a cell, its file (CSV or Parquet), the protocol beside it, means in Markdown."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd

from clustlab.bench import scoring
from clustlab.bench.grid import NONE, Cell, Grid
from clustlab.bench.published import published, span
from clustlab.data.files import split_options, with_options
from clustlab.errors import SpecError
from clustlab.runs.layout import write_aside, write_json

__all__ = [
    "HEADER",
    "SUFFIXES",
    "Row",
    "check_replaceable",
    "markdown",
    "protocol_path",
    "read_scores",
    "read_table",
    "short_names",
    "write_protocol",
    "write_table",
]

SUFFIXES = (".csv", ".parquet")
"""How names of tables end."""

HEADER = ("method", "extensions", "data", "seed", "state", *scoring.COLUMNS, "steps", "wall_s", "run", "note")
"""Columns of the file; what is not known or not defined is empty."""

TEXTS: dict[str, type] = dict.fromkeys(("method", "extensions", "data", "state", "run", "note"), str)
"""Columns that are texts."""

SHOWN = ("acc", "nmi", "ari", "kmeans_acc", "gmm_acc", "silhouette")
"""Scores in the Markdown table."""


@dataclass
class Row:
    """What is known of a cell; ``state`` is that of its run, else ``waiting`` or ``impossible``."""

    cell: Cell
    state: str
    note: str = ""
    run: str = ""
    steps: int = 0
    wall_s: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def extensions(self) -> str:
        """Names joined by “+”, or “none”."""
        return "+".join(self.cell.extensions) or NONE

    def record(self, data: str) -> dict[str, Any]:
        """Return the row as it stands in a CSV file, where its data have a name of :func:`short_names`."""
        cell = self.cell
        found: dict[str, Any] = dict.fromkeys(HEADER, "")
        found |= {"method": cell.method, "extensions": self.extensions, "data": data}
        found |= {"seed": cell.seed, "state": self.state, "run": self.run, "note": self.note}
        found |= {name: f"{value:.6f}" for name, value in self.scores.items()}
        return found | ({"steps": self.steps, "wall_s": f"{self.wall_s:.2f}"} if self.run else {})


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """Write the table, as CSV or Parquet by its suffix; readers see the old one or the new one, never half."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, lineterminator="\n")
    writer.writeheader()
    names = short_names(row.cell.data for row in rows)
    writer.writerows(row.record(names[row.cell.data]) for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        text.seek(0)
        write_aside(path, pd.read_csv(text, dtype=TEXTS).to_parquet)
    else:
        write_aside(path, lambda stream: stream.write(text.getvalue().encode()))


def short_names(data: Iterable[str]) -> dict[str, str]:
    """Return what each data set is called in a table: sources as they are, files without their folders.

    Where two files then had the same name, all are called with as many folders as it takes to tell them apart.
    """
    places = {each: split_options(each) for each in data}
    deepest = max((len(path.parts) for path, _ in places.values()), default=1)
    names: dict[str, str] = {}
    for most in range(1, deepest + 1):
        names = {each: with_options("/".join(path.parts[-most:]), given) for each, (path, given) in places.items()}
        if len(set(names.values())) == len(names):
            break
    return names


def check_replaceable(path: Path, header: Iterable[str], data: Iterable[str] = ()) -> None:
    """Refuse to write a table over a file that is something else.

    Raises
    ------
    SpecError
        If there is a file already that holds something and lacks a column of the header, or that is one of the data
        sets.
    """
    if not path.exists() or (path.is_file() and not path.stat().st_size):
        return
    try:
        found = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, nrows=0)
        ours = set(header) <= set(found.columns) and path.resolve() not in {split_options(each)[0] for each in data}
    except (OSError, ValueError):
        ours = False
    if not ours:
        raise SpecError(f"{path} is there already, and is no table of this command; give --out another name")


def read_table(path: Path) -> pd.DataFrame:
    """Return a table that was written earlier; numbers that are not known are not-a-number, texts are empty.

    Raises
    ------
    OSError, ValueError
        If there is none, or the file is no such table.
    """
    found = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=TEXTS)
    if not set(HEADER) <= set(found.columns):
        raise ValueError(f"{path.name} is not a table of clustlab bench")
    return found.fillna(dict.fromkeys(TEXTS, ""))


def read_scores(path: Path) -> dict[str, dict[str, float]]:
    """Return the scores of the finished runs in a table written earlier, by the run's name.

    Empty if there is no such table, or if it was scored in another way than this version would.
    """
    try:
        protocol = json.loads(protocol_path(path).read_text())
        if (protocol["versions"], protocol["read_outs"]) != (_versions(), scoring.protocol()):
            return {}
        table = read_table(path)
        finished = table[(table["state"] == "finished") & (table["note"] == "")].set_index("run")
        scores = finished[list(scoring.COLUMNS)].to_dict("index")
        return {
            str(run): {str(name): value for name, value in found.items() if isfinite(value)}
            for run, found in scores.items()
        }
    except (OSError, ValueError, LookupError):
        return {}


def protocol_path(table: Path) -> Path:
    """Return where the protocol of a table lies: ``table.csv`` has ``table.protocol.json``."""
    return table.with_name(f"{table.stem}.protocol.json")


def write_protocol(
    table: Path, grid: Grid, jobs: int, rows: Sequence[Row], trained_with: Sequence[dict[str, str]] = ()
) -> None:
    """Write beside a table how its numbers came about; it names no host and no folder.

    ``trained_with`` are the versions under which the runs were trained, which may be older ones than those that score.
    """
    threads = {row.cell.spec.training.threads for row in rows if row.cell.spec}
    content = {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": _versions(),
        "python": platform.python_version(),
        "machine": {"system": platform.system(), "processor": platform.machine(), "cpu_count": os.cpu_count()},
        "trained_with": list(trained_with),
        "split": "none: every sample is trained on, and scored",
        "threads": sorted(threads),
        "jobs": jobs,
        "methods": list(dict.fromkeys(row.cell.method for row in rows)),
        "data": list(short_names(row.cell.data for row in rows).values()),
        "extensions": ["+".join(each) or NONE for each in grid.extension_sets],
        "seeds": list(grid.seeds),
        "n_clusters": grid.n_clusters,
        "settings": list(grid.settings),
        "read_outs": scoring.protocol(),
        "wall_s": "seconds of training, those of pretraining counted in where cells share it (their runs are forks)",
        "labels": "for scoring only: no setting, epoch or restart was chosen by them",
    }
    write_json(protocol_path(table), content)


def markdown(rows: Sequence[Row]) -> str:
    """Return a Markdown table: mean ± standard deviation over the finished seeds of each method with extensions.

    The deviation is that of a sample: squares divided by the number of seeds less one. ``acc by silhouette`` is that
    of the seed with the widest silhouette: what one gets who has no labels to choose by. ``published acc`` stands there
    where papers report figures on these data, with settings of their own.
    """
    several = len({row.cell.data for row in rows}) > 1
    reported = {data: published(data, "acc") for data in {row.cell.data for row in rows}}
    titles = ["method", "extensions", *(["data"] if several else []), "seeds", *SHOWN, "acc by silhouette", "seconds"]
    titles += ["published acc"] if any(map(any, map(dict.values, reported.values()))) else []
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    names = short_names(row.cell.data for row in rows)
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.cell.method, row.extensions, row.cell.data), []).append(row)
    for (method, extensions, data), members in groups.items():
        finished = [row for row in members if row.state == "finished"]
        count = f"{len(finished)}" if len(finished) == len(members) else f"{len(finished)} of {len(members)}"
        if all(row.state == "impossible" for row in members):
            count = "impossible"
        means = [_mean([row.scores[name] for row in finished if name in row.scores], 3) for name in SHOWN]
        means += [_by_silhouette(finished), _mean([row.wall_s for row in finished], 1)]
        if "published acc" in titles:
            means.append(span(reported[data].get(method, [])) if extensions == NONE else "")
        lines.append(f"| {' | '.join([method, extensions, *([names[data]] if several else []), count, *means])} |")
    return "\n".join(itertools.chain(lines, [""]))


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("clustlab", "torch", "numpy", "scikit-learn")}


def _by_silhouette(rows: Iterable[Row]) -> str:
    score = scoring.of_widest_silhouette([row.scores for row in rows], "acc")
    return "" if score is None else f"{score:.3f}"


def _mean(values: Sequence[float], digits: int) -> str:
    if not values:
        return ""
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.{digits}f}{spread}"
