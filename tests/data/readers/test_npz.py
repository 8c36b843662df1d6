from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from clustlab.data import checking, load
from clustlab.errors import DataError

ROWS = sparse.csr_array(np.array([[0, 2.5, 0], [1, 0, 0], [0, 0, 0], [0, 1, 4]]))


def saved(folder: Path, **arrays: Any) -> str:
    np.savez(folder / "mine.npz", **arrays)
    return str(folder / "mine.npz")


def compressed(**changed: Any) -> dict[str, Any]:
    """The arrays of sparse rows as SciPy and benchmark files have them."""
    parts = {"data": ROWS.data, "indices": ROWS.indices.astype(np.uint16), "indptr": ROWS.indptr, "shape": ROWS.shape}
    return {**parts, **changed}


def test_sparse_rows_become_dense(tmp_path: Path) -> None:
    data = load(saved(tmp_path, **compressed(), y=[0, 1, 1, 0], label_names=np.array(["a", "b"])))
    assert np.array_equal(data.x, ROWS.todense())
    assert (data.kind, data.x.dtype, data.class_names) == ("vectors", np.float32, ("a", "b"))


def test_what_scipy_saves_is_read(tmp_path: Path) -> None:
    sparse.save_npz(tmp_path / "rows.npz", ROWS)
    assert np.array_equal(load(str(tmp_path / "rows.npz")).x, ROWS.todense())
    sparse.save_npz(tmp_path / "columns.npz", ROWS.tocsc())
    with pytest.raises(DataError, match="must be in compressed rows"):
        load(str(tmp_path / "columns.npz"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"indices": np.array([1, 0, 1, 9])}, "do not fit together"),
        ({"indptr": np.array([0, 1, 2, 2, 9])}, "do not fit together"),
        ({"shape": (4, 3, 1)}, "not numbers in compressed rows"),
        ({"data": np.array(list("abcd"))}, "not numbers in compressed rows"),
        ({"shape": (4, 3_000_000_000)}, "44.7 GiB in memory; at most 4 GiB are read"),
    ],
)
def test_sparse_rows_that_do_not_fit_are_refused(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(saved(tmp_path, **compressed(**changed)))


def test_codes_are_multiplied_by_the_scale_of_their_column(tmp_path: Path) -> None:
    codes = np.array([[0, 255], [10, 20]], np.uint8)
    scale = np.array([0.5, 2], np.float32)
    assert np.array_equal(load(saved(tmp_path, X=codes, scale=scale)).x, codes * scale)
    with pytest.raises(DataError, match="a number for each of the 2 columns"):
        load(saved(tmp_path, X=codes, scale=scale[:1]))


def test_features_say_what_made_them(tmp_path: Path) -> None:
    texts = {"title": np.array("Cats · supervised ImageNet features"), "network": np.array("resnet50")}
    data = load(saved(tmp_path, X=np.eye(3), **texts, weights=np.array("weights cats/1")))
    assert (data.name, data.title) == ("mine", "Cats · supervised ImageNet features")
    assert data.notes == ("Features by resnet50, weights cats/1.",)


def test_arrays_that_are_too_large_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, X=np.zeros((30, 4), np.float32))
    monkeypatch.setattr(checking, "MOST_BYTES", 400)
    monkeypatch.setattr("numpy.lib.format.read_array", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(DataError, match="mine.npz holds 30 × 4 values"):
        load(path)


def test_an_array_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": (1_000_000, 500)})
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("X.npy", stream.getvalue() + bytes(100))
    with pytest.raises(DataError, match="has not the size that it says"):
        load(str(tmp_path / "bomb.npz"))


@pytest.mark.parametrize("kind", [np.float64, np.int64, np.int32])
def test_differences_that_single_precision_would_lose_are_refused(tmp_path: Path, kind: type) -> None:
    seconds = 1_700_000_000 + np.arange(60)  # multiples of 128 are what float32 has there
    near = np.stack([np.arange(60), seconds], axis=1).astype(kind)
    with pytest.raises(DataError, match=r"feature 2 of mine\.npz lies between 1700000000 and 1700000059, where single"):
        load(saved(tmp_path, X=near))
    load(saved(tmp_path, X=near - near.min(axis=0)))
    load(saved(tmp_path, X=near.astype(np.float32)))  # nothing is lost that is there
    coarse = np.stack([np.arange(60), seconds[::-1] // 2048 * 2048 + np.arange(60) % 2 * 2048], axis=1).astype(kind)
    assert len(np.unique(load(saved(tmp_path, X=coarse)).x[:, 1])) == 2, "far from 0, but nothing is lost"
    outlier = np.concatenate([near, [[60, 0]]]).astype(kind)
    with pytest.raises(DataError, match=r"lies between 0 and 1700000059, where single"):
        load(saved(tmp_path, X=outlier))
    np.save(tmp_path / "mapped.npy", near)
    with pytest.raises(DataError, match=r"feature 2 of mapped\.npy lies between"):
        load(str(tmp_path / "mapped.npy"))
    same = np.stack([np.arange(60), np.full(60, 1_700_000_000)], axis=1).astype(kind)
    load(saved(tmp_path, X=same))


def test_classes_of_one_name_stay_two(tmp_path: Path) -> None:
    """ImageNet has two cranes, the bird and the machine."""
    data = load(saved(tmp_path, X=np.eye(3), y=[0, 1, 2], label_names=np.array(["crane", "dog", "crane"])))
    assert data.class_names == ("crane (0)", "dog", "crane (2)")
