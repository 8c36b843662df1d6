"""Tables that ``clustlab bench`` has written, read again: means over seeds, and what an extension changes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from clustlab.bench import scoring
from clustlab.bench.grid import NONE
from clustlab.bench.table import SUFFIXES, protocol_path, read_table
from clustlab.data.assets import assets_folder
from clustlab.data.readers import suffixes
from clustlab.runs import runs_folder

__all__ = [
    "READ_OUTS",
    "SCORES",
    "Results",
    "Summary",
    "changes",
    "changes_everywhere",
    "chosen_without_labels",
    "column",
    "results",
    "summary",
]

SCORES = {"acc": "ACC", "nmi": "NMI", "ari": "ARI"}
"""Agreement with the classes, as columns of the tables name it."""

READ_OUTS = {"": "the method's own labels", "kmeans_": "k-means on the codes", "gmm_": "Gaussian mixture on the codes"}
"""What the labels come from, by the prefix of a column."""


@dataclass(frozen=True, eq=False)
class Results:
    """What was measured on one data set with one protocol.

    Attributes
    ----------
    data : str
        Name of the data, without ending, and without folders where they tell nothing apart.
    rows : DataFrame
        One finished cell a row, with the columns of :data:`clustlab.bench.table.HEADER`.
    protocol : dict
        How the numbers came about; empty if no protocol lies beside the table.
    path : Path
        The table.
    ours : bool
        Whether it came along with clustlab.
    """

    data: str
    rows: pd.DataFrame
    protocol: dict[str, Any]
    path: Path
    ours: bool

    @property
    def title(self) -> str:
        """Name of the data, and of the table unless that is ours and called like the data: no two are called alike."""
        if self.ours:
            return self.data if self.path.stem == self.data else f"{self.data} ({self.path.stem})"
        return f"{self.data} ({self.path.name})"


class Summary(NamedTuple):
    """A column of a table over the seeds of one method with one set of extensions (``none``, ``acai`` …).

    The deviation is that of a sample (squares divided by the number of seeds less one), not-a-number for one seed.
    """

    method: str
    extensions: str
    mean: float
    deviation: float
    seeds: int

    def __str__(self) -> str:
        return f"{self.mean:.3f}" + (f" ± {self.deviation:.3f}" if self.seeds > 1 else "")


def _ours() -> Path:
    """Return the folder of the tables that come with clustlab."""
    return assets_folder() / "benchmarks"


def results(folders: Iterable[Path] | None = None) -> list[Results]:
    """Return what has been measured, one entry for each data set of each table that has its protocol beside it.

    Tables of ours come first, and each kind in the order of titles.

    Parameters
    ----------
    folders : iterable of Path, optional
        Where the tables lie; else those that come with clustlab, then those in the runs folder.
    """
    found = []
    for folder in folders or (_ours(), runs_folder()):
        for path in (path for path in folder.glob("*") if path.suffix in SUFFIXES):
            table, protocol = _table(path), _protocol(path)
            if table is None or not protocol:
                continue
            finished = table[table["state"] == "finished"]
            names = _without_endings(finished["data"].unique())
            for data, rows in finished.groupby("data", sort=True):
                found.append(Results(names[str(data)], rows, protocol, path, folder == _ours()))
    return sorted(found, key=lambda each: (not each.ours, each.title))


def changes_everywhere(there: Iterable[Results], extensions: str, name: str) -> dict[str, list[Summary]]:
    """Return what a set of extensions changes in a column, in percentage points, by data set of our own tables.

    Of several tables of the same data the one that is called like the data counts.
    """
    found = {}
    for each in there:
        pairs = changes(each.rows, extensions, name) if each.ours and each.title == each.data else {}
        if pairs:
            found[each.title] = [
                Summary(method, extensions, float(values.mean()), float(values.std()), len(values))
                for method, values in ((method, 100 * pd.Series(changed)) for method, changed in pairs.items())
            ]
    return found


def column(score: str, read_out: str) -> str:
    """Return the name of a column: ``gmm_acc`` for the score ``acc`` of the read-out ``gmm_``."""
    return f"{read_out}{score}"


def summary(rows: pd.DataFrame, name: str) -> list[Summary]:
    """Return mean and standard deviation over seeds of a column, the best mean first; what lacks it is left out."""
    groups = rows.dropna(subset=[name]).groupby(["method", "extensions"])[name]
    found = [
        Summary(str(method), str(extensions), float(values.mean()), float(values.std()), len(values))
        for (method, extensions), values in groups
    ]
    return sorted(found, key=lambda each: -each.mean)


def chosen_without_labels(rows: pd.DataFrame, name: str) -> dict[tuple[str, str], float]:
    """Return :func:`clustlab.bench.scoring.of_widest_silhouette` by method and set of extensions, where it is known.

    Silhouettes of different methods are of different codes, and choose nothing.
    """
    groups = rows.groupby(["method", "extensions"])[[name, "silhouette"]]
    found = {
        (str(method), str(extensions)): scoring.of_widest_silhouette(seeds.to_dict("records"), name)
        for (method, extensions), seeds in groups
    }
    return {kind: score for kind, score in found.items() if score is not None}


def changes(rows: pd.DataFrame, extensions: str, name: str) -> dict[str, list[float]]:
    """Return what a set of extensions changes in a column, for each method and seed: with it less without it.

    Parameters
    ----------
    rows : DataFrame
        Rows of :class:`Results`.
    extensions : str
        As in the table: ``acai``, ``acai+mixing-consistency``.
    name : str
        Column of a score.

    Returns
    -------
    dict of str to list of float
        By method, in the order of seeds; a pair of which one run is missing is left out.
    """
    keys = ["method", "seed"]
    alone = rows[rows["extensions"] == NONE].set_index(keys)[name]
    joined = rows[rows["extensions"] == extensions].set_index(keys)[name]
    differences = (joined - alone).dropna().sort_index()
    return {str(method): list(map(float, pairs)) for method, pairs in differences.groupby("method")}


def _without_endings(data: Iterable[str]) -> dict[str, str]:
    """Return what data of a table are called: files without their endings where that tells each from the others."""
    short = {}
    for each in data:
        name, mark, options = each.partition("?")
        ending = next((suffix for suffix in suffixes() if name.lower().endswith(suffix)), "")
        short[each] = name[: len(name) - len(ending)] + mark + options
    often = Counter(short.values())
    return {each: name if often[name] == 1 else each for each, name in short.items()}


def _table(path: Path) -> pd.DataFrame | None:
    """Return a table; None for a file that ``clustlab bench`` has not written."""
    try:
        return read_table(path)
    except (OSError, ValueError):
        return None


def _protocol(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(protocol_path(path).read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
