"""Bad uploads of a hundred kinds: tables, arrays, pictures and IDX files, each with the words that refuse it."""

from __future__ import annotations

import gzip
import pickle
import struct
import zipfile
from collections.abc import Callable

import numpy as np
import pandas as pd
from bad_files import (
    Bomb,
    cut,
    encrypted,
    idx,
    link,
    npy,
    npy_with_header,
    npz,
    object_array,
    parquet,
    png,
    png_that_says,
    zipped,
)

__all__ = ["CASES", "Content"]

X = np.arange(12.0).reshape(4, 3)

Content = bytes | Callable[[], bytes]


# ---- the bad files: name, content, options behind the “?”, words of the sentence -----------------------------------

TABLES: dict[str, tuple[str, Content, str, str]] = {
    "empty file": ("t.csv", b"", "", "t.csv is empty"),
    "header only": ("t.csv", b"a,b\n", "", "t.csv has 0 rows; it takes at least two"),
    "one row": ("t.csv", b"a,b\n1,2\n", "", "t.csv has 1 rows; it takes at least two"),
    "no names of columns": ("t.csv", b"1,2\n3,4\n5,6\n", "", "first line of t.csv must name the columns"),
    "too many values in a line": ("t.csv", b"a,b\n1,2\n1,2,3,4\n", "", "t.csv cannot be read as a table"),
    "too few values in a line": ("t.csv", b"a,b\n1,2\n3\n5,6\n", "", "lacks values: 1 in column “b”"),
    "another encoding": ("t.csv", "größe,b\n1,2\n3,4\n".encode("latin-1"), "", "t.csv is not text in UTF-8"),
    "UTF-16": ("t.csv", "a,b\n1,2\n3,4\n".encode("utf-16"), "", "t.csv is not text in UTF-8"),
    "NUL bytes": ("t.csv", b"a,b\n1,\x002\n3,4\n", "", "t.csv holds NUL bytes, so it is no text"),
    "a program": ("t.csv", b"\x7fELF\x02\x01\x01" + bytes(range(256)), "", "t.csv"),
    "an enormous value": ("t.csv", b"a,b\n1," + b"x" * 3_000_000 + b"\n3,4\n", "", "column “b” of t.csv does not hold"),
    "an enormous first line": ("t.csv", b"a" * 3_000_000 + b"\n1\n2\n", "", "first line of t.csv is longer than"),
    "too many columns": (
        "t.csv",
        lambda: ",".join(f"c{i}" for i in range(20_001)).encode() + b"\n1\n2\n",
        "",
        "t.csv has more than 20,000 columns",
    ),
    "two columns of one name": ("t.csv", b"a,a,b\n1,2,3\n4,5,6\n", "", "two columns of t.csv are called “a”"),
    "text among numbers": ("t.csv", b"a,b\n1,2\nthree,4\n", "", "column “a” of t.csv does not hold numbers"),
    "dates": ("t.parquet", lambda: parquet(a=pd.date_range("2020", periods=3)), "", "column “a” of t.parquet does not"),
    "missing values": ("t.csv", b"a,b\n1,\n,4\n5,6\n", "", "lacks values: 1 in column “a”, 1 in column “b”"),
    "missing classes": ("t.csv", b"a,label\n1,x\n2,\n3,z\n", "", "lacks values: 1 in column “label”"),
    "infinite values": ("t.csv", b"a,b\n1,inf\n2,3\n", "", "missing, infinite or too large"),
    "fractions for classes": ("t.csv", b"a,label\n1,0.5\n2,1\n", "", "neither whole numbers nor texts"),
    "a class with an enormous name": (
        "t.csv",
        b"a,label\n1," + b"x" * 100_000 + b"\n2,y\n",
        "",
        "a class in column “label” of t.csv has a name of 100,000 characters; at most 200",
    ),
    "nothing but the same row": ("t.csv", b"a,b\n1,2\n1,2\n1,2\n", "", "all samples in t.csv are the same"),
    "a column that is not there": ("t.csv", b"a,b\n1,2\n3,4\n", "?label=c", "t.csv has no column “c”; it has a, b"),
    "many columns and none that is asked for": (
        "t.csv",
        lambda: ",".join(f"{'n' * 300}{i}" for i in range(50)).encode() + b"\n" + b"1\n2\n",
        "?label=c",
        "has no column “c”; it has nnn",
    ),
    "names with line breaks": ("t.csv", b'"a\nb",c\nx,1\ny,2\n', "", "column “a b” of t.csv does not hold numbers"),
    "too many categories": (
        "t.csv",
        lambda: b"a,b\n" + b"".join(f"v{i},1\n".encode() for i in range(150)),
        "?one-hot=a",
        "column “a” of t.csv has 150 different values; one-hot takes at most 100",
    ),
    "options that are none": ("t.csv", b"a,b\n1,2\n3,4\n", "?lable=b", "cannot be read with “lable”"),
    "parquet cut off": ("t.parquet", lambda: cut(parquet(a=[1, 2, 3])), "", "t.parquet cannot be read as a table"),
    "text called parquet": ("t.parquet", b"a,b\n1,2\n3,4\n", "", "t.parquet cannot be read as a table"),
    "parquet with lists": ("t.parquet", lambda: parquet(a=[[1, 2], [3]]), "", "column “a” of t.parquet does not hold"),
    "parquet with records": ("t.parquet", lambda: parquet(a=[{"b": 1}, {"b": 2}]), "", "column “a” of t.parquet does"),
    "an npz called csv": ("t.csv", lambda: npz(X=X), "", "t.csv"),
}

ARRAYS: dict[str, tuple[str, Content, str, str]] = {
    "empty file": ("a.npz", b"", "", "a.npz is not an .npz file"),
    "an empty zip": ("a.npz", lambda: zipped({}), "", "a.npz has no array “X” with the samples"),
    "a bare array cut off": (
        "a.npy",
        lambda: npy((4, 3), content=bytes(40)),
        "",
        "a.npy has not the size that it says",
    ),
    "a bare array of nothing": ("a.npy", lambda: npy((0, 3)), "", "a.npy holds nothing"),
    "a bare array of zeros": ("a.npy", lambda: npy((4, 3), content=bytes(48)), "", "all samples in a.npy are the same"),
    "a bare array of texts": ("a.npy", lambda: npy((4, 3), "<U2", bytes(96)), "", "a.npy are not numbers but of type"),
    "a bare array of objects": ("a.npy", lambda: npy((4, 3), "|O", bytes(96)), "", "a.npy holds Python objects"),
    "a bare pickle": ("a.npy", lambda: pickle.dumps(Bomb()), "", "a.npy is damaged, or not an .npy file"),
    "a bare array without classes": (
        "a.npy",
        lambda: npy((2, 1), content=bytes(4) + b"abcd"),
        "?labels=../y.npy",
        "there is no file “../y.npy” with classes beside a.npy",
    ),
    "a table called npz": ("a.npz", b"a,b\n1,2\n", "", "a.npz is not an .npz file"),
    "images called npz": ("a.npz", lambda: zipped({"1.png": png()}), "", "a.npz has no array “X”"),
    "cut off": ("a.npz", lambda: cut(npz(X=X)), "", "a.npz is cut off"),
    "cut off at its end": ("a.npz", lambda: npz(X=X)[:-10], "", "a.npz"),
    "a damaged array": ("a.npz", lambda: npz(X=X).replace(X.tobytes()[-24:], bytes(24)), "", "a.npz is damaged"),
    "encrypted": ("a.npz", lambda: encrypted({"X.npy": npy((2, 2), content=bytes(16))}), "", "a.npz is encrypted"),
    "objects": ("a.npz", lambda: npz(X=object_array()), "", "a.npz holds Python objects"),
    "a pickle": ("a.npz", lambda: zipped({"X.npy": pickle.dumps(Bomb())}), "", "a.npz is damaged"),
    "terabytes that are not there": (
        "a.npz",
        lambda: zipped({"X.npy": npy((10**6, 10**6))}),
        "",
        "“X.npy” in a.npz has not the size that it says",
    ),
    "a negative shape": (
        "a.npz",
        lambda: zipped({"X.npy": npy((-4, 3), content=bytes(48))}),
        "",
        "“X.npy” in a.npz has not the size that it says",
    ),
    "an enormous header": (
        "a.npz",
        lambda: zipped({"X.npy": npy_with_header(b"{" + b" " * 2_000_000 + b"}")}),
        "",
        "a.npz is damaged",
    ),
    "a header that is a program": (
        "a.npz",
        lambda: zipped({"X.npy": npy_with_header(b"__import__('os').system('true')\n")}),
        "",
        "a.npz is damaged",
    ),
    "too many arrays": (
        "a.npz",
        lambda: zipped({f"{number}.npy": b"" for number in range(1001)}, zipfile.ZIP_STORED),
        "",
        "a.npz holds 1001 arrays; at most 1000",
    ),
    "arrays of other names": (
        "a.npz",
        lambda: npz(**{f"a rather long name of an array {number}": X for number in range(100)}),
        "",
        "a.npz has no array “X” with the samples; it has a rather long name",
    ),
    "a number": ("a.npz", lambda: npz(X=np.float64(3)), "", r"the samples in a.npz have the shape ()"),
    "a single column of numbers without samples": ("a.npz", lambda: npz(X=X[:, 0]), "", "have the shape (4,)"),
    "five axes": ("a.npz", lambda: npz(X=np.zeros((2, 2, 2, 2, 2))), "", "have the shape (2, 2, 2, 2, 2)"),
    "four colours": ("a.npz", lambda: npz(X=np.zeros((2, 4, 4, 4))), "", "(n, height, width, 3)"),
    "one sample": ("a.npz", lambda: npz(X=X[:1]), "", "a.npz holds 1 × 3 values; it takes at least two samples"),
    "no features": ("a.npz", lambda: npz(X=X[:, :0]), "", "a.npz holds 4 × 0 values; it takes at least two samples"),
    "not a number": ("a.npz", lambda: npz(X=np.where(X == 5, np.nan, X)), "", "missing, infinite or too large"),
    "infinity": ("a.npz", lambda: npz(X=np.where(X == 5, -np.inf, X)), "", "missing, infinite or too large"),
    "numbers beyond single precision": ("a.npz", lambda: npz(X=X * 1e300), "", "missing, infinite or too large"),
    "complex numbers": ("a.npz", lambda: npz(X=X * 1j), "", "not numbers but of type complex128"),
    "times": ("a.npz", lambda: npz(X=X.astype("datetime64[s]")), "", "not numbers but of type datetime64[s]"),
    "texts": ("a.npz", lambda: npz(X=X.astype(str)), "", "not numbers but of type"),
    "records": (
        "a.npz",
        lambda: npz(X=np.zeros(4, [(f"a long name of a field {number}", "f4") for number in range(40)])),
        "",
        "the samples in a.npz are not numbers but of type",
    ),
    "the same sample all over": ("a.npz", lambda: npz(X=np.ones((4, 3))), "", "all samples in a.npz are the same"),
    "negative grey values": (
        "a.npz",
        lambda: npz(X=-np.ones((3, 4, 4))),
        "",
        "images in a.npz contain negative values",
    ),
    "too few classes": ("a.npz", lambda: npz(X=X, y=[0, 1]), "", "a.npz has 4 samples, but 2 classes"),
    "too many classes": ("a.npz", lambda: npz(X=X, y=np.arange(9)), "", "a.npz has 4 samples, but 9 classes"),
    "classes as a matrix": ("a.npz", lambda: npz(X=X, y=np.eye(4)), "", "a.npz has 4 samples, but 4 × 4 classes"),
    "missing classes": ("a.npz", lambda: npz(X=X, y=[np.nan, 1, 2, 3]), "", "neither whole numbers nor texts"),
    "fractions for classes": ("a.npz", lambda: npz(X=X, y=X[:, 0] / 2), "", "neither whole numbers nor texts"),
    "complex classes": ("a.npz", lambda: npz(X=X, y=X[:, 0] * 1j), "", "neither whole numbers nor texts"),
    "classes that are objects": ("a.npz", lambda: npz(X=X[:2], y=object_array()), "", "a.npz holds Python objects"),
    "classes beyond their names": (
        "a.npz",
        lambda: npz(X=X, y=[0, 1, 2, 3], label_names=["a"]),
        "",
        "a.npz names 1 classes, but has samples of class 3",
    ),
    "sparse samples that do not fit": (
        "a.npz",
        lambda: npz(data=np.ones(2), indices=[0, 99], indptr=[0, 1, 2], shape=[2, 3]),
        "",
        "the sparse samples in a.npz do not fit together",
    ),
    "sparse terabytes": (
        "a.npz",
        lambda: npz(data=np.ones(1), indices=[0], indptr=[0, 1], shape=[2**20, 2**20]),
        "",
        "a.npz holds 1,048,576 × 1,048,576 values, 4,096.0 GiB in memory",
    ),
}

IMAGES: dict[str, tuple[str, Content, str, str]] = {
    "empty file": ("p.zip", b"", "", "p.zip is not a zip or damaged"),
    "an empty zip": ("p.zip", lambda: zipped({}), "", "p.zip holds no images"),
    "folders only": ("p.zip", lambda: zipped({"cat/": b"", "dog/": b""}), "", "p.zip holds no images"),
    "something else": ("p.zip", lambda: zipped({"a.svg": b"<svg/>", "b.txt": b""}), "", "p.zip holds no images"),
    "a zip in a zip": ("p.zip", lambda: zipped({"inner.zip": zipped({"1.png": png()})}), "", "p.zip holds no images"),
    "a table called zip": ("p.zip", b"a,b\n1,2\n", "", "p.zip is not a zip or damaged"),
    "cut off": ("p.zip", lambda: cut(zipped({"1.png": png(), "2.png": png()})), "", "p.zip is not a zip or damaged"),
    "encrypted": ("p.zip", lambda: encrypted({"1.png": png(), "2.png": png()}), "", "“1.png” in p.zip is encrypted"),
    "one image": ("p.zip", lambda: zipped({"1.png": png()}), "", "it takes at least two samples"),
    "no image": ("p.zip", lambda: zipped({"1.png": b"text", "2.png": png()}), "", "“1.png” in p.zip cannot be read"),
    "half an image": (
        "p.zip",
        lambda: zipped({"1.png": png(), "2.png": cut(png(60, "RGB"), 0.6)}),
        "",
        "“2.png” in p.zip cannot be read as an image",
    ),
    "a way out": ("p.zip", lambda: zipped({"../../1.png": png(), "../../2.png": png()}), "", "leads out of the zip"),
    "a path from the root": ("p.zip", lambda: zipped({"/etc/1.png": png(), "/etc/2.png": png()}), "", "leads out of"),
    "a way out for Windows": ("p.zip", lambda: zipped({"..\\1.png": png(), "2.png": png()}), "", "leads out of"),
    "a link": ("p.zip", lambda: link("a.png", "/etc/passwd"), "", "“a.png” in p.zip is a link"),
    "more pixels than there is room for": (
        "p.zip",
        lambda: zipped({"1.png": png(), "2.png": png_that_says(60_000, 60_000)}),
        "",
        "“2.png” in p.zip has more than 50,000,000 pixels",
    ),
    "megabytes of zeros called an image": (
        "p.zip",
        lambda: zipped({"1.png": png(), "2.png": bytes(65 * 2**20)}),
        "",
        "“2.png” in p.zip is larger than 64 MiB",
    ),
    "images too large to be clustered": ("p.zip", lambda: zipped({f"{i}.png": png(300) for i in "ab"}), "", "size=64"),
    "sixteen bits": ("p.zip", lambda: zipped({f"{i}.png": png(6, "I;16") for i in "ab"}), "", "8 bits a channel"),
    "classes for some": (
        "p.zip",
        lambda: zipped({"a/1.png": png(), "2.png": png()}),
        "",
        "lie in sub-folders and some",
    ),
    "an impossible size": (
        "p.zip",
        lambda: zipped({f"{i}.png": png() for i in "ab"}),
        "?size=9000",
        "size=9000 is not",
    ),
    "names with line breaks": (
        "p.zip",
        lambda: zipped({"a\nb" + "c" * 300 + ".png": b"", "2.png": png()}),
        "",
        "cannot be read as an image",
    ),
    "the same image all over": (
        "p.zip",
        lambda: zipped({f"{i}.png": png() for i in "abc"}),
        "",
        "all samples in p.zip are the same",
    ),
}

IDX_FILES: dict[str, tuple[str, Content, str, str]] = {
    "empty file": ("a.idx", b"", "", "a.idx is not an IDX file"),
    "a wrong magic number": ("a.idx", b"\1\2\3\4" + bytes(20), "", "a.idx is not an IDX file"),
    "an unknown type": ("a.idx", idx(2, 2, 2, kind=7, content=bytes(4)), "", "a.idx is not an IDX file"),
    "a header cut off": ("a.idx", idx(3, 2), "", "a.idx is cut off"),
    "values cut off": ("a.idx", idx(3, 2, 4, 4, content=bytes(10)), "", "a.idx is cut off"),
    "more values than it says": ("a.idx", idx(3, 2, 2, 2, content=bytes(10)), "", "a.idx is longer than it says"),
    "terabytes": ("a.idx", idx(3, 2**31, 2**10, 2**10), "", "a.idx holds 2,147,483,648 × 1,024 × 1,024 values"),
    "only classes": ("a.idx", idx(1, 3, content=b"\0\1\2"), "", "one value a sample, as files of classes have"),
    "not packed at all": ("a.idx.gz", idx(2, 2, 2, content=b"\0\1\2\3"), "", "a.idx.gz is damaged"),
    "packed and cut off": (
        "a.idx.gz",
        lambda: cut(gzip.compress(idx(2, 9, 9, content=bytes(range(81))))),
        "",
        "a.idx.gz",
    ),
    "a packed bomb": ("a.idx.gz", lambda: gzip.compress(idx(2, 2, 2, content=bytes(2**24))), "", "longer than it says"),
    "not a number": (
        "a.idx",
        idx(2, 2, 1, kind=0x0D, content=struct.pack(">ff", 1, float("nan"))),
        "",
        "missing, infinite or too large",
    ),
}

CASES = {
    f"{group}: {what}": case
    for group, cases in {"table": TABLES, "arrays": ARRAYS, "images": IMAGES, "idx": IDX_FILES}.items()
    for what, case in cases.items()
}
