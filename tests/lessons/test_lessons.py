"""Every lesson can be held: its run is there, its explanations can be drawn, and what it offers to train can run."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from clustlab import views
from clustlab.data.assets import assets_folder
from clustlab.launch.submit import check
from clustlab.lessons import Lesson, LessonError, lessons, parse
from clustlab.runs import Run

WHOLE = """+++
title = "A title"
order = 1
idea = "An idea."
train = { method = "kmeans" }
[view]
run = "kmeans-stripes"
panels = ["curves"]
[[questions]]
ask = "Why?"
action = "Try"
answer = "Because."
train = { method = "kmeans" }
[[questions]]
ask = "How?"
action = "Look"
answer = "So."
look = { run = "kmeans-stripes", panels = ["curves"], frame = 0 }
+++
A text.
"""


def run_of(name: str) -> Run:
    return Run(assets_folder() / "runs" / name)


def test_the_lessons_are_in_order_and_named_apart() -> None:
    found = lessons()
    assert len(found) >= 4
    assert [lesson.order for lesson in found] == [*range(1, len(found) + 1)]
    assert len({lesson.name for lesson in found}) == len({lesson.title for lesson in found}) == len(found)
    assert all(re.fullmatch(r"[a-z0-9-]+", lesson.name) for lesson in found)


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_what_a_lesson_shows_was_recorded(lesson: Lesson) -> None:
    for look in lesson.looks:
        run = run_of(look.run)
        assert run.state == "finished"
        assert look.frame is None or look.frame < len(run.frames)
        known = {panel["name"]: panel for panel in views.panels(run, -1 if look.frame is None else look.frame)}
        assert set(look.panels) <= known.keys()
        assert all(known[name]["available"] for name in look.panels), "where it is shown, each has something to show"
        assert not look.select or int(look.select) < len(run.sample["index"])


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_its_first_explanation_can_be_drawn(lesson: Lesson) -> None:
    for look in lesson.looks:
        run, frame = run_of(look.run), -1 if look.frame is None else look.frame
        figure = views.draw(run, look.panels[0], frame, int(look.select) if look.select else None)
        assert len(figure.data) > 0


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_what_a_lesson_offers_to_train_can_run(lesson: Lesson) -> None:
    assert len(lesson.specs) >= 1
    for spec in lesson.specs:
        check(spec)


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_a_recorded_run_has_what_a_map_needs_and_nothing_of_where_it_was_made(lesson: Lesson) -> None:
    for look in lesson.looks:
        run = run_of(look.run)
        assert run.status["host"] == "example"
        assert not run.folder.path.joinpath("checkpoints").exists()
        projected = {path.parent.name for path in run.folder.path.glob("cache/*/projection.json")}
        assert projected & {"plane", "umap"}, "a first look must not wait for a projection"


def test_train_it_yourself_trains_the_like_of_what_is_shown() -> None:
    for lesson in lessons():
        shown, offered = run_of(lesson.view.run).spec, lesson.specs[0]
        if lesson.name == "autoencoder":  # of whose run only the pretraining is looked at
            assert (shown.network, shown.data) == (offered.network, offered.data)
            continue
        same = {"method", "data", "options", "network", "n_clusters", "seed"}
        assert offered.model_dump(include=same) == shown.model_dump(include=same)
        assert offered.extensions.keys() == shown.extensions.keys()


def test_a_lesson_is_parsed() -> None:
    lesson = parse("name", WHOLE)
    assert (lesson.name, lesson.text, lesson.questions[1].ask) == ("name", "A text.", "How?")
    assert replace(lesson, text="Other.").text == "Other."


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("+++\ntitle", "title", "must begin with"),
        ('title = "A title"\n', "", "“title” is missing"),
        ("order = 1", "order = 0", "too small"),
        ("order = 1", "order = ", "no TOML"),
        ("[view]", "colour = 1\n[view]", "colour"),
        (
            'answer = "Because."\ntrain = { method = "kmeans" }',
            'answer = "Because."',
            "either by a look or by training",
        ),
        ("A text.", "", "cannot be shown"),
    ],
)
def test_a_file_that_is_not_of_the_form_wanted_is_refused_in_a_sentence(old: str, new: str, told: str) -> None:
    assert old in WHOLE
    with pytest.raises(LessonError, match=told) as caught:
        parse("name", WHOLE.replace(old, new, 1))
    assert "\n" not in str(caught.value).strip()
