"""Tables that were written are read again: sums over seeds, pairs of seeds, and nothing that has no protocol."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from clustlab.bench.results import changes, changes_everywhere, chosen_without_labels, column, results, summary
from clustlab.bench.table import HEADER

CELLS = (
    ("idec", "none", "digits", 0, "finished", 0.8),
    ("idec", "none", "digits", 1, "finished", 0.9),
    ("idec", "none", "digits", 2, "failed", ""),
    ("idec", "acai", "digits", 1, "finished", 0.95),
    ("idec", "acai", "digits", 2, "finished", 0.99),
    ("dec", "none", "digits", 0, "finished", 0.1),
    ("dec", "none", "images.npz", 0, "finished", 0.2),
    ("dec", "none", "table.csv?label=a.b", 0, "finished", 0.2),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [dict(zip((*HEADER[:5], "gmm_acc"), cell, strict=True)) for cell in CELLS]
    lines = [",".join(str(row.get(name, "")) for name in HEADER) for row in rows]
    (tmp_path / "table.csv").write_text("\n".join([",".join(HEADER), *lines]))
    (tmp_path / "table.protocol.json").write_text(json.dumps({"seeds": [0, 1, 2]}))
    return tmp_path


def test_each_data_set_of_a_table_is_told_by_itself_and_failures_are_left_out(folder: Path) -> None:
    digits, images, table = results([folder])
    assert table.data == "table?label=a.b"
    assert (digits.data, len(digits.rows), images.data, len(images.rows)) == ("digits", 5, "images", 1)
    assert digits.protocol == {"seeds": [0, 1, 2]}
    assert not digits.ours


@pytest.mark.parametrize(
    ("there", "called"),
    [
        (["a.npz", "b.csv"], ["a", "b"]),
        (["a.npz", "a.csv"], ["a.csv", "a.npz"]),
        (["photos.v1", "photos.v2", "data.2024"], ["data.2024", "photos.v1", "photos.v2"]),
        (["2024/a.npz", "2025/a.npz"], ["2024/a", "2025/a"]),
    ],
)
def test_data_lose_their_endings_where_that_tells_them_apart(folder: Path, there: list[str], called: list[str]) -> None:
    table = (folder / "table.csv").read_text().splitlines()
    line = next(each for each in table if each.startswith("idec,none,digits"))
    (folder / "table.csv").write_text("\n".join([table[0], *(line.replace("digits", each) for each in there)]))
    assert [each.data for each in results([folder])] == called


def test_seeds_are_summed_up_the_best_first(folder: Path) -> None:
    digits, *_ = results([folder])
    joined, alone, dec = summary(digits.rows, column("acc", "gmm_"))
    assert (joined.method, joined.extensions, joined.seeds) == ("idec", "acai", 2)
    assert (alone.mean, alone.deviation) == pytest.approx((0.85, 0.0707), abs=1e-4)
    assert str(alone) == "0.850 ± 0.071"
    assert math.isnan(dec.deviation)
    assert str(dec) == "0.100"
    assert summary(digits.rows, "nmi") == []


def test_without_labels_one_gets_the_seed_with_the_widest_silhouette() -> None:
    rows = pd.DataFrame(
        [
            ("dec", "none", 0.7, 0.2),
            ("dec", "none", 0.6, 0.5),
            ("dec", "none", 0.9, math.nan),
            ("rim", "none", 0.8, 0.1),
        ],
        columns=["method", "extensions", "acc", "silhouette"],
    )
    assert chosen_without_labels(rows, "acc") == {("dec", "none"): 0.6}


def test_a_change_is_told_for_seeds_that_ran_both_ways_only(folder: Path) -> None:
    digits, *_ = results([folder])
    assert changes(digits.rows, "acai", "gmm_acc") == {"idec": [pytest.approx(0.05)]}
    assert changes(digits.rows, "mixing-consistency", "gmm_acc") == {}


def test_changes_on_all_data_are_points_by_data_set_of_our_own_tables(folder: Path) -> None:
    digits, images, _ = results([folder])
    assert changes_everywhere([digits, images], "acai", "gmm_acc") == {}
    found = changes_everywhere([replace(digits, ours=True), replace(images, ours=True)], "acai", "gmm_acc")
    assert found == {}, "of several tables of the same data the one that is called like the data counts"
    named = replace(digits, ours=True, path=folder / "digits.csv")
    ((data, (change,)),) = changes_everywhere([named], "acai", "gmm_acc").items()
    assert data == "digits"
    assert (change.method, change.mean, change.seeds) == ("idec", pytest.approx(5), 1)


def test_other_tables_and_those_without_a_protocol_are_passed_over(folder: Path) -> None:
    (folder / "table.protocol.json").rename(folder / "other.protocol.json")
    (folder / "other.csv").write_text("a,b\n1,2\n")
    (folder / "empty.csv").write_text("")
    assert results([folder]) == []


def test_the_tables_that_come_along_are_complete() -> None:
    there = {each.data: each for each in results() if each.ours}
    assert {"digits", "stripes"} <= set(there)
    for each in there.values():
        assert each.rows[["acc", "nmi", "ari"]].notna().all(axis=None)
        assert set(each.rows["seed"]) <= set(each.protocol["seeds"])
