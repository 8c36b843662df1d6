"""Figures of several runs: one line a run, counterparts on the diagonal, a row of pictures a run."""

from __future__ import annotations

import numpy as np
from figure_helpers import texts

from clustlab.figures.agreement import agreement
from clustlab.figures.compared_curves import RUN_LINES, compared_curves
from clustlab.figures.compared_strips import compared_strips
from clustlab.views.compared_figures import UNITS, WITH_CLASSES, WITHOUT


def test_a_run_has_one_colour_and_dash_in_all_panels_and_one_entry_in_the_legend() -> None:
    series = (np.array([0.0, 1.0]), np.array([0.2, 0.8]))
    figure = compared_curves({"ACC": [series, series], "NMI": [None, series]}, ["A  one", "B  two"], at=0.5, share=True)
    assert [(each.name, each.showlegend) for each in figure.data] == [
        ("A  one", True),
        ("B  two", True),
        ("B  two", False),
    ]
    second = [each for each in figure.data if each.name == "B  two"]
    assert {(each.line.color, each.line.dash) for each in second} == {RUN_LINES[1]}
    assert len({dash for _, dash in RUN_LINES}) == len(RUN_LINES)
    assert [shape.x0 for shape in figure.layout.shapes] == [0.5, 0.5]


def test_every_panel_says_what_its_axis_counts() -> None:
    series = (np.array([0.0, 1.0]), np.array([0.2, 0.8]))
    scores = {name: [series] for name in ("ACC", "rank", "NMI", "ARI")}
    figure = compared_curves(scores, ["A"], units={"ACC": "0 … 1", "ARI": "0 … 1", "rank": "directions"})
    titles = [figure.layout[name].title.text for name in ("yaxis", "yaxis2", "yaxis3", "yaxis4")]
    assert titles == ["0 … 1", "directions", "", "0 … 1"]
    assert set(UNITS) == {*WITH_CLASSES.values(), *WITHOUT.values()}, "what the page shows"


def test_counterparts_lie_on_the_diagonal() -> None:
    counts = np.array([[0, 9], [8, 1], [2, 0]])
    figure = agreement([counts], [np.array([1, 0, 2])], ["B"], "A")
    assert figure.data[0].z.tolist() == [[8, 1], [0, 9], [2, 0]]
    assert list(figure.data[0].y) == ["1", "0", "2"]
    assert "85.0% lie in counterparts" in texts(figure)


def test_strips_of_a_pair_stand_one_under_the_other() -> None:
    strips = [np.full((2, 3, 4, 4), value, np.float16) for value in (0.2, 0.9)]
    labels = [np.zeros((2, 3), np.int64), np.ones((2, 3), np.int64)]
    ends = np.zeros((2, 2, 4, 4), np.uint8)
    figure = compared_strips(strips, np.linspace(0, 1, 3), ["A", "B"], labels=labels, ends=ends)
    pictures = [each for each in figure.data if each.type == "image"]
    assert len(pictures) == 2
    assert list(figure.layout.yaxis.ticktext) == ["A", "B", "A", "B"]
    assert list(figure.layout.yaxis.tickvals) == sorted(figure.layout.yaxis.tickvals)
    assert pictures[1].y0 > figure.layout.yaxis.tickvals[1]
    assert list(figure.layout.xaxis.ticktext) == ["real", "α = 0", "α = ½", "α = 1", "real"]
