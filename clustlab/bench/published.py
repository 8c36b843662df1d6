"""What papers report on the data of a table: the figures on the cards of methods, each with its source."""

from __future__ import annotations

from clustlab import catalog
from clustlab.data.files import split_options

__all__ = ["published", "span"]

ALIKE = {"mnist": "MNIST", "usps": "USPS", "fashion-mnist": "Fashion-MNIST", "reuters10k": "Reuters-10k"}
"""Data of which papers print figures, by our name; MNIST stands for all of its 70,000 digits only."""


def published(data: str, score: str) -> dict[str, list[tuple[str, float]]]:
    """Return what is published on some data: source and figure, by method; methods without any have an empty list.

    Parameters
    ----------
    data : str
        A data source, or a file: one called ``mnist.npz`` is taken for MNIST.
    score : str
        ``acc``, ``nmi`` or ``ari``.
    """
    name = ALIKE.get(split_options(data)[0].stem.lower().replace("_", "-"))
    return {
        method: [
            (each["source"], each[score])
            for each in entry["card"]["published"]
            if each["data"] == name and each[score] is not None
        ]
        for method, entry in catalog.described()["methods"].items()
    }


def span(figures: list[tuple[str, float]]) -> str:
    """Return the least and the greatest of published figures in words; empty if there are none."""
    values = sorted(value for _, value in figures)
    if not values:
        return ""
    return f"{values[0]:.3f}" + (f" to {values[-1]:.3f}" if values[-1] > values[0] else "")
