"""The lessons page through Streamlit's own test runner: every lesson is there, and its buttons lead where they say."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from clustlab.app.state import FIRST_EXAMPLE, current_run
from clustlab.lessons import Lesson, lessons
from clustlab.spec import RunSpec

SECONDS = 60


def lessons_page(name: str = "") -> AppTest:
    def script() -> None:
        import streamlit as st

        from clustlab.app.components import training_form
        from clustlab.app.pages import lessons

        if "at-form" in st.session_state:
            st.session_state["asked"] = training_form.show()
        else:
            lessons.page()

    app = AppTest.from_function(script, default_timeout=SECONDS)
    app.session_state["session-laboratory"] = "laboratory"
    if name:
        app.query_params["lesson"] = name
    return app


def components(app: AppTest) -> list[str]:
    """Runs and frames that the live parts of the page are asked to show, as they are written into their places."""
    return [str(each.proto) for each in app.get("bidi_component")]


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_every_lesson_opens_on_its_run(runs: Path, lesson: Lesson) -> None:
    app = lessons_page(lesson.name).run()
    assert not app.exception
    assert not app.error
    assert app.header[0].value == lesson.title
    text = "\n".join(each.value for each in app.markdown)
    assert lesson.text in text
    assert all(question.ask in text and question.answer in text for question in lesson.questions)
    assert [each.label for each in app.expander] == ["The answer", "The answer"]
    shown = [each for each in components(app) if lesson.view.run in each]
    assert len(shown) == 3, "map, explanation and time line"
    assert list(runs.iterdir()) == [], "a recorded run is read where it lies"


def test_the_link_says_which_lesson_is_open(runs: Path) -> None:
    app = lessons_page("no such lesson").run()
    assert app.header[0].value == lessons()[0].title
    app.button(key="lesson-critic").click().run()
    assert not app.exception
    assert app.header[0].value == "The critic"
    assert app.query_params["lesson"] in ("critic", ["critic"])


def test_an_answer_is_tried_on_the_spot(runs: Path) -> None:
    app = lessons_page("q-and-p").run()
    lesson = next(each for each in lessons() if each.name == "q-and-p")
    look = lesson.questions[0].look
    assert look is not None
    app.button(key="lesson-try-q-and-p-0").click().run()
    assert not app.exception
    (chosen,) = app.get("button_group")
    assert chosen.value == look.panels[0]
    assert [each.label for each in app.button if "Back" in each.label] == ["Back to the beginning"]
    app.button(key="lesson-try-q-and-p-1").click().run()
    assert app.get("button_group")[0].value == "reconstructions"
    next(each for each in app.button if "Back" in each.label).click().run()
    assert app.get("button_group")[0].value == "p-and-q"


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_train_it_yourself_fills_the_form(runs: Path, lesson: Lesson) -> None:
    app = lessons_page(lesson.name)
    app.run()
    app.button(key="lesson-train").click()
    with patch("streamlit.switch_page") as opened:
        app.run()
    assert opened.call_args.args == ("laboratory",)
    assert asked_for(app) == lesson.specs[0]


def test_an_answer_is_tried_by_training(runs: Path) -> None:
    app = lessons_page("critic").run()
    app.button(key="lesson-try-critic-1").click()
    with patch("streamlit.switch_page"):
        app.run()
    assert asked_for(app).extensions == {"acai": {"critic_weight": 0.0}}


def test_a_lesson_opens_in_the_laboratory_at_its_frame(runs: Path) -> None:
    app = lessons_page("q-and-p").run()
    app.button(key="lesson-open").click()
    with patch("streamlit.switch_page") as opened:
        app.run()
    assert opened.call_args.kwargs["query_params"] == {"run": "dec-digits", "frame": "23"}
    assert app.session_state["session-wanted"] == "p-and-q"


def test_a_run_that_is_gone_is_a_sentence(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustlab.app.access.example_runs", lambda: runs / "no examples")
    app = lessons_page().run()
    assert not app.exception
    assert ["cannot be shown" in each.value for each in app.error] == [True]


def test_who_has_trained_nothing_sees_the_same_run_in_the_laboratory_as_ever(runs: Path) -> None:
    with patch("streamlit.query_params", {}):
        run = current_run()
    assert run is not None
    assert run.name == FIRST_EXAMPLE


def asked_for(app: AppTest) -> RunSpec:
    """The spec that the laboratory's form holds after the page has filled it."""
    app.session_state["at-form"] = True
    app.run()
    assert not app.exception
    next(each for each in app.button if each.label == "Train").click().run()
    spec: RunSpec = app.session_state["asked"]
    return spec
