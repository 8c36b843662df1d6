from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clustlab.data import load
from clustlab.errors import DataError

VECTORS = np.arange(12.0).reshape(4, 3)


def saved(folder: Path, **arrays: Any) -> str:
    path = folder / "my data.npz"
    np.savez(path, **arrays)
    return str(path)


def test_vectors_and_classes_are_read(tmp_path: Path) -> None:
    data = load(saved(tmp_path, X=VECTORS, y=np.array([5, 7, 5, 9])))
    assert (data.name, data.kind, data.shape) == ("my data", "vectors", (3,))
    assert np.array_equal(data.x, VECTORS)
    assert data.y is not None
    assert data.y.tolist() == [0, 1, 0, 2]
    assert data.class_names == ("5", "7", "9")


def test_other_names_and_missing_classes_are_fine(tmp_path: Path) -> None:
    data = load(saved(tmp_path, x=VECTORS, something_else=np.zeros(3)))
    assert data.y is None
    assert (data.n_classes, data.class_names) == (0, ())


def test_texts_and_named_classes_keep_their_names(tmp_path: Path) -> None:
    assert load(saved(tmp_path, X=VECTORS, labels=np.array(list("baab")))).class_names == ("a", "b")
    named = load(saved(tmp_path, X=VECTORS, y=np.array([0, 2, 0, 2]), label_names=np.array(["ape", "bee", "cat"])))
    assert named.class_names == ("ape", "cat")
    assert named.y is not None
    assert named.y.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("images", "shape", "largest"),
    [
        (np.full((3, 4, 5), 51, np.uint8), (4, 5), 0.2),
        (np.full((3, 4, 5, 3), 255, np.uint8), (4, 5, 3), 1.0),
        (np.full((3, 4, 5, 1), 0.5), (4, 5), 0.5),
        (np.arange(60).reshape(3, 4, 5), (4, 5), 1.0),
    ],
)
def test_images_lie_between_0_and_1(tmp_path: Path, images: np.ndarray, shape: tuple[int, ...], largest: float) -> None:
    data = load(saved(tmp_path, X=images))
    assert (data.kind, data.shape, data.value_range) == ("images", shape, (0.0, 1.0))
    assert data.x.max() == pytest.approx(largest)
    assert data.x.dtype == np.float32


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"features": VECTORS}, "has no array “X” with the samples; it has features"),
        ({"X": VECTORS[0]}, r"shape \(3,\)"),
        ({"X": np.zeros((2, 3, 3, 4))}, "height, width, 3"),
        ({"X": np.zeros((2, 2, 2, 2, 2))}, "height, width, 3"),
        ({"X": VECTORS[:1]}, "at least two samples"),
        ({"X": np.zeros((4, 0))}, "at least two samples"),
        ({"X": np.where(VECTORS == 5, np.nan, VECTORS)}, "missing, infinite or too large"),
        ({"X": np.where(VECTORS == 5, np.inf, VECTORS)}, "missing, infinite or too large"),
        ({"X": VECTORS * 1e300}, "missing, infinite or too large"),
        ({"X": VECTORS.astype(str)}, "are not numbers"),
        ({"X": VECTORS + 1j}, "are not numbers"),
        ({"X": VECTORS.astype(object)}, "holds Python objects"),
        ({"X": -np.ones((3, 4, 4))}, "negative"),
        ({"X": VECTORS, "y": np.zeros(3, int)}, "has 4 samples, but classes of the shape"),
        ({"X": VECTORS, "y": np.array([0.5, 1, 2, 3])}, "neither whole numbers nor texts"),
        ({"X": VECTORS, "y": np.array([np.nan, 1, 2, 3])}, "neither whole numbers nor texts"),
        ({"X": VECTORS, "y": np.array([0, 1, 2, 3]), "label_names": np.array(["a"])}, "names 1 classes"),
    ],
)
def test_what_is_no_data_set_is_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(saved(tmp_path, **arrays))


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    whole = Path(saved(tmp_path, X=VECTORS)).read_bytes()
    for content, message in [
        (whole[: len(whole) // 2], "is cut off"),
        (b"a,b\n1,2\n", "is not an .npz file"),
        (b"", "is not an .npz file"),
        (whole.replace(VECTORS.tobytes()[-24:], bytes(24)), "is damaged"),
    ]:
        path = tmp_path / "damaged.npz"
        path.write_bytes(content)
        with pytest.raises(DataError, match=message):
            load(str(path))


@pytest.mark.parametrize("path", ["missing.npz", "./digits", "some/folder/data.npy"])
def test_paths_that_lead_nowhere_are_refused(path: str) -> None:
    with pytest.raises(DataError, match="there is no file"):
        load(path)
