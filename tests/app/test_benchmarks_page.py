"""The benchmarks page through Streamlit's own test runner: what it says of tables of every kind, and where it leads."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urljoin

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clustlab.bench.table import HEADER
from clustlab.runs import Run

SECONDS = 60


def benchmarks_page() -> AppTest:
    def script() -> None:
        from clustlab.app.pages import benchmarks

        benchmarks.page()

    return AppTest.from_function(script, default_timeout=SECONDS)


def test_the_benchmarks_page_draws_what_was_measured_and_tells_how(runs: Path) -> None:
    app = benchmarks_page().run()
    assert not app.exception
    assert [each.value for each in app.subheader] == ["Who finds the classes?", "What does it change?", "The table"]
    assert len(app.get("plotly_chart")) == 2
    assert any("seeds 0–4" in each.value for each in app.caption)
    assert any("labels" in each.value and "for scoring only" in each.value for each in app.markdown)
    before = app.dataframe[0].value
    assert len(before) > 40
    assert (before["ACC"].str.contains("±")).all()


def test_the_benchmarks_page_follows_what_is_chosen(runs: Path) -> None:
    app = benchmarks_page().run()
    app.segmented_control(key="bench-data").set_value("stripes").run()
    app.segmented_control(key="bench-read-out").set_value("gmm_").run()
    assert not app.exception
    assert app.dataframe[0].value.iloc[0]["method"] == "Spectral clustering", "which leads on stripes, not on digits"


def test_what_papers_report_stands_beside_what_was_measured_on_the_same_data(runs: Path) -> None:
    app = benchmarks_page().run()
    assert "published ACC" not in app.dataframe[0].value  # digits: no paper reports them
    app.segmented_control(key="bench-data").set_value("usps").run()
    table = app.dataframe[0].value.set_index(["method", "joined by"])["published ACC"]
    assert table["DCN", "alone"] == "0.688 to 0.699"
    assert table["DCN", "with ACAI"] == table["RIM", "alone"] == "–"


def written(folder: Path, name: str, cells: Sequence[dict[str, object]]) -> None:
    """Write a table with its protocol, as ``clustlab bench`` would."""
    cells = [{"method": "kmeans", "extensions": "none", "data": "plain", "state": "finished", **cell} for cell in cells]
    lines = [",".join(str(cell.get(column, "")) for column in HEADER) for cell in cells]
    (folder / f"{name}.csv").write_text("\n".join([",".join(HEADER), *lines]))
    (folder / f"{name}.protocol.json").write_text(json.dumps({"seeds": "as told"}))


def shown(data: str) -> AppTest:
    app = benchmarks_page().run()
    return app.segmented_control(key="bench-data").set_value(data).run()


@pytest.mark.parametrize(
    ("seeds", "told"),
    [((0, 3, 7), "seeds 0, 3, 7,"), ((2, 3, 4), "seeds 2–4,"), ((0, 1), "seeds 0–1,"), ((5,), "seed 5 only,")],
)
def test_only_seeds_without_a_gap_are_told_as_a_range(runs: Path, seeds: tuple[int, ...], told: str) -> None:
    written(runs, "own", [{"seed": seed, "acc": 0.5} for seed in seeds])
    assert told in shown("plain (own.csv)").caption[0].value


def test_a_run_in_the_table_opens_on_the_first_page(record: Callable[..., Run], runs: Path) -> None:
    run = record()
    written(runs, "own", [{"seed": 0, "acc": 0.5, "run": run.name}, {"seed": 1, "acc": 0.5, "run": "elsewhere"}])
    (here, gone) = shown("plain (own.csv)").dataframe[1].value["open"]
    assert urljoin("http://localhost/benchmarks", here) == f"http://localhost/?run={run.name}"
    assert pd.isna(gone)


def test_data_without_classes_are_in_the_table_with_what_was_measured(runs: Path) -> None:
    written(runs, "own", [{"seed": seed, "silhouette": width} for seed, width in enumerate((0.2, 0.4))])
    app = shown("plain (own.csv)")
    assert not app.exception
    (row,) = app.dataframe[0].value.to_dict("records")
    assert (row["method"], row["ACC"], row["silhouette"], row["seeds"]) == ("k-means", "–", "0.300 ± 0.141", 2)
    assert any("no classes to find in these data" in each.value for each in app.caption)
    assert not app.get("plotly_chart")


def test_methods_that_lack_a_score_keep_their_place_in_the_table(runs: Path) -> None:
    cells = [
        {"method": "gmm", "acc": 0.5},
        {"method": "spectral", "silhouette": 0.9},
        {"acc": 0.7},
        {"method": "dec", "steps": 3},
    ]
    written(runs, "own", [{"seed": 0, **cell} for cell in cells])
    table = shown("plain (own.csv)").dataframe[0].value
    assert list(table["ACC"]) == ["0.700", "0.500", "–", "–"]
    assert list(table["silhouette"]) == ["–", "–", "0.900", "–"]


def test_without_a_table_the_page_says_how_to_write_one_that_it_finds(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clustlab.bench.results._ours", lambda: runs / "none of ours")
    (told,) = benchmarks_page().run().info
    assert f"--out {runs / 'bench.csv'}" in told.value
