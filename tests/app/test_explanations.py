"""The row of explanations: what any run has stands in it, what a method observes of itself behind one entry."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from clustlab.runs import Run
from clustlab.runs.writer import RunWriter
from clustlab.views import PANELS

TITLES = {panel.title for panel in PANELS if panel.inside}
GOLDEN = Path(__file__).parents[1] / "golden" / "idec-acai-digits"


def page() -> None:
    from clustlab.app.pages import laboratory

    laboratory.page()


def watched(app: AppTest) -> str:
    """Return the question above the figure that the page shows."""
    return str(app.subheader[-1].value)


def row(app: AppTest, key: str) -> Any:
    return (app.segmented_control if key == "panel" else app.pills)(key=f"session-{key}")


@pytest.fixture
def app(record: Callable[..., Run]) -> AppTest:
    run = record()
    place = {"step": 150, "phase": "pretrain", "phase_step": 150}
    arrays = run.frames[-1].arrays | {"critic_calibration": np.zeros((4, 2), np.float16)}
    RunWriter(run.folder).frame(place | {"metrics": {"silhouette": 0.5}, "values": {}, "terms": {}}, arrays)
    app = AppTest.from_function(page, default_timeout=60)
    app.query_params["run"] = run.name
    return app.run()


def test_inside_stands_last_among_what_any_run_has(app: AppTest) -> None:
    assert not app.exception
    titles = [option.content for option in row(app, "panel").proto.options]
    assert titles == ["Story", "Curves", "Confusion", "Flows", "Inside"]
    assert not TITLES & set(titles)


def test_inside_offers_what_the_run_recorded_and_keeps_the_choice(app: AppTest) -> None:
    row(app, "panel").set_value("inside").run()
    assert not app.exception
    assert [option.content for option in row(app, "inside").proto.options] == ["Vital signs", "Codes", "Critic"]
    assert watched(app) == "Is all well?"
    row(app, "inside").set_value("critic").run()
    assert watched(app) == "Can the critic tell how much is mixed in?"
    row(app, "panel").set_value("curves").run()
    assert watched(app) == "What is being minimised, and what comes of it?"
    row(app, "panel").set_value("inside").run()
    assert watched(app) == "Can the critic tell how much is mixed in?"


def test_two_samples_joined_on_the_map_open_what_lies_between_them(runs: Path) -> None:
    shutil.copytree(GOLDEN, runs / "kept-0001")
    app = AppTest.from_function(page, default_timeout=60)
    app.query_params["run"] = "kept-0001"
    row(app.run(), "panel").set_value("curves").run()
    app.session_state["session-wanted"] = "pair"  # as the map does when it is told of a pair
    assert watched(app.run()) == "What lies between these two samples?"
    row(app, "panel").set_value("curves").run()
    assert watched(app) == "What is being minimised, and what comes of it?", "once, and not for ever"


def test_where_nothing_can_lie_between_two_samples_the_explanation_stays(app: AppTest) -> None:
    row(app, "panel").set_value("curves").run()
    app.session_state["session-wanted"] = "pair"
    assert watched(app.run()) == "What is being minimised, and what comes of it?"


def test_a_run_is_offered_beside_its_sibling_where_there_is_one(runs: Path) -> None:
    shutil.copytree(GOLDEN, runs / "own-0001")
    app = AppTest.from_function(page, default_timeout=60)
    app.query_params["run"] = "own-0001"
    row(app.run(), "panel").set_value("interpolation").run()
    assert not app.toggle
    plain = shutil.copytree(GOLDEN, runs / "plain-0001")
    spec = json.loads((plain / "spec.json").read_text())
    (plain / "spec.json").write_text(json.dumps(spec | {"extensions": {}}))
    (toggle,) = app.run().toggle
    assert (toggle.label, toggle.value) == ("Beside the same run without ACAI", True)
    toggle.set_value(False).run()
    row(app, "panel").set_value("curves").run()
    assert not app.toggle
    row(app, "panel").set_value("interpolation").run()
    assert app.toggle[0].value is False, "as the person left it"
