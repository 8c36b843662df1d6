"""What all figures share: a quiet template that takes its text colour from the page, axes, and small tools."""

from __future__ import annotations

import base64
import struct
import textwrap
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

__all__ = [
    "DIVERGING",
    "GRID",
    "SEQUENTIAL",
    "TEMPLATE",
    "axis",
    "bare_axis",
    "note",
    "png",
    "shorten",
    "styled",
    "thinned",
    "wrapped",
    "write_cells",
]

GRID = "rgba(128,128,128,0.22)"
LINE = "rgba(128,128,128,0.6)"

SEQUENTIAL = [[0.0, "rgba(25,130,200,0.03)"], [0.5, "rgba(25,130,200,0.6)"], [1.0, "rgb(25,130,200)"]]
"""From the page's own background to blue: nothing is nothing to see, on light and dark."""

DIVERGING = [[0.0, "rgb(0,114,178)"], [0.5, "rgba(128,128,128,0.06)"], [1.0, "rgb(213,94,0)"]]
"""Blue below zero, vermilion above, the page's background between."""

TEMPLATE = go.layout.Template(
    layout={
        "font": {"size": 14},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {"font": {"size": 14}, "align": "left"},
        "legend": {"font": {"size": 14}, "orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
        "xaxis": {"gridcolor": GRID, "zeroline": False, "linecolor": LINE, "automargin": True, "ticks": ""},
        "yaxis": {"gridcolor": GRID, "zeroline": False, "linecolor": LINE, "automargin": True, "ticks": ""},
        "annotationdefaults": {"font": {"size": 14}, "showarrow": False},
        "modebar": {"bgcolor": "rgba(0,0,0,0)"},
    }
)
"""No colour of text is set: the page gives one that fits its theme, and plotly's own dark grey is used elsewhere."""


def styled(figure: go.Figure, height: int, **layout: Any) -> go.Figure:
    """Give a figure the common template, a height in pixels, and what else is asked for; return it.

    ``uirevision`` never changes, so that zoom and hidden curves survive every new frame.
    """
    margin = {"l": 60, "r": 16, "t": 32, "b": 52} | layout.pop("margin", {})
    return figure.update_layout(template=TEMPLATE, height=height, uirevision="clustlab", margin=margin, **layout)


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """Return an axis with a title that says what is on it, in which unit."""
    return {"title": {"text": title, "font": {"size": 14}, "standoff": 6}, "tickfont": {"size": 14}} | more


def bare_axis(**more: Any) -> dict[str, Any]:
    """Return an axis without line, ticks and grid, for pictures."""
    return {"showgrid": False, "showticklabels": False, "zeroline": False, "showline": False, "title": ""} | more


def note(figure: go.Figure, text: str, **place: Any) -> None:
    """Write a line of text into a figure; by default at the top left of the drawing area."""
    where = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "align": "left"}
    figure.add_annotation(text=text, showarrow=False, font_size=14, **(where | place))


def write_cells(
    figure: go.Figure,
    values: np.ndarray,
    columns: Sequence[str],
    rows: Sequence[str],
    *,
    written: Callable[[Any], str] = str,
    shown: np.ndarray | None = None,
    **place: Any,
) -> None:
    """Write the values of a heat map into its cells.

    Parameters
    ----------
    figure : Figure
        Figure with the heat map.
    values : ndarray, shape (r, c)
    columns, rows : sequence of str
        Names of the columns and rows, as the heat map has them.
    written : callable
        How a value is written.
    shown : ndarray of bool, shape (r, c), optional
        Which cells; else those that are not zero.
    **place
        ``row`` and ``col`` of the subplot.
    """
    cells = np.argwhere(values if shown is None else shown).tolist()
    figure.add_scatter(
        x=[columns[j] for _, j in cells],
        y=[rows[i] for i, _ in cells],
        text=[written(values[i, j]) for i, j in cells],
        mode="text",
        textfont={"size": 14},
        hoverinfo="skip",
        showlegend=False,
        **place,
    )


def wrapped(*sentences: str, width: int = 50) -> tuple[str, int]:
    """Return sentences as lines that fit the narrowest figure, for :func:`note`, and the pixels they are high."""
    lines = [line for sentence in sentences for line in textwrap.wrap(sentence, width)]
    return "<br>".join(lines), 19 * len(lines) + 8


def thinned(n: int, at_most: int) -> np.ndarray:
    """Return at most so many positions evenly spread over 0 … n − 1, int64; all of them if n is small."""
    return np.unique(np.linspace(0, n - 1, min(n, at_most)).round().astype(np.int64)) if n else np.empty(0, np.int64)


def shorten(value: float) -> str:
    """Return a number as short as it can be read: 0.0213, 1.3e-05, 12.4."""
    return f"{value:.3g}"


def png(pixels: np.ndarray) -> str:
    """Return an image (h, w), (h, w, 3) or (h, w, 4), uint8, as the source of an ``<img>``: a PNG in a data URI."""
    height, width = pixels.shape[:2]
    kind = {2: 0, 3: 2, 4: 6}[2 if pixels.ndim == 2 else pixels.shape[2]]
    rows = pixels.reshape(height, -1)
    raw = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(raw, 6)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + body).decode()
