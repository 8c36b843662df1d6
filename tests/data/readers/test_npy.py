from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from clustlab.data import checking, load
from clustlab.data.mapped import MappedArray
from clustlab.errors import DataError

GENERATOR = np.random.default_rng(0)


def saved(folder: Path, x: np.ndarray, name: str = "mine.npy") -> str:
    np.save(folder / name, x)
    return str(folder / name)


@pytest.mark.parametrize(
    "x",
    [
        GENERATOR.integers(0, 256, (30, 5, 4), dtype=np.uint8),
        GENERATOR.integers(0, 256, (30, 5, 4, 1), dtype=np.uint8),
        GENERATOR.integers(0, 256, (30, 5, 4, 3), dtype=np.uint8),
        GENERATOR.integers(0, 9, (30, 5, 4)).astype(np.float64),
        GENERATOR.normal(size=(30, 7)),
        GENERATOR.normal(size=(30, 7)).astype(np.float16),
        np.asfortranarray(GENERATOR.normal(size=(30, 7))),
        GENERATOR.integers(0, 256, (30, 7), dtype=np.uint8),
    ],
    ids=["grey", "one channel", "colour", "grey values", "float64", "float16", "by columns", "bytes"],
)
def test_a_mapped_array_is_what_an_npz_of_the_same_samples_is(
    tmp_path: Path, x: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "mine.npz", X=x)
    mapped, inside = load(saved(tmp_path, x)), load(str(tmp_path / "mine.npz"))
    assert isinstance(mapped.x, MappedArray)
    assert isinstance(inside.x, np.ndarray)
    assert (mapped.kind, mapped.shape, mapped.n) == (inside.kind, inside.shape, inside.n)
    assert np.array_equal(mapped.x, inside.x)
    assert np.array_equal(mapped.x[[3, 1]], inside.x[[3, 1]])
    assert mapped.x[[3, 1]].dtype == np.float32
    monkeypatch.setattr("clustlab.data.mapped.CHUNK", 8)
    assert mapped.value_range == inside.value_range
    assert mapped.scale == pytest.approx(inside.scale, rel=1e-12)
    assert np.array_equal(mapped.scaled(np.array([2, 5])), inside.scaled()[[2, 5]])


def test_classes_lie_in_a_file_beside_it(tmp_path: Path) -> None:
    path = saved(tmp_path, GENERATOR.normal(size=(3, 2)))
    saved(tmp_path, np.array(["b", "a", "b"]), "names.npy")
    data = load(f"{path}?labels=names.npy")
    assert data.y is not None
    assert data.y.tolist() == [1, 0, 1]
    assert data.class_names == ("a", "b")
    saved(tmp_path, np.array([0, 1]), "short.npy")
    with pytest.raises(DataError, match="short.npy has 3 samples, but 2 classes"):
        load(f"{path}?labels=short.npy")


@pytest.mark.parametrize("name", ["missing.npy", "../outside.npy", "/etc/hostname", "."])
def test_classes_that_lie_elsewhere_are_not_looked_at(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    saved(tmp_path, np.array([0, 1, 0]), "outside.npy")
    with pytest.raises(DataError, match="there is no file “.*” with classes beside mine.npy"):
        load(f"{saved(folder, GENERATOR.normal(size=(3, 2)))}?labels={name}")


def test_all_at_once_is_refused_where_it_would_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = load(saved(tmp_path, GENERATOR.normal(size=(300, 7))))
    monkeypatch.setattr(checking, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="mine.npy holds 300 × 7 values"):
        np.asarray(data.x)
    with pytest.raises(DataError, match="mine.npy holds 300 × 7 values"):
        data.scaled()
    assert data.scaled(np.array([0])).shape == (1, 7)


def test_a_pickle_of_a_mapped_array_holds_its_path(tmp_path: Path) -> None:
    x = load(saved(tmp_path, GENERATOR.integers(0, 256, (3000, 5, 4), dtype=np.uint8))).x
    pickled = pickle.dumps(x)
    assert len(pickled) < 1000
    assert np.array_equal(pickle.loads(pickled), x)
