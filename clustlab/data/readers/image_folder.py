"""Folders and zips of images: one sub-folder a class, or all images side by side. Nothing is unpacked onto the disk."""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from clustlab.data import checking
from clustlab.data.dataset import Dataset
from clustlab.data.readers.base import Reader
from clustlab.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["READER", "ImageFile", "image_files", "opened", "read_images"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
"""What Pillow may take a file for; formats that call other programs, such as EPS, are not among them."""

MOST_IMAGES = 200_000
MOST_IMAGE_BYTES = 64 * 2**20
MOST_PIXELS = 50_000_000
MOST_SIDE = 256
"""Images of a data set may be this high and wide; larger ones are for networks that make features of them."""

GREY, COLOUR = ("1", "L", "LA"), ("P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
"""Pillow's modes of eight bits or less; what has more would be cut off at white."""

ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)
"""The EXIF tag that tells how the camera was held, and its values for images that lie on their side."""

UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    LookupError,
    TypeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What Pillow and zipfile raise while they read a damaged image."""


@dataclass(frozen=True)
class ImageFile:
    """One image: its path inside, the sub-folder that is its class, and a function that returns its bytes."""

    name: str
    class_name: str | None
    content: Callable[[], bytes]


def read_images(path: Path, options: Mapping[str, str]) -> Dataset:
    """Return the images of a folder or zip: grey ones (n, h, w) if all are grey, else (n, h, w, 3).

    All images get the most common size, or that of the option ``size`` (``28`` or ``28x20``, height first): those of
    another size are scaled and cropped at the centre, so that nothing is distorted. Transparency is dropped.

    Raises
    ------
    DataError
        If there are none or too many, one cannot be read or holds several, or they are larger than
        :data:`MOST_SIDE`.
    """
    with image_files(path) as files:
        forms = [_form(path.name, file) for file in files]
        (height, width), asked = _size(path.name, options.get("size", ""), Counter(form[:2] for form in forms))
        grey = all(is_grey for *_, is_grey in forms)
        shape = (len(files), height, width) if grey else (len(files), height, width, 3)
        checking.check_room(path.name, shape)
        x = np.empty(shape, np.uint8)
        for place, file in enumerate(files):
            x[place] = _pixels(path.name, file, (width, height), grey)
        labels = None if files[0].class_name is None else np.array([file.class_name for file in files])
    samples, kind = checking.samples(path.name, x)
    y, names = (None, ()) if labels is None else checking.classes(path.name, labels, len(x))
    resized = sum(form[:2] != (height, width) for form in forms)
    why = "" if asked else ", the most common size"
    told = f"{resized:,} of {len(files):,} images were scaled and cropped to {width} × {height} pixels{why}."
    return Dataset(path.stem, path.stem, samples, y, names, kind, (told,) if resized else ())


@contextmanager
def image_files(path: Path) -> Iterator[list[ImageFile]]:
    """Offer the images of a folder or zip for the length of a ``with`` block, in the order of their names.

    Raises
    ------
    DataError
        If there are none, too many, one is too large, a folder cannot be read, or some lie in sub-folders and some do
        not.
    """
    if path.is_dir():
        yield _classified(path.name, _in_folder(path))
        return
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path.name} is not a zip or damaged; pack the images once more") from error
    with archive:
        yield _classified(path.name, _in_archive(path.name, archive))


def opened(place: str, file: ImageFile) -> Image:
    """Return an image, upright and decoded.

    Raises
    ------
    DataError
        If it cannot be read; ``place`` is named in the sentence.
    """
    from PIL import ImageOps

    with _refusing(place, file):
        return ImageOps.exif_transpose(_header(place, file))


def _in_folder(path: Path) -> dict[str, Callable[[], bytes]]:
    """Return the images in a folder and those below it, each once; a class may be a link to a folder elsewhere."""

    def refuse(error: OSError) -> None:
        raise DataError(f"the folder {error.filename} cannot be read ({error.strerror})") from error

    found: dict[str, Callable[[], bytes]] = {}
    root = path.resolve()
    seen = {root}
    for folder, folders, names in os.walk(path, followlinks=True, onerror=refuse):
        # links may lead in circles, and to what is walked through in any case
        places = {name: Path(folder, name) for name in sorted(folders)}
        ends = {name: place.resolve() for name, place in places.items()}
        folders[:] = [
            name
            for name, place in places.items()
            if ends[name] not in seen and not (place.is_symlink() and ends[name].is_relative_to(root))
        ]
        seen |= {ends[name] for name in folders}
        for name in names:
            file = Path(folder) / name
            if _is_image(inside := file.relative_to(path)):
                try:
                    size = file.stat().st_size
                except OSError as error:  # a link that leads nowhere
                    raise DataError(f"{path.name}: {inside} cannot be read ({error.strerror})") from error
                _check(path.name, inside, size, len(found))
                found[inside.as_posix()] = file.read_bytes
    return found


def _in_archive(place: str, archive: zipfile.ZipFile) -> dict[str, Callable[[], bytes]]:
    found: dict[str, Callable[[], bytes]] = {}
    for info in archive.infolist():
        name = PurePosixPath(info.filename)
        called = f"“{checking.plain(name)}” in {place}"
        # zipfile turns backslashes into slashes on Windows only; no image needs one in its name
        if name.is_absolute() or ".." in name.parts or "\\" in info.orig_filename:
            raise DataError(f"{called} is a path that leads out of the zip; pack the folder of the images itself")
        if _is_image(name) and not info.is_dir():
            if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
                raise DataError(f"{called} is a link or a device; pack the images themselves")
            if info.flag_bits & 1:
                raise DataError(f"{called} is encrypted; pack the images without a password")
            _check(place, name, info.file_size, len(found))
            found[name.as_posix()] = lambda info=info: archive.read(info)  # type: ignore[misc]
    return found


def _is_image(name: PurePosixPath | Path) -> bool:
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.parts)
    return not hidden and name.suffix.lower() in SUFFIXES


def _check(place: str, name: PurePosixPath | Path, size: int, before: int) -> None:
    if before >= MOST_IMAGES:
        raise DataError(f"{place} holds more than {MOST_IMAGES:,} images; give fewer")
    if size > MOST_IMAGE_BYTES:
        limit = f"{MOST_IMAGE_BYTES / 2**20:.0f} MiB"
        raise DataError(f"“{checking.plain(name)}” in {place} is larger than {limit}, the most for an image")


def _classified(place: str, found: Mapping[str, Callable[[], bytes]]) -> list[ImageFile]:
    """Say which class each image has: the name of its sub-folder. One folder around all of them does not count."""
    paths = {name: PurePosixPath(name).parts for name in sorted(found)}
    if not paths:
        raise DataError(f"{place} holds no images; there may be {', '.join(SUFFIXES)}")
    while len({parts[0] for parts in paths.values()}) == 1 and all(len(parts) > 1 for parts in paths.values()):
        paths = {name: parts[1:] for name, parts in paths.items()}
    flat = [name for name, parts in paths.items() if len(parts) == 1]
    if flat and len(flat) < len(paths):
        raise DataError(
            f"some images in {place} lie in sub-folders and some, such as “{checking.plain(flat[0])}”, do not; make "
            "one sub-folder for each class, or put all of them side by side"
        )
    return [ImageFile(name, None if flat else parts[0], found[name]) for name, parts in paths.items()]


def _form(place: str, file: ImageFile) -> tuple[int, int, bool]:
    """Return height, width and whether an image is grey, from its header."""
    with _refusing(place, file):
        image = _header(place, file)
        width, height = image.size
        if image.getexif().get(ORIENTATION) in SIDEWAYS:
            width, height = height, width
        return height, width, image.mode in GREY


def _header(place: str, file: ImageFile) -> Image:
    from PIL import Image

    image = Image.open(io.BytesIO(file.content()), formats=FORMATS)
    if image.width * image.height > MOST_PIXELS:
        raise _too_large(place, file)
    if image.mode not in GREY + COLOUR:
        called = f"“{checking.plain(file.name)}” in {place}"
        raise DataError(f"{called} has pixels of the kind {image.mode}; save it with 8 bits a channel")
    pages = getattr(image, "n_frames", 1)
    if pages > 1 and image.format != "MPO":  # in which cameras put previews of one and the same picture
        raise DataError(
            f"“{checking.plain(file.name)}” in {place} holds {pages} images; save each in a file of its own"
        )
    return image


def _pixels(place: str, file: ImageFile, size: tuple[int, int], grey: bool) -> np.ndarray:
    from PIL import Image, ImageOps

    with _refusing(place, file):
        image = opened(place, file).convert("L" if grey else "RGB")
        return np.asarray(image if image.size == size else ImageOps.fit(image, size, Image.Resampling.BICUBIC))


@contextmanager
def _refusing(place: str, file: ImageFile) -> Iterator[None]:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on damaged metadata, which does not concern the pixels
            yield
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large(place, file) from error
    except UNREADABLE as error:
        raise DataError(f"“{checking.plain(file.name)}” in {place} cannot be read as an image") from error


def _too_large(place: str, file: ImageFile) -> DataError:
    return DataError(
        f"“{checking.plain(file.name)}” in {place} has more than {MOST_PIXELS:,} pixels; give a smaller one"
    )


def _size(place: str, text: str, sizes: Counter[tuple[int, int]]) -> tuple[tuple[int, int], bool]:
    """Return height and width of the data set's images, and whether they were asked for."""
    if text:
        given = re.fullmatch(r"(\d{1,4})(?:x(\d{1,4}))?", text)
        sides = (int(given[1]), int(given[2] or given[1])) if given else (0, 0)
        if not 4 <= min(sides) <= max(sides) <= MOST_SIDE:
            given_text = checking.plain(text, 20)
            raise DataError(
                f"size={given_text} is not possible; write 28 or 28x20, height first, each 4 to {MOST_SIDE}"
            )
        return sides, True
    most = max(sizes, key=lambda sides: (sizes[sides], sides))
    if max(most) > MOST_SIDE:
        raise DataError(
            f"the images in {place} have {most[1]} × {most[0]} pixels, and at most {MOST_SIDE} × {MOST_SIDE} are read; "
            "ask for smaller ones, as with ?size=64, or make features of them with clustlab features"
        )
    return most, False


READER = Reader(title="images", suffixes=(".zip",), read=read_images, options=("size",), folders=True)
