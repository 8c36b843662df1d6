"""What tests of figures look for: traces by name, what is written, where arrows lead, the pixels of a raster."""

from __future__ import annotations

import base64
import io

import numpy as np
import plotly.graph_objects as go

__all__ = ["pieces", "pixels", "texts", "trace", "trace_of_texts"]


def trace(figure: go.Figure, name: str) -> go.Scatter:
    return next(each for each in figure.data if each.name == name)


def texts(figure: go.Figure) -> str:
    return " ".join(str(annotation.text).replace("<br>", " ") for annotation in figure.layout.annotations)


def pieces(arrows: go.Scatter) -> tuple[np.ndarray, np.ndarray]:
    """Return starts and ends (m, 2) of a trace of arrows."""
    path = np.stack([arrows.x, arrows.y], axis=1).reshape(-1, 3, 2)
    assert np.isnan(path[:, 2]).all()
    return path[:, 0], path[:, 1]


def pixels(figure: go.Figure, number: int = 0) -> np.ndarray:
    """Return the pixels of a figure's raster, by its number among them."""
    from PIL import Image

    source = [each.source for each in figure.data if each.type == "image"][number]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))


def trace_of_texts(figure: go.Figure) -> tuple[str, ...]:
    """Return what the first trace of texts prints."""
    return next(tuple(each.text) for each in figure.data if each.type == "scatter" and each.mode == "text")
