"""The compare page through Streamlit's own test runner: what it says in every state, and what differs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clustlab.runs import Run

GOLDEN = Path(__file__).parents[1] / "golden" / "idec-acai-digits"


def compare_page(link: str = "") -> AppTest:
    def script() -> None:
        from clustlab.app.pages import compare

        compare.page()

    app = AppTest.from_function(script, default_timeout=60)
    if link:
        app.query_params["runs"] = link
    return app


@pytest.fixture
def pair(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs that differ in a weight, and no examples."""
    monkeypatch.setattr("clustlab.app.pages.compare.example_runs", lambda: runs / "no examples")
    for name in ("first", "second"):
        shutil.copytree(GOLDEN, runs / name)
    spec = runs / "second" / "spec.json"
    content = json.loads(spec.read_text())
    spec.write_text(json.dumps({**content, "options": {"cluster_weight": 0.7}, "data": "<b>digits</b>"}))
    return runs


def differences(app: AppTest) -> str:
    return "".join(each.proto.body for each in app.get("html"))


def test_without_two_runs_it_says_what_to_do(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustlab.app.pages.compare.example_runs", lambda: runs / "no examples")
    app = compare_page().run()
    assert not app.exception
    assert "Two runs are needed" in app.info[0].value


@pytest.mark.parametrize(("link", "wanted"), [("", "two to four runs"), ("first", "at least one more run")])
def test_with_too_few_chosen_it_asks_for_more(pair: Path, link: str, wanted: str) -> None:
    app = compare_page(link).run()
    assert not app.exception
    assert wanted in app.info[0].value


def test_a_run_that_is_gone_is_named_and_the_others_stay(pair: Path) -> None:
    app = compare_page("first,nobody,second").run()
    assert not app.exception
    assert ["no run “nobody”" in each.value for each in app.error] == [True]
    assert app.multiselect(key="compared-runs").value == ["first", "second"]
    assert "clustlab-differences" in differences(app)


def test_what_differs_is_a_table_and_texts_are_no_markup(pair: Path) -> None:
    app = compare_page("first,second").run()
    assert not app.exception
    table = differences(app)
    assert '<th scope="row">cluster weight</th><td>0.1</td><td>0.7</td>' in table
    assert "&lt;b&gt;digits&lt;/b&gt;" in table
    assert "<b>" not in table


def test_where_nothing_differs_it_says_so(pair: Path) -> None:
    shutil.copytree(GOLDEN, pair / "third")
    app = compare_page("first,third").run()
    assert not app.exception
    assert any("In nothing that can be set" in each.value for each in app.markdown)
    assert any("same computer" in each.value for each in app.caption)


def test_what_is_chosen_stands_in_the_link(pair: Path) -> None:
    app = compare_page("first").run()
    app.multiselect(key="compared-runs").set_value(["first", "second"]).run()
    assert not app.exception
    assert app.query_params["runs"] in ("first,second", ["first,second"])
    assert not app.info


def test_five_runs_are_too_many(pair: Path) -> None:
    for name in ("third", "fourth", "fifth"):
        shutil.copytree(GOLDEN, pair / name)
    app = compare_page("first,second,third,fourth,fifth").run()
    assert not app.exception
    assert "first four of 5" in app.warning[0].value


def test_ticked_runs_can_be_compared(record: Callable[..., Run]) -> None:
    def script() -> None:
        from clustlab.app.pages import runs

        runs.page()

    first, second = record(name="first"), record(name="second")
    app = AppTest.from_function(script, default_timeout=60).run()
    assert app.button(key="compare-ticked").disabled
    app.checkbox(key=f"compared-tick-{first.name}").check().run()
    assert app.button(key="compare-ticked").disabled
    app.checkbox(key=f"compared-tick-{second.name}").check().run()
    assert not app.exception
    assert not app.button(key="compare-ticked").disabled
    assert any("2 runs ticked" in each.value for each in app.caption)


@pytest.mark.parametrize("lost", ["frames.jsonl", "scalars.jsonl", "result.npz"])
def test_a_damaged_run_is_a_sentence_beside_a_whole_one(pair: Path, lost: str) -> None:
    (pair / "second" / lost).write_bytes(b"\0\n")
    app = compare_page("first,second").run()
    assert not app.exception
    assert all(f"second/{lost} is damaged" in each.value for each in app.error)
