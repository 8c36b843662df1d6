"""The ideas of the field in order, one Markdown file a lesson: a text, a recorded run to look at, and two questions.

Above the text, between two lines ``+++``, stands in TOML what the page needs: which recorded run (of ``assets/runs``)
at which frame and with which explanations, which spec trains it, and how the answers to the questions are tried.
Nothing here draws or trains, and neither torch nor streamlit is needed. To add a lesson, copy ``k-means.md``, and
record its run as ``assets/README.md`` says; the page and the tests find it by its file.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from clustlab.errors import ClustlabError
from clustlab.spec import RunSpec, explain

__all__ = ["FENCE", "Lesson", "LessonError", "Question", "View", "lessons", "parse"]

FENCE = "+++\n"
"""Stands before and after what the page needs."""

STRICT = ConfigDict(extra="forbid")


class LessonError(ClustlabError):
    """A lesson whose file is not of the form wanted."""


@dataclass(frozen=True, config=STRICT)
class View:
    """A moment of a recorded run.

    Attributes
    ----------
    run : str
        Name of its folder in ``assets/runs``.
    panels : tuple of str
        Explanations that are offered beside the map, the first one open.
    frame : int, optional
        Frame to begin at; without one the run plays from its beginning.
    select : str
        What is selected, as in a link: a position in the probe, a pair ``a~b``, a cluster ``c4``.
    """

    run: str
    panels: Annotated[tuple[str, ...], Field(min_length=1)]
    frame: Annotated[int, Field(ge=0)] | None = None
    select: str = ""


@dataclass(frozen=True, config=STRICT)
class Question:
    """A question, its answer, and how it is tried: by another look at a run, or by a run of one's own.

    Attributes
    ----------
    ask, answer : str
        Markdown.
    action : str
        What the button says that tries it.
    look : View, optional
        What the button shows.
    train : mapping, optional
        Parts of the spec with which the button fills the form.
    """

    ask: str
    answer: str
    action: str
    look: View | None = None
    train: Mapping[str, Any] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.look is None) == (self.train is None):
            raise ValueError("a question is tried either by a look or by training")
        return self


@dataclass(frozen=True, config=STRICT)
class Lesson:
    """One idea of the field.

    Attributes
    ----------
    name : str
        Name of its file, and what it is called in links.
    order : int
        Place among the lessons, from 1.
    title : str
    idea : str
        The lesson in a sentence.
    view : View
        What it opens with.
    train : mapping
        Parts of the spec that trains the like of it.
    questions : tuple of two Question
    text : str
        Markdown.
    explanation_first : bool
        Whether the explanation stands above the map, being what the lesson is about.
    """

    name: str
    order: Annotated[int, Field(ge=1)]
    title: str
    idea: str
    view: View
    train: Mapping[str, Any]
    questions: tuple[Question, Question]
    text: Annotated[str, Field(min_length=1)]
    explanation_first: bool = False

    @property
    def specs(self) -> list[RunSpec]:
        """Every spec that the lesson offers to train."""
        offered = [self.train, *(question.train for question in self.questions)]
        return [RunSpec.parse(content) for content in offered if content is not None]

    @property
    def looks(self) -> list[View]:
        """Every moment that the lesson shows."""
        return [self.view, *(question.look for question in self.questions if question.look is not None)]


def parse(name: str, content: str) -> Lesson:
    """Return the lesson in the content of a file.

    Parameters
    ----------
    name : str
        Name of the file, without its ending.
    content : str

    Raises
    ------
    LessonError
        If something is missing, too much or of the wrong kind; in one sentence.
    """
    before, fence, rest = content.partition(FENCE)
    head, second, text = rest.partition(FENCE)
    if before or not fence or not second:
        raise LessonError(f"the lesson “{name}” must begin with what it shows, between two lines {FENCE.strip()}")
    try:
        lesson = TypeAdapter(Lesson).validate_python({**tomllib.loads(head), "name": name, "text": text.strip()})
    except tomllib.TOMLDecodeError as error:
        raise LessonError(f"what stands above the lesson “{name}” is no TOML: {error}") from error
    except ValidationError as error:
        raise LessonError(f"the lesson “{name}” cannot be shown: {explain(error)}") from error
    return lesson


@functools.cache
def lessons() -> tuple[Lesson, ...]:
    """Return all lessons in order.

    Raises
    ------
    LessonError
        If a file is not of the form wanted.
    """
    files = sorted(Path(__file__).parent.glob("*.md"))
    return tuple(sorted((parse(file.stem, file.read_text("utf-8")) for file in files), key=lambda each: each.order))
