"""Files that are bad in one way each, for tests of what becomes of them."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

__all__ = [
    "Bomb",
    "cut",
    "encrypted",
    "idx",
    "link",
    "noise",
    "npy",
    "npy_with_header",
    "npz",
    "object_array",
    "parquet",
    "png",
    "png_that_says",
    "zipped",
]


def npz(compressed: bool = False, **arrays: Any) -> bytes:
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **arrays)
    return stream.getvalue()


def zipped(files: Mapping[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def encrypted(files: Mapping[str, bytes]) -> bytes:
    """A zip whose members say that they need a password."""
    content = bytearray(zipped(files, zipfile.ZIP_STORED))
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + flags] |= 1
            at = content.find(mark, at + 1)
    return bytes(content)


def link(name: str, target: str) -> bytes:
    """A zip with a symbolic link."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(info, target)
        archive.writestr("b.png", png())
    return stream.getvalue()


def png(side: int = 6, mode: str = "L") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (side, side)).save(stream, "PNG")
    return stream.getvalue()


def noise(side: int = 9) -> bytes:
    """A coloured image that is like no other."""
    stream = io.BytesIO()
    pixels = np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def png_that_says(width: int, height: int) -> bytes:
    """An image whose header promises more pixels than there are."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def npy(shape: tuple[int, ...], dtype: str = "<f4", content: bytes = b"") -> bytes:
    """An array that says what shape it has, whatever follows."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    return stream.getvalue() + content


def npy_with_header(text: bytes) -> bytes:
    """An array of format 2 with any text for its header."""
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text)) + text


def idx(axes: int, *sides: int, kind: int = 8, content: bytes = b"") -> bytes:
    return bytes([0, 0, kind, axes]) + b"".join(struct.pack(">I", side) for side in sides) + content


def parquet(**columns: Any) -> bytes:
    stream = io.BytesIO()
    pd.DataFrame(columns).to_parquet(stream)
    return stream.getvalue()


class Bomb:
    """What runs when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("it was unpickled",)


def object_array() -> np.ndarray:
    return np.array([Bomb(), Bomb()], dtype=object)


def cut(content: bytes, share: float = 0.5) -> bytes:
    return content[: int(share * len(content))]
