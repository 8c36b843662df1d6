"""Samples in memory and in a file: the same rows, the same chunks, and nothing gathered that would not fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clustlab.data import checking
from clustlab.errors import DataError
from clustlab.methods.samples import FileSamples, Samples

X = np.random.default_rng(0).normal(size=(11, 3)).astype(np.float32)


@pytest.fixture(params=["in memory", "in a file"])
def samples(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Samples:
    monkeypatch.setattr(Samples, "CHUNK", 4)
    if request.param == "in memory":
        return Samples(torch.from_numpy(X))
    return FileSamples(lambda rows: X if rows is None else X[rows], len(X), X.shape[1:], torch.device("cpu"))


def test_rows_and_chunks_are_those_of_the_array(samples: Samples) -> None:
    assert (len(samples), samples.shape) == (11, (3,))
    assert np.array_equal(samples.rows(torch.tensor([7, 2])), X[[7, 2]])
    chunks = list(samples.chunks())
    assert [len(x) for x, _ in chunks] == [4, 4, 3]
    for x, rows in chunks:
        assert np.array_equal(x, X[rows])
    assert np.array_equal(samples.x, X)


def test_a_function_of_all_samples_is_put_together_in_order(samples: Samples) -> None:
    doubled = samples.map(lambda x: torch.stack([x, 2 * x], dim=1))
    assert doubled.shape == (11, 2, 3)
    assert np.array_equal(doubled[:, 1], 2 * X)
    assert samples.map(lambda x: x[:, 0] > 0).dtype == torch.bool


def test_what_would_not_fit_is_refused_before_it_is_computed(samples: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MOST_BYTES", 11 * 3 * 4 - 1)
    with pytest.raises(DataError, match="what is computed of all samples holds 11 × 3 values"):
        samples.map(lambda x: x)
    assert len(samples.map(lambda x: x[:, :2])) == 11
