"""Benchmarks drawn: what stands where."""

from __future__ import annotations

import numpy as np
import pytest

from clustlab.bench.results import Summary
from clustlab.figures.benchmark import changes, changes_by_data, ranking


def test_the_best_method_stands_at_the_top_and_one_seed_has_no_bar() -> None:
    alone = {name: Summary(name, "none", mean, 0.02, 3) for name, mean in (("DEC", 0.5), ("IDEC", 0.7))}
    joined = {"DEC": Summary("DEC", "acai", 0.9, float("nan"), 1)}
    figure = ranking({"alone": alone, "with ACAI": joined}, "ACC", {"DEC": [("a paper", 0.86)]})
    assert figure.layout.yaxis.ticktext == ("DEC", "IDEC"), "from the bottom"
    first, second, stars = figure.data
    assert list(first.x) == [0.7, 0.5]
    assert first.y[0] == 1, "alone in its row"
    assert first.y[1] > 0 > second.y[0], "those of one method stand apart"
    assert list(second.error_x.array) == [0]
    assert (stars.x[0], stars.customdata[0][1]) == (0.86, "a paper")


def test_changes_are_in_percentage_points_with_every_seed() -> None:
    figure = changes({"IDEC": [0.1, 0.2], "VAE": [-0.1, 0.02]}, "ACC", "with ACAI")
    dots, better, worse = figure.data
    assert sorted(dots.x) == pytest.approx([-10, 2, 10, 20])
    assert better.x[0] == pytest.approx(15)
    assert better.error_x.array[0] == pytest.approx(100 * np.std([0.1, 0.2], ddof=1))
    assert worse.x[0] == pytest.approx(-4)
    assert list(worse.customdata[0][2:]) == [1, 2]
    assert figure.layout.yaxis.ticktext == ("VAE", "IDEC")
    assert "points" in figure.layout.xaxis.title.text


def test_changes_on_several_data_share_the_row_of_their_method() -> None:
    def points(**means: float) -> dict[str, Summary]:
        return {name: Summary(name, "acai", mean, 1.0, 3) for name, mean in means.items()}

    figure = changes_by_data({"digits": points(DEC=5, VAE=-1), "mnist": points(DEC=1, VAE=2)}, "ACC", "with ACAI")
    assert figure.layout.yaxis.ticktext == ("VAE", "DEC"), "from the bottom: means of 0.5 and 3 points"
    digits, mnist = figure.data
    assert (list(digits.x), list(mnist.x)) == ([5, -1], [1, 2])
    assert [round(each) for each in digits.y] == [round(each) for each in mnist.y] == [1, 0]
    assert digits.y[0] > 1 > mnist.y[0], "those of one method stand apart"
