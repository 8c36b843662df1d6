from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from clustlab import metrics, readout
from clustlab.data import Dataset, Source, load, sources
from clustlab.data.assets import assets_folder
from clustlab.errors import DataError
from clustlab.readout import KMeansProtocol

LOCAL = [source for source in sources() if not source.download]


def stripes_with_classes() -> tuple[np.ndarray, np.ndarray]:
    data = load("stripes")
    assert data.y is not None
    return data.x, data.y


@pytest.mark.parametrize("source", LOCAL, ids=lambda source: source.name)
def test_every_source_gives_what_it_announces(source: Source) -> None:
    data = source.load()
    assert (data.name, data.title) == (source.name, source.title)
    assert (data.n, data.shape, data.n_classes) == (source.n, source.shape, source.n_classes)
    assert data.x.dtype == np.float32
    assert data.kind == ("vectors" if data.x.ndim == 2 else "images")
    assert data.value_range[0] <= data.x.min() < data.x.max() <= data.value_range[1]
    if data.y is None:
        assert data.n_classes == 0
    else:
        assert data.y.dtype == np.int64
        assert np.array_equal(np.unique(data.y), np.arange(data.n_classes))
    assert source.description.endswith(".")


@pytest.mark.parametrize("source", LOCAL, ids=lambda source: source.name)
def test_every_source_gives_the_same_twice(source: Source) -> None:
    assert np.array_equal(source.load().x, source.load().x)


@pytest.mark.parametrize("source", LOCAL, ids=lambda source: source.name)
def test_scaled_samples_have_a_mean_square_of_one(source: Source) -> None:
    scaled = source.load().scaled()
    assert scaled.dtype == np.float32
    assert np.mean(np.square(scaled, dtype=np.float64)) == pytest.approx(1, abs=1e-5)


def test_data_of_zeros_have_the_scale_one() -> None:
    data = Dataset("zeros", "Zeros", np.zeros((4, 3), np.float32), None, (), "vectors")
    assert data.scale == 1
    assert data.n_classes == 0
    assert not data.scaled().any()


def test_the_first_source_is_digits_and_names_are_unique() -> None:
    names = [source.name for source in sources()]
    assert names[0] == "digits"
    assert len(names) == len(set(names))


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(DataError, match="there is no data source “digit”; there are digits, mnist-sample"):
        load("digit")


def test_k_means_finds_the_blobs(blobs: Dataset) -> None:
    assert blobs.y is not None
    assert metrics.accuracy(blobs.y, readout.fit(blobs.x, 3, 0).labels) >= 0.99


def test_k_means_cuts_across_the_stripes() -> None:
    x, y = stripes_with_classes()
    assert 0.25 <= metrics.accuracy(y, readout.fit(x, 4, 0).labels) <= 0.40


def test_whitening_helps_with_the_stripes_but_does_not_cure() -> None:
    x, y = stripes_with_classes()
    assert 0.45 <= metrics.accuracy(y, readout.fit(x, 4, 0, KMeansProtocol(whiten=True)).labels) <= 0.65


def test_a_mixture_with_full_covariances_finds_the_stripes() -> None:
    x, y = stripes_with_classes()
    mixture = GaussianMixture(4, n_init=20, init_params="random_from_data", max_iter=500, random_state=0).fit(x)
    assert metrics.accuracy(y, mixture.predict(x)) >= 0.99


def test_the_mnist_sample_is_stratified() -> None:
    y = load("mnist-sample").y
    assert y is not None
    assert np.bincount(y).tolist() == [493, 563, 499, 510, 487, 451, 491, 521, 488, 497]


def test_assets_are_found() -> None:
    assert (assets_folder() / "mnist-sample.npz").is_file()


def test_importing_the_room_is_light(tmp_path: Path) -> None:
    heavy = ("sklearn", "scipy", "pandas", "PIL", "pyarrow")
    script = f"import sys, clustlab.data; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
