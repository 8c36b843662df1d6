"""What a table says of rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from clustlab.bench.campaign import fill
from clustlab.bench.grid import Cell, Grid
from clustlab.bench.table import (
    HEADER,
    Row,
    check_replaceable,
    markdown,
    protocol_path,
    read_scores,
    read_table,
    short_names,
    write_protocol,
    write_table,
)
from clustlab.errors import SpecError
from clustlab.spec import RunSpec


def row(seed: int, state: str = "finished", **scores: float) -> Row:
    cell = Cell("idec", ("acai",), "digits", seed, RunSpec(method="idec", seed=seed))
    return Row(cell, state, run=f"run-{seed}" if state == "finished" else "", scores=scores, steps=5, wall_s=2.0)


def test_a_row_is_a_line_of_the_file(tmp_path: Path) -> None:
    table = tmp_path / "deep" / "table.csv"
    write_table(
        table, [row(0, acc=0.5, kmeans_acc=0.25), Row(Cell("kmeans", ("acai",), "x", 1, None), "impossible", "no")]
    )
    with table.open(newline="") as stream:
        first, second = csv.DictReader(stream)
    assert tuple(first) == HEADER
    assert (first["method"], first["extensions"], first["seed"], first["acc"]) == ("idec", "acai", "0", "0.500000")
    assert (first["kmeans_acc"], first["gmm_acc"], first["steps"], first["run"]) == ("0.250000", "", "5", "run-0")
    assert (second["state"], second["note"], second["acc"], second["run"]) == ("impossible", "no", "", "")


def test_means_and_deviations_are_over_the_finished_seeds() -> None:
    text = markdown([row(0, acc=0.5), row(1, acc=0.7), row(2, "failed")])
    (line,) = [line for line in text.splitlines() if line.startswith("| idec")]
    assert "| 2 of 3 | 0.600 ± 0.141 |" in line


def test_the_seed_that_the_silhouette_would_choose_is_told_beside_the_means() -> None:
    seeds = [row(0, acc=0.5, silhouette=0.1), row(1, acc=0.4, silhouette=0.3), row(2, acc=0.9)]
    head, _, line = markdown(seeds).splitlines()
    told = dict(zip(head.split(" | "), line.split(" | "), strict=True))
    assert (told["acc"], told["acc by silhouette"]) == ("0.600 ± 0.265", "0.400")
    assert "0.500 |  | 2.0" in markdown([row(0, acc=0.5, silhouette=0.5)]).splitlines()[-1]


def test_what_papers_report_stands_beside_the_means() -> None:
    def of_mnist(extensions: tuple[str, ...]) -> Row:
        return Row(Cell("idec", extensions, "/somewhere/mnist.npz", 0, None), "finished", scores={"acc": 0.8})

    head, _, alone, joined = markdown([of_mnist(()), of_mnist(("acai",))]).splitlines()
    assert head.endswith("| published acc |")
    assert alone.endswith("| 0.881 |")
    assert joined.endswith("|  |")
    assert "published" not in markdown([row(0, acc=0.8)]), "papers print nothing on these digits"


def test_a_parquet_table_says_what_the_csv_says(tmp_path: Path) -> None:
    rows = [row(0, acc=0.5), row(1, "failed"), Row(Cell("kmeans", ("acai",), "x", 1, None), "impossible", "no")]
    for name in ("table.csv", "table.parquet"):
        write_table(tmp_path / name, rows)
    assert_frame_equal(read_table(tmp_path / "table.parquet"), read_table(tmp_path / "table.csv"))
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="other.csv is not a table of clustlab bench"):
        read_table(tmp_path / "other.csv")


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (["digits", "/a/b/usps.npz"], ["digits", "usps.npz"]),
        (["/a/b/usps.npz", "/a/c/usps.npz", "digits"], ["b/usps.npz", "c/usps.npz", "digits"]),
        (["/a/b/c/x.npz", "/a/d/c/x.npz"], ["b/c/x.npz", "d/c/x.npz"]),
        (["/a/cats?size=8", "/a/cats?size=16"], ["cats?size=8", "cats?size=16"]),
    ],
)
def test_data_in_a_table_have_names_that_tell_them_apart(data: list[str], names: list[str]) -> None:
    assert short_names(data) == dict(zip(data, names, strict=True))


def test_seeds_of_equally_named_files_are_not_averaged(tmp_path: Path) -> None:
    rows = [Row(Cell("kmeans", (), f"/{each}/x.npz", 0, None), "finished", scores={"acc": 0.5}) for each in "ab"]
    write_table(tmp_path / "table.csv", rows)
    assert list(read_table(tmp_path / "table.csv")["data"]) == ["a/x.npz", "b/x.npz"]
    assert [line.split(" | ")[2:4] for line in markdown(rows).splitlines()[2:]] == [["a/x.npz", "1"], ["b/x.npz", "1"]]


@pytest.mark.parametrize("name", ["mine.csv", "mine.parquet"])
def test_a_table_replaces_none_but_its_like(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    check_replaceable(path, HEADER)
    mine = pd.DataFrame({"a": [1, 2], "label": [0, 1]})
    mine.to_csv(path, index=False) if path.suffix == ".csv" else mine.to_parquet(path)
    before = path.read_bytes()
    with pytest.raises(SpecError, match=f"{name} is there already, and is no table of this command"):
        fill(Grid(("kmeans",)), tmp_path, path, 1, lambda *_: None)
    assert path.read_bytes() == before
    path.write_bytes(b"\0\1")
    with pytest.raises(SpecError, match="is no table"):
        check_replaceable(path, HEADER)

    write_table(path, [row(0, acc=0.5)])
    check_replaceable(path, HEADER)
    with pytest.raises(SpecError, match="is no table"):
        check_replaceable(path, HEADER, [f"{path}?label=state"])


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_scores_are_taken_over_only_if_they_came_about_in_the_same_way(tmp_path: Path, name: str) -> None:
    table = tmp_path / name
    assert read_scores(table) == {}
    rows = [row(0, acc=0.5), row(1, "stopped")]
    write_table(table, rows)
    assert read_scores(table) == {}
    write_protocol(table, Grid(("idec",)), 1, rows)
    assert read_scores(table) == {"run-0": {"acc": 0.5}}
    protocol = json.loads(protocol_path(table).read_text())
    protocol["versions"]["scikit-learn"] = "0.0"
    protocol_path(table).write_text(json.dumps(protocol))
    assert read_scores(table) == {}


def test_the_protocol_names_versions_threads_and_read_outs_and_no_place(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    write_protocol(table, Grid(("idec",), (str(tmp_path / "mine.npz"),), settings=("training.epochs=2",)), 1, [row(0)])
    text = protocol_path(table).read_text()
    protocol = json.loads(text)
    assert {"clustlab", "torch"} <= set(protocol["versions"])
    assert protocol["settings"] == ["training.epochs=2"]
    assert protocol["threads"] == [row(0).cell.spec.training.threads]  # type: ignore[union-attr]
    assert protocol["read_outs"]["kmeans_acc, kmeans_nmi, kmeans_ari"]["n_init"] == 20
    assert protocol["split"].startswith("none")
    assert str(tmp_path) not in text
