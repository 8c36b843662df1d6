"""Reading a whole data set out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from training_helpers import small_spec, trained

from clustlab.data import Dataset
from clustlab.methods.base import Samples
from clustlab.training.probe import read_out_all


@pytest.mark.parametrize("method", ["idec", "ae-kmeans", "dc-kmeans"])
def test_codes_of_all_are_written_down_chunk_by_chunk(
    method: str, blobs: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, _, _ = trained(small_spec(method, n_clusters=3), blobs)
    whole = read_out_all(work.phases[-1], work.samples)
    monkeypatch.setattr(Samples, "CHUNK", 250)
    written = read_out_all(work.phases[-1], work.samples, tmp_path)
    assert set(written) == set(whole)
    assert isinstance(written["codes"], np.memmap)
    assert ("q" in written) == (method == "idec")
    assert np.array_equal(written["labels"], whole["labels"])
    for name in set(whole) - {"labels"}:
        np.testing.assert_allclose(written[name], whole[name], rtol=1e-4, atol=1e-5)
