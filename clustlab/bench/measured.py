"""What has been measured: the tables that come with clustlab, summed up over seeds."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from clustlab.bench.grid import NONE
from clustlab.data.assets import assets_folder

__all__ = ["Measured", "measured"]

SCORES = ("acc", "nmi", "ari")


@dataclass(frozen=True)
class Measured:
    """Mean and sample standard deviation over seeds of a method's own labels; one seed has no deviation."""

    data: str
    extensions: tuple[str, ...]
    mean: dict[str, float]
    deviation: dict[str, float]
    seeds: int


def measured(method: str, folder: Path | None = None) -> list[Measured]:
    """Return what was measured of a method, by data set, the method alone first.

    Parameters
    ----------
    method : str
        Name of a method.
    folder : path, optional
        Where the tables lie, as ``clustlab bench`` writes them; else those in ``assets/benchmarks``.
    """
    table = _tables(folder or assets_folder() / "benchmarks")
    if table.empty:
        return []
    rows = table[(table["method"] == method) & (table["state"] == "finished")]
    groups = rows.groupby(["data", "extensions"])[list(SCORES)]
    return [
        Measured(
            data=str(data),
            extensions=() if extensions == NONE else tuple(str(extensions).split("+")),
            mean={score: float(group[score].mean()) for score in SCORES},
            deviation={score: float(group[score].std()) for score in SCORES} if len(group) > 1 else {},
            seeds=len(group),
        )
        for (data, extensions), group in sorted(groups, key=lambda item: (item[0][0], item[0][1] != NONE, item[0][1]))
    ]


@functools.cache
def _tables(folder: Path) -> pd.DataFrame:
    files = sorted(folder.glob("*.csv"))
    if not files:
        return pd.DataFrame()
    return pd.concat([pd.read_csv(file) for file in files])
