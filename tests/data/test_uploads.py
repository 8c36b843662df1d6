from __future__ import annotations

import io
from pathlib import Path

import pytest

from clustlab.data import load, uploads
from clustlab.errors import DataError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLUSTLAB_DATA", str(tmp_path))
    return tmp_path / "uploads"


def test_the_same_upload_is_kept_once_and_can_be_loaded(folder: Path) -> None:
    table = b"a,label\n1,x\n2,z\n"
    first, again = (uploads.keep({"my table.csv": io.BytesIO(table)}) for _ in range(2))
    assert first == again
    assert first.name == "my-table.csv"
    assert load(str(first)).n == 2
    assert uploads.keep({"my table.csv": io.BytesIO(table + b"3,x\n")}) != first
    assert len(list(folder.iterdir())) == 2


def test_images_and_classes_lie_side_by_side() -> None:
    images = bytes([0, 0, 8, 2]) + b"\0\0\0\2" * 2 + bytes([1, 2, 3, 4])
    labels = bytes([0, 0, 8, 1]) + b"\0\0\0\2" + bytes([0, 1])
    path = uploads.keep({"a-labels-idx1-ubyte": io.BytesIO(labels), "a-images-idx3-ubyte": io.BytesIO(images)})
    assert load(str(path)).n_classes == 2


@pytest.mark.parametrize("name", ["../../etc/x.csv", "..\\x.csv", "/x.csv", ".x.csv", "$(x).csv"])
def test_names_lead_nowhere(folder: Path, name: str) -> None:
    path = uploads.keep({name: io.BytesIO(b"a\n1\n2\n")})
    assert path.parent.parent == folder
    assert path.name == "x.csv" or path.name == "x-.csv"


def test_other_files_and_too_many_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"page.html is of no format that can be read"):
        uploads.keep({"page.html": io.BytesIO()})
    with pytest.raises(DataError, match="there are 5"):
        uploads.keep({f"{number}.csv": io.BytesIO() for number in range(5)})
    assert not folder.exists()
