from __future__ import annotations

import contextlib
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clustlab.data import load
from clustlab.data.readers import image_folder
from clustlab.errors import DataError


def png(value: int | tuple[int, int, int] = 255, size: tuple[int, int] = (6, 4), mode: str = "") -> bytes:
    """The bytes of an image of one colour, width and height given."""
    stream = io.BytesIO()
    Image.new(mode or ("L" if isinstance(value, int) else "RGB"), size, value).save(stream, "PNG")
    return stream.getvalue()


def placed(folder: Path, files: dict[str, bytes], *, packed: bool = False) -> str:
    """Write files into a folder or a zip and return its path."""
    if packed:
        with zipfile.ZipFile(folder / "pictures.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return str(folder / "pictures.zip")
    for name, content in files.items():
        path = folder / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(folder / "pictures")


@pytest.mark.parametrize("packed", [False, True])
def test_sub_folders_are_classes(tmp_path: Path, packed: bool) -> None:
    files = {"dog/1.png": png(0), "cat/2.PNG": png(51), "cat/1.png": png(255), "read me.txt": b"", ".hidden/x.png": b""}
    data = load(placed(tmp_path, files | {"__MACOSX/cat/1.png": b""}, packed=packed))
    assert (data.name, data.kind, data.shape, data.class_names) == ("pictures", "images", (4, 6), ("cat", "dog"))
    assert np.allclose(data.x[:, 0, 0], [1, 0.2, 0])
    assert data.y is not None
    assert data.y.tolist() == [0, 0, 1]
    assert data.notes == ()


@pytest.mark.parametrize("packed", [False, True])
def test_images_side_by_side_have_no_classes_and_one_folder_around_all_does_not_count(
    tmp_path: Path, packed: bool
) -> None:
    data = load(placed(tmp_path, {"all/1.png": png(0), "all/2.png": png((255, 0, 51))}, packed=packed))
    assert data.y is None
    assert data.shape == (4, 6, 3)
    assert np.allclose(data.x[1, 0, 0], [1, 0, 0.2])


def test_images_get_the_most_common_size_without_being_distorted(tmp_path: Path) -> None:
    wide = np.zeros((8, 24), np.uint8)
    wide[:, 8:16] = 255
    stream = io.BytesIO()
    Image.fromarray(wide).save(stream, "PNG")
    files = {"1.png": png(9, (8, 8)), "2.png": png(9, (8, 8)), "3.png": stream.getvalue()}
    data = load(placed(tmp_path, files))
    assert data.shape == (8, 8)
    assert (data.x[2] == 1).all(), "the middle is cut out, nothing is squeezed"
    assert data.notes == ("1 of 3 images were scaled and cropped to 8 × 8 pixels, the most common size.",)


def test_another_size_can_be_asked_for(tmp_path: Path) -> None:
    path = placed(tmp_path, {"1.png": png(0, (8, 8)), "2.png": png(200, (400, 300))})
    assert load(path + "?size=10x12").shape == (10, 12)
    assert load(path + "?size=16").shape == (16, 16)
    for size in ("3", "300", "8x", "-8", "axb"):
        with pytest.raises(DataError, match="write 28 or 28x20"):
            load(f"{path}?size={size}")


def test_images_stand_upright_as_the_camera_says(tmp_path: Path) -> None:
    stream, exif = io.BytesIO(), Image.Exif()
    exif[image_folder.ORIENTATION] = 6
    Image.new("L", (6, 4)).save(stream, "PNG", exif=exif)
    files = {"1.png": stream.getvalue(), "2.png": stream.getvalue(), "3.png": png(size=(4, 6))}
    assert load(placed(tmp_path, files)).shape == (6, 4)


def huge_png() -> bytes:
    """A small file that says it has 10^10 pixels."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(header)) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.txt": b""}, "holds no images; there may be .png"),
        ({"a/1.png": png(), "2.png": png()}, "some, such as “2.png”, do not"),
        ({"1.png": png(), "2.png": b"no image"}, "“2.png” in pictures.* cannot be read as an image"),
        ({"1.png": png(), "2.png": png(7, (60, 40))[:-30]}, "“2.png” in pictures.* cannot be read as an image"),
        ({"1.png": png(), "2.png": huge_png()}, "“2.png” in pictures"),
        ({"1.png": png(0, mode="I;16"), "2.png": png()}, "8 bits a channel"),
        ({"1.png": png(0, (300, 9)), "2.png": png(0, (300, 9))}, "as with .size=64, or make features"),
        ({"1.png": png()}, "at least two samples"),
        ({"1.png": b"%!PS-Adobe-3.0 EPSF-3.0\n", "2.png": png()}, "cannot be read as an image"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_what_cannot_be_read_is_named(tmp_path: Path, files: dict[str, bytes], message: str, packed: bool) -> None:
    with pytest.raises(DataError, match=message):
        load(placed(tmp_path, files, packed=packed))


def test_bounds_hold_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = placed(tmp_path, {f"{name}.png": png() for name in "abcd"}, packed=True)
    monkeypatch.setattr(image_folder, "MOST_IMAGE_BYTES", 10)
    with pytest.raises(DataError, match="is larger than"):
        load(path)
    monkeypatch.setattr(image_folder, "MOST_IMAGES", 0)
    with pytest.raises(DataError, match="holds more than 0 images"):
        load(path)


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "damaged.zip").write_bytes(b"PK no zip")
    with pytest.raises(DataError, match=r"damaged\.zip is not a zip or damaged"):
        load(str(tmp_path / "damaged.zip"))


def test_classes_may_be_links_to_folders_and_links_may_lead_in_circles(tmp_path: Path) -> None:
    elsewhere = placed(tmp_path / "elsewhere", {"1.png": png(10), "2.png": png(20)})
    here = Path(placed(tmp_path / "here", {"ape/1.png": png(30)}))
    (here / "bee").symlink_to(elsewhere, target_is_directory=True)
    (here / "ape" / "up").symlink_to(here, target_is_directory=True)
    (here / "ape" / "aside").symlink_to(tmp_path / "empty", target_is_directory=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "back").symlink_to(here / "ape", target_is_directory=True)
    data = load(str(here))
    assert data.class_names == ("ape", "bee")
    assert data.y is not None
    assert data.y.tolist() == [0, 1, 1]


def test_an_image_counts_once_however_many_links_lead_to_it(tmp_path: Path) -> None:
    elsewhere = placed(tmp_path / "elsewhere", {"in/1.png": png(10), "in/2.png": png(20)})
    here = Path(placed(tmp_path / "here", {"ape/1.png": png(30), "cow/1.png": png(40)}))
    for number in range(12):  # in a folder that links to itself, paths are as many as the orders of its links
        (here / "cow" / f"{number}").symlink_to(here / "cow", target_is_directory=True)
    (here / "ant").symlink_to(here / "ape", target_is_directory=True)
    for name in ("bee", "bug"):
        (here / name).symlink_to(elsewhere, target_is_directory=True)
    (tmp_path / "link").symlink_to(here, target_is_directory=True)
    for path in (here, tmp_path / "link"):
        data = load(str(path))
        assert (data.n, data.class_names) == (4, ("ape", "bee", "cow"))


@pytest.mark.parametrize("suffix", ["tif", "gif", "webp", "png"])
def test_a_bit_flipped_in_an_image_is_a_sentence_or_harmless(tmp_path: Path, suffix: str) -> None:
    stream = io.BytesIO()
    Image.new("L", (8, 8), 90).save(stream, {"tif": "TIFF"}.get(suffix, suffix.upper()))
    whole, there = stream.getvalue(), placed(tmp_path, {"1.png": png(10)})
    for at in range(0, 8 * len(whole), 7):
        flipped = bytearray(whole)
        flipped[at // 8] ^= 1 << (at % 8)
        (Path(there) / f"2.{suffix}").write_bytes(flipped)
        with contextlib.suppress(DataError):
            assert load(there).n == 2


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path(placed(tmp_path, {"ape/1.png": png(10), "bee/1.png": png(20)}))

    def closed(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("bee"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    scan = os.scandir
    monkeypatch.setattr("os.scandir", closed)
    with pytest.raises(DataError, match=r"pictures/bee cannot be read \(Permission denied\)"):
        load(str(here))


@pytest.mark.parametrize("suffix", ["tif", "gif"])
def test_a_file_of_several_images_is_refused(tmp_path: Path, suffix: str) -> None:
    stream = io.BytesIO()
    pages = [Image.new("L", (8, 8), value) for value in (0, 90, 180)]
    pages[0].save(stream, {"tif": "TIFF", "gif": "GIF"}[suffix], save_all=True, append_images=pages[1:])
    with pytest.raises(DataError, match=f"“stack.{suffix}” in pictures holds 3 images"):
        load(placed(tmp_path, {f"stack.{suffix}": stream.getvalue(), "1.png": png(10)}))
