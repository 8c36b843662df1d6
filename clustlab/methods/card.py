"""What a person should know of a method or an extension: its card, and the figures that others published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Card", "Published"]


@dataclass(frozen=True)
class Published:
    """A published figure, as fractions; ``source`` says who printed it, and what was different there."""

    data: str
    source: str
    acc: float | None = None
    nmi: float | None = None
    ari: float | None = None


@dataclass(frozen=True)
class Card:
    """What a person should know about a method or extension before using it.

    Attributes
    ----------
    title, paper, idea : str
        Name, reference, and the idea in one sentence.
    objective : str
        LaTeX.
    symbols : mapping of LaTeX to str
        Every letter of the objective, in the order in which a reader meets them.
    look_for : str
        What to watch while it trains.
    algorithm : tuple of str
        The steps, one sentence each; Markdown with LaTeX.
    pitfalls : tuple of str
        What goes wrong, how one sees it, and what guards against it here.
    deviations : tuple of str
        Where our defaults differ from the paper, and why.
    paper_settings : mapping of str to mapping
        Parts of a spec (``options``, ``network``, ``training``) with which a run is as near to the paper as options can
        bring it, where defaults are smaller because most data here are.
    published : tuple of Published
    """

    title: str
    paper: str
    idea: str
    objective: str
    symbols: Mapping[str, str] = field(default_factory=dict)
    look_for: str = ""
    algorithm: tuple[str, ...] = ()
    pitfalls: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    paper_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
