"""The tables in our Markdown say what the tables of runs beside them hold, to the last digit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from clustlab import catalog
from clustlab.bench.results import chosen_without_labels

ROOT = Path(__file__).parents[2]
MEASURED = ROOT / "assets" / "benchmarks"

FILES = {
    "digits": "digits.csv",
    "MNIST-10k": "mnist-test.csv",
    "USPS": "usps.csv",
    "Reuters-10k": "reuters10k.csv",
    "Fashion-MNIST": "fashion-mnist.csv",
    "MNIST": "mnist.csv",
}
HEADINGS = dict(zip(FILES, ("Digits", *list(FILES)[1:-1], "MNIST, 70,000 digits"), strict=True))
FEWEST_SEEDS = 3

EXTENSIONS = {"with ACAI": "acai", "with mixing consistency": "mixing-consistency"}

Table = list[list[str]]


@pytest.mark.parametrize("data", FILES)
def test_a_table_of_autoencoders_is_what_was_measured(data: str) -> None:
    head, *rows = tables(MEASURED / "README.md", HEADINGS[data])[0]
    meanings = list(columns(head[1:]))
    for title, *cells in rows:
        for cell, (extensions, score) in zip(cells, meanings, strict=True):
            assert cell == written(data, title, extensions, score), (title, extensions, score)


def test_tables_of_discriminative_methods_are_what_was_measured() -> None:
    for head, *rows in tables(MEASURED / "README.md", "Discriminative methods")[:2]:
        sets = [data for cell in head[1:] if (data := cell.rpartition(": ")[0])]
        for title, *cells in rows:
            assert cells == [written(data, title, "none", score) for data in sets for score in ("acc", "nmi")], title


@pytest.mark.parametrize("data", FILES)
def test_no_method_that_was_measured_is_left_out(data: str) -> None:
    found = tables(MEASURED / "README.md", HEADINGS[data]) + tables(MEASURED / "README.md", "Discriminative methods")
    assert set(runs(data)["title"]) <= {row[0] for rows in found for row in rows}


def test_the_answer_in_the_readme_is_what_was_measured() -> None:
    head, *rows = tables(ROOT / "README.md", "Measured: does the critic help?")[0]
    assert head[1:] == list(FILES)
    for title, *cells in rows:
        for data, cell in zip(head[1:], cells, strict=True):
            alone, joined = (written(data, title, name, "acc", spread=False) for name in ("none", "acai"))
            assert cell == (f"{alone} → {joined}" if joined else alone), (title, data)


def test_what_one_gets_without_labels_is_what_was_measured() -> None:
    (table,) = tables(MEASURED / "README.md", "Without labels")
    assert {data: cells for data, *cells in table[1:]} == {data: cells for data in FILES if (cells := label_free(data))}


@cache
def runs(data: str) -> pd.DataFrame:
    table = pd.read_csv(MEASURED / FILES[data])
    titles = {name: method["card"]["title"] for name, method in catalog.described()["methods"].items()}
    return table[table["state"] == "finished"].assign(title=table["method"].map(titles))


def label_free(data: str) -> list[str]:
    """Return what the silhouette chooses among the seeds of each kind of run, and among these kinds by their means."""
    table = runs(data)
    table = table[table["extensions"].isin(["none", "acai"])].dropna(subset=["acc", "silhouette"])
    kinds = table.groupby(["method", "extensions"]).filter(lambda seeds: len(seeds) >= FEWEST_SEEDS)
    if kinds.empty:
        return []
    grouped = kinds.groupby(["method", "extensions"])
    means, best = grouped[["acc", "silhouette"]].mean(), grouped["acc"].max()
    chosen = pd.Series(chosen_without_labels(kinds, "acc"))
    widest = means.sort_values("silhouette")["acc"].iloc[-1]
    values = (means["acc"].mean(), chosen.mean(), best.mean(), widest, means["acc"].max())
    return [str(len(means)), *(f"{value:.3f}".replace("0.", ".") for value in values)]


def tables(path: Path, heading: str) -> list[Table]:
    """Return the tables below a heading of the second level: cells, the head first."""
    section = re.split(rf"^## {re.escape(heading)}\n", path.read_text(), flags=re.MULTILINE)[1]
    blocks = re.findall(r"(?:^\|.*\n)+", section.partition("\n## ")[0], re.MULTILINE)
    split = [[[cell.strip() for cell in line[1:-1].split("|")] for line in block.splitlines()] for block in blocks]
    return [[rows[0], *rows[2:]] for rows in split]


def columns(head: list[str]) -> Iterator[tuple[str, str]]:
    """Yield extension and score of each column; one that names the score alone goes on with the extension before."""
    extensions, read_out = "none", ""
    for cell in head:
        before, _, score = cell.rpartition(": ")
        if cell == "with ACAI":
            extensions, score = "acai", "ACC"
        elif before == "GMM on the codes":
            extensions, read_out = "none", "gmm_"
        elif before:
            extensions = EXTENSIONS[before]
        yield extensions, read_out + score.lower()


def written(data: str, title: str, extensions: str, score: str, *, spread: bool = True) -> str:
    """Return the cell as it must stand there: empty if nothing was measured, without deviation if one seed was."""
    table = runs(data)
    values = table.loc[(table["title"] == title) & (table["extensions"] == extensions), score].dropna()
    if values.empty:
        return ""
    deviation = f" ± {values.std():.3f}" if spread and len(values) > 1 else ""
    return f"{values.mean():.3f}{deviation}".replace("0.", ".")
