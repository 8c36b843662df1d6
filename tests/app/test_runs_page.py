"""The runs page through Streamlit's own test runner: what it lists, what it says of damage, what a deletion leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from clustlab.runs import Run, list_runs
from clustlab.runs.deletion import delete_run

SECONDS = 60


def runs_page() -> AppTest:
    def script() -> None:
        from clustlab.app.pages import runs

        runs.page()

    return AppTest.from_function(script, default_timeout=SECONDS)


def button(app: AppTest, label: str) -> object:
    return next(each for each in app.button if each.label == label)


def test_the_runs_page_lists_and_filters_and_asks_before_deleting(record: Callable[..., Run]) -> None:
    record(name="keep")
    gone = record(name="gone")
    app = runs_page().run()
    assert not app.exception
    assert {each.label for each in app.button} >= {"Open", "Delete"}
    app.button(key=f"delete-{gone.name}").click().run()
    assert any("then it is gone for good" in each.value for each in app.markdown)
    assert gone.folder.path.exists()
    app.text_input(key="runs-filter").set_value("no such run").run()
    assert any("No run matches" in each.value for each in app.caption)


def test_of_many_runs_the_latest_are_drawn_and_the_others_are_a_button_away(
    record: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clustlab.app.pages.runs.PORTION", 2)
    names = [record(name=f"run-{number}").name for number in range(5)]
    app = runs_page().run()
    drawn = [each.key.removeprefix("open-") for each in app.button if each.key and each.key.startswith("open-")]
    assert drawn == names[:-3:-1]
    assert any("2 of 5 runs" in each.value for each in app.caption)
    button(app, "Show 2 more").click().run()  # type: ignore[attr-defined]
    button(app, "Show 1 more").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    assert {f"open-{name}" for name in names} <= {each.key for each in app.button}
    assert not [each.label for each in app.button if "more" in each.label]


def test_a_tick_outlives_a_filter_that_hides_its_run(record: Callable[..., Run]) -> None:
    first, second = record(name="first"), record(name="second")
    app = runs_page().run()
    for run in (first, second):
        app.text_input(key="runs-filter").set_value(run.name).run()
        app.checkbox(key=f"compared-tick-{run.name}").check().run()
    assert not app.button(key="compare-ticked").disabled
    app.text_input(key="runs-filter").set_value("").run()
    assert [app.checkbox(key=f"compared-tick-{run.name}").value for run in (first, second)] == [True, True]
    button(app, "Untick all").click().run()  # type: ignore[attr-defined]
    assert [app.checkbox(key=f"compared-tick-{run.name}").value for run in (first, second)] == [False, False]
    assert app.button(key="compare-ticked").disabled


def test_names_in_a_row_are_texts_and_never_markup(record: Callable[..., Run]) -> None:
    run = record()
    about = run.folder.about
    about.write_text(about.read_text().replace("IDEC on digits", "<b>bold</b> & brave"))
    app = runs_page().run()
    rows = "".join(each.proto.body for each in app.get("html"))
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; brave" in rows
    assert "<b>" not in rows


@pytest.mark.parametrize("lost", ["result.npz", "frames.jsonl"])
def test_the_runs_page_lists_a_damaged_run_among_the_others(record: Callable[..., Run], lost: str) -> None:
    whole, damaged = record(), record()
    (damaged.folder.path / lost).write_bytes(b"\0\n")
    app = runs_page().run()
    assert not app.exception
    assert not app.error
    rows = [each.proto.body for each in app.get("html")]
    (of_whole,) = [row for row in rows if f"{whole.name} ·" in row]
    (of_damaged,) = [row for row in rows if f"{damaged.name} ·" in row]
    assert ">finished<" in of_whole
    assert ">damaged<" in of_damaged
    assert f'title="the file {damaged.name}/{lost} is damaged' in of_damaged
    app.button(key=f"delete-{damaged.name}").click().run()
    assert not app.exception
    assert any("then it is gone for good" in each.value for each in app.markdown)


def test_the_runs_page_says_what_to_do_when_there_is_nothing(runs: Path) -> None:
    app = runs_page().run()
    assert not app.exception
    assert "Train one in the laboratory" in app.info[0].value


def test_a_deleted_run_is_brought_back_by_undo(record: Callable[..., Run], runs: Path) -> None:
    run = record()
    delete_run(run)  # what the dialog does, which the test runner cannot press a button in
    app = runs_page().run()
    assert "Train one in the laboratory" in app.info[0].value
    app.button(key="undo-delete").click().run()
    assert not app.exception
    assert [each.name for each in list_runs(runs)] == [run.name]
    assert "undo-delete" not in [each.key for each in app.button]


def test_buttons_that_are_icons_on_narrow_pages_have_a_help(record: Callable[..., Run]) -> None:
    run, live = record(), record(state="running")
    app = runs_page().run()
    for word in ("Open", "Delete"):
        assert app.button(key=f"{word.lower()}-{run.name}").help.startswith(word)
    (zips,) = {each.proto.help for each in app.get("download_button")}
    assert zips.startswith("Zip")
    assert "stop it first" in app.button(key=f"delete-{live.name}").help


@pytest.mark.parametrize(
    "wrong",
    [
        {"wall_s": "x"},
        {"wall_s": float("nan")},
        {"started": 3},
        {"error": ["no text"]},
        {"error": None},
        {"state": {}},
        {"step": "7"},
        {"state": "running", "heartbeat": 5},
        {"state": "running", "heartbeat": "yesterday"},
        {"state": "running", "pid": "x"},
    ],
    ids=str,
)
def test_a_status_that_makes_no_sense_is_a_damaged_run_among_the_others(
    record: Callable[..., Run], wrong: dict[str, Any]
) -> None:
    whole, damaged = record(), record()
    status = damaged.folder.status
    status.write_text(json.dumps(json.loads(status.read_text()) | wrong))
    app = runs_page().run()
    assert not app.exception
    rows = [each.proto.body for each in app.get("html")]
    assert any(f"{whole.name} ·" in row and ">finished<" in row for row in rows)
    (row,) = [row for row in rows if f"{damaged.name} ·" in row]
    assert ">damaged<" in row
    assert f"{damaged.name}/status.json is damaged (in {list(wrong)[-1]})" in row
