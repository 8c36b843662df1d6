"""The lessons page: the ideas of the field in order, each a short text beside a recorded run that one can touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from clustlab import views
from clustlab.app.access import find_example
from clustlab.app.components import explanation, latent_canvas, timeline
from clustlab.app.state import Link, Session, remember, show_in_form
from clustlab.errors import ClustlabError
from clustlab.lessons import Lesson, Question, View, lessons
from clustlab.runs import Run

__all__ = ["page"]

HEIGHT = 300
"""Pixels of the map."""


class Trial(NamedTuple):
    """An answer that is being tried: of which lesson and question; turns count all that were tried."""

    lesson: str
    question: int
    turn: int


def page() -> None:
    """Draw the page."""
    everything = lessons()
    chosen = _choose(everything)
    trial = _trial(chosen)
    looked_at = (chosen.questions[trial.question].look if trial else None) or chosen.view
    text, stage = st.columns([5, 7], gap="large")
    with text, st.container(key="lesson-text"):
        _text(chosen)
    with stage, st.container(key="lesson-stage"):
        try:
            run = find_example(looked_at.run)
            _stage(run, looked_at, chosen, back=trial is not None)
        except ClustlabError as error:
            st.error(f"The run of this lesson cannot be shown: {error}.", icon=":material/error:")
            return
    with st.container(key="time"):
        timeline.show(
            run.name,
            frame=looked_at.frame,
            select=looked_at.select,
            autoplay=looked_at.frame is None,
            key=f"timeline-{chosen.name}-{trial.turn if trial else 0}",  # a new one goes where it is told to
            scope=chosen.name,
        )


def _choose(everything: Sequence[Lesson]) -> Lesson:
    """Offer the lessons in order; the link says which one is open."""
    by_name = {lesson.name: lesson for lesson in everything}
    chosen = by_name.get(st.query_params.get(Link.LESSON, ""), everything[0])
    with st.container(key="lesson-list", horizontal=True, gap="small"):
        for number, lesson in enumerate(everything, 1):
            st.button(
                f"{number}. {lesson.title}",
                key=f"lesson-{lesson.name}",
                type="secondary" if lesson is chosen else "tertiary",
                on_click=_open,
                args=(lesson.name,),
            )
    return chosen


def _open(name: str) -> None:
    st.query_params[Link.LESSON] = name
    st.session_state.pop(Session.TRIED, None)


def _trial(lesson: Lesson) -> Trial | None:
    """Return the answer that is being tried in this lesson."""
    trial: Trial | None = st.session_state.get(Session.TRIED)
    return trial if trial is not None and trial.lesson == lesson.name else None


def _text(lesson: Lesson) -> None:
    st.header(lesson.title)
    st.markdown(f"**{lesson.idea}**")
    st.markdown(lesson.text)
    with st.container(horizontal=True, gap="small"):
        if st.button("Train it yourself", type="primary", icon=":material/science:", key="lesson-train"):
            _go_and_train(lesson.train)
        if st.button("Open it in the laboratory", icon=":material/open_in_full:", key="lesson-open"):
            _go_and_look(lesson.view)
    st.subheader("Two questions")
    for number, question in enumerate(lesson.questions):
        _question(lesson, number, question)


def _question(lesson: Lesson, number: int, question: Question) -> None:
    st.markdown(f"{number + 1}. {question.ask}")
    key = f"lesson-try-{lesson.name}-{number}"
    if question.train is not None:
        if st.button(question.action, key=key, icon=":material/science:"):
            _go_and_train(question.train)
    else:
        st.button(question.action, key=key, icon=":material/visibility:", on_click=_try, args=(lesson.name, number))
    with st.expander("The answer", key=f"{key}-answer"):
        st.markdown(question.answer)


def _try(lesson: str, question: int) -> None:
    before = st.session_state.get(Session.TRIED)
    st.session_state[Session.TRIED] = Trial(lesson, question, before.turn + 1 if before else 1)


def _go_and_train(content: Mapping[str, Any]) -> None:
    show_in_form(content["method"], content)
    st.switch_page(st.session_state[Session.LABORATORY])


def _go_and_look(view: View) -> None:
    remember(Session.WANTED, view.panels[0])
    at = {} if view.frame is None else {str(Link.FRAME): str(view.frame)}
    st.switch_page(st.session_state[Session.LABORATORY], query_params={str(Link.RUN): view.run, **at})


def _stage(run: Run, view: View, lesson: Lesson, *, back: bool) -> None:
    """Show the map and the explanations of a recorded run, first what the lesson is about."""
    with st.container(key="lesson-head", horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Recorded: {run.title}", width="content")
        if back:
            st.button(
                "Back to the beginning",
                key="lesson-back",
                icon=":material/undo:",
                type="tertiary",
                on_click=_open,
                args=(lesson.name,),
            )
    parts = (_explanation, _map) if lesson.explanation_first else (_map, _explanation)
    for part in parts:
        part(run, view, lesson)


def _map(run: Run, _view: View, lesson: Lesson) -> None:
    st.subheader("Where do the samples live?")
    latent_canvas.show(run.name, HEIGHT, scope=lesson.name)


def _explanation(run: Run, view: View, lesson: Lesson) -> None:
    """Let the person choose among the explanations of the lesson, and show it."""
    panels = {panel["name"]: panel for panel in views.panels(run)}
    chosen = view.panels[0]
    if len(view.panels) > 1:
        # Named by what is offered, so that another view opens its own first explanation.
        chosen = st.segmented_control(
            "Explanation",
            view.panels,
            default=chosen,
            format_func=lambda name: str(panels[name]["title"]),
            required=True,
            key=f"{Session.LESSON_PANEL}-{lesson.name}-{run.name}-{'-'.join(view.panels)}",
            label_visibility="collapsed",
        )
    explanation.show(run, panels[chosen], scope=lesson.name)
