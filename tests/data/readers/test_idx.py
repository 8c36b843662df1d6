from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from clustlab.data import load
from clustlab.errors import DataError

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
LABELS = np.array([7, 2, 7], np.uint8)


def idx(array: np.ndarray, code: int = 0x08) -> bytes:
    """The bytes of an IDX file, as the page of MNIST describes them."""
    sides = b"".join(side.to_bytes(4, "big") for side in array.shape)
    return bytes([0, 0, code, array.ndim]) + sides + array.tobytes()


def written(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return str(folder / name)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
        ("t10k-images.idx3-ubyte.gz", "t10k-labels.idx1-ubyte"),
    ],
)
def test_images_go_with_the_classes_that_are_named_alike(tmp_path: Path, images: str, labels: str) -> None:
    written(tmp_path, labels, idx(LABELS))
    data = load(written(tmp_path, images, idx(IMAGES)))
    assert np.allclose(data.x, IMAGES / 255)
    assert data.class_names == ("2", "7")
    assert data.y is not None
    assert data.y.tolist() == [1, 0, 1]
    assert labels in data.notes[0]


def test_images_alone_have_no_classes_and_vectors_keep_their_numbers(tmp_path: Path) -> None:
    assert load(written(tmp_path, "images.idx", idx(IMAGES))).y is None
    vectors = np.array([[1.5, -2], [3, 4]], ">f4")
    data = load(written(tmp_path, "vectors.idx", idx(vectors, 0x0D)))
    assert np.array_equal(data.x, vectors)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an IDX file"),
        (b"\x89PNG" + bytes(50), "is not an IDX file"),
        (bytes([0, 0, 8, 9]) + bytes(99), "is not an IDX file"),
        (idx(IMAGES)[:10], "is cut off"),
        (idx(IMAGES)[:-1], "is cut off"),
        (idx(IMAGES) + b"x", "is longer than it says"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, "at most 4 GiB are read"),
        (idx(LABELS), "name the file of the images"),
    ],
)
@pytest.mark.parametrize("name", ["damaged.idx", "damaged.idx.gz"])
def test_what_is_no_idx_file_is_refused(tmp_path: Path, content: bytes, message: str, name: str) -> None:
    with pytest.raises(DataError, match=message):
        load(written(tmp_path, name, content))


def test_a_damaged_gzip_and_classes_of_another_number_are_refused(tmp_path: Path) -> None:
    (tmp_path / "damaged.idx.gz").write_bytes(b"no gzip at all")
    with pytest.raises(DataError, match=r"damaged\.idx\.gz is damaged"):
        load(str(tmp_path / "damaged.idx.gz"))
    written(tmp_path, "few-labels-idx1-ubyte", idx(LABELS[:2]))
    with pytest.raises(DataError, match="few-labels-idx1-ubyte has 3 samples, but 2 classes"):
        load(written(tmp_path, "few-images-idx3-ubyte", idx(IMAGES)))
