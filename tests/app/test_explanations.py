"""The row of explanations: what any run has stands in it, what a method observes of itself behind one entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from clustlab.runs import Run
from clustlab.runs.writer import RunWriter
from clustlab.views import PANELS

TITLES = {panel.title for panel in PANELS if panel.inside}


def watched(app: AppTest) -> str:
    """Return the question above the figure that the page shows."""
    return str(app.subheader[-1].value)


def row(app: AppTest, key: str) -> Any:
    return (app.segmented_control if key == "panel" else app.pills)(key=f"session-{key}")


@pytest.fixture
def app(record: Callable[..., Run]) -> AppTest:
    def script() -> None:
        from clustlab.app.pages import laboratory

        laboratory.page()

    run = record()
    place = {"step": 150, "phase": "pretrain", "phase_step": 150}
    arrays = run.frames[-1].arrays | {"critic_calibration": np.zeros((4, 2), np.float16)}
    RunWriter(run.folder).frame(place | {"metrics": {"silhouette": 0.5}, "values": {}, "terms": {}}, arrays)
    app = AppTest.from_function(script, default_timeout=60)
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
