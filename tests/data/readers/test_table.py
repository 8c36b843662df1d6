from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clustlab.data import load
from clustlab.data.files import with_options
from clustlab.data.readers import table
from clustlab.errors import DataError

FLOWERS = "id,width,height,colour,species\n1,2.5,3,red,iris\n2,1,0,blue,rose\n3,4,1e2,red,iris\n"


def written(folder: Path, text: str, name: str = "flowers.csv") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_named_columns_become_features_and_classes(tmp_path: Path) -> None:
    data = load(written(tmp_path, FLOWERS) + "?label=species&without=id,colour")
    assert np.array_equal(data.x, [[2.5, 3], [1, 0], [4, 100]])
    assert (data.name, data.kind, data.class_names) == ("flowers", "vectors", ("iris", "rose"))
    assert data.notes == ("Classes are the column “species”.",)
    only = load(written(tmp_path, FLOWERS) + "?label=&features=height")
    assert only.x.tolist() == [[3], [0], [100]]
    assert only.y is None


@pytest.mark.parametrize("name", ["label", "Class", "TARGET", "y"])
def test_a_column_that_is_named_like_classes_holds_them(tmp_path: Path, name: str) -> None:
    data = load(written(tmp_path, f"a,{name}\n1,0\n2,1\n3,1\n"))
    assert data.shape == (1,)
    assert data.class_names == ("0", "1")
    unlabelled = load(written(tmp_path, f"a,{name}\n1,0\n2,1\n") + "?label=")
    assert (unlabelled.shape, unlabelled.y) == ((2,) if name == "y" else (1,), None)
    assert load(written(tmp_path, f"a,{name}\n1,0\n2,1\n") + f"?label=&features=a,{name}").shape == (2,)


def test_classes_and_the_index_of_pandas_are_no_features_unless_that_is_said(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2], "Target": [7, 8], "species": ["x", "z"]}).to_csv(tmp_path / "once.csv")
    pd.read_csv(tmp_path / "once.csv").to_csv(tmp_path / "twice.csv")
    classes, target = "Classes are the column “species”.", "Left out, being called like classes: Target."
    for name, nameless in (("once", "Unnamed: 0."), ("twice", "Unnamed: 0.1, Unnamed: 0.")):
        data = load(str(tmp_path / f"{name}.csv") + "?label=species")
        assert data.x.tolist() == [[1], [2]]
        assert (data.notes[0], data.notes[2]) == (classes, target)
        assert data.notes[1] == f"Left out, being without a name: {nameless}"
    for said in ("features=Unnamed: 0,a,Target", "with=Unnamed: 0,Target"):
        asked = load(str(tmp_path / "once.csv") + f"?label= species &{said}")
        assert asked.x.tolist() == [[0, 1, 7], [1, 2, 8]]
        assert asked.notes == (classes,)
    apart = load(str(tmp_path / "once.csv") + "?label=species&one-hot=Target&without=Unnamed: 0")
    assert apart.x.tolist() == [[1, 1, 0], [2, 0, 1]]


def test_names_with_commas_and_quotes_are_written_and_read_like_a_line_of_csv(tmp_path: Path) -> None:
    names = ["a,b", 'say "c"', "d"]
    assert table.split_names(table.join_names(names)) == names
    path = Path(written(tmp_path, '"a,b",d,e\n1,2,3\n4,5,6\n'))
    text = with_options(path, {"label": "", "without": table.join_names(["a,b"])})
    assert load(text).x.tolist() == [[2, 3], [5, 6]]


def test_a_feature_that_was_taken_apart_does_not_hide_the_names_of_the_others(tmp_path: Path) -> None:
    path = written(tmp_path, "colour,time\nred,1700000000\nblue,1700000003\n")
    with pytest.raises(DataError, match="“time” of flowers.csv lies between"):
        load(path + "?one-hot=colour")


def test_blanks_around_names_and_values_belong_to_neither(tmp_path: Path) -> None:
    path = written(tmp_path, 'a, b , label\n1, 2, "x" \n3, 4, z  \n')
    data = load(path)
    assert data.x.tolist() == [[1, 2], [3, 4]]
    assert data.class_names == ("x", "z")
    assert table.columns(Path(path)) == ["a", "b", "label"]


def test_categories_become_features_only_if_asked(tmp_path: Path) -> None:
    path = written(tmp_path, FLOWERS) + "?label=species&without=id"
    with pytest.raises(
        DataError, match=r"column “colour” of flowers.csv does not hold numbers \(.*red.*one-hot=colour"
    ):
        load(path)
    data = load(path + "&one-hot=colour")
    assert data.x.tolist() == [[2.5, 3, 0, 1], [1, 0, 1, 0], [4, 100, 0, 1]]


def test_missing_values_are_named_and_counted(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b,c\n1,,3\n,,4\n5,6,7\n")
    with pytest.raises(DataError, match=r"lacks values: 1 in column “a”, 2 in column “b”; fill them in.*\?without=a"):
        load(path)
    assert load(path + "?without=a,b").shape == (1,)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.tsv", "a\tb\tlabel\n1\t2\tx\n3\t4\tz\n"),
        ("t.csv", "a;b;label\n1;2;x\n3;4;z\n"),
        ("t.csv", "\ufeffa,b,label\n1,2,x\n3,4,z\n"),
    ],
)
def test_tabs_semicolons_and_byte_order_marks_are_understood(tmp_path: Path, name: str, text: str) -> None:
    data = load(written(tmp_path, text, name))
    assert data.x.tolist() == [[1, 2], [3, 4]]
    assert data.class_names == ("x", "z")


def test_parquet_is_read_alike(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.5, 2], "flag": [True, False], "label": ["x", "z"]})
    frame.to_parquet(tmp_path / "t.parquet")
    data = load(str(tmp_path / "t.parquet"))
    assert data.x.tolist() == [[1.5, 1], [2, 0]]
    assert data.class_names == ("x", "z")
    assert table.columns(tmp_path / "t.parquet") == ["a", "flag", "label"]
    (tmp_path / "t.parquet").write_bytes(b"PAR1 no parquet")
    with pytest.raises(DataError, match=r"t\.parquet cannot be read as a table"):
        load(str(tmp_path / "t.parquet"))


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (FLOWERS, "?label=spezies", "has no column “spezies”; it has id, width, height, colour, species"),
        (
            FLOWERS,
            "?lable=species",
            "cannot be read with “lable”; behind the .* may stand label, features, with, without",
        ),
        (FLOWERS, "?label", "is not of the form name=value"),
        (FLOWERS, "?label=species&without=id,width,height,colour", "has no column left"),
        (
            FLOWERS,
            "?label=species&features=width&one-hot=colour",
            "one-hot takes features apart, and “colour” .* none",
        ),
        ("1,2\n3,4\n5,6\n", "", "first line of flowers.csv must name the columns"),
        ("a,b\n1,2\n", "", "has 1 rows"),
        ("", "", "flowers.csv"),
        ("a,b\n1,2,3\n4,5,6\n", "", "cannot be read as a table"),
        ("a,b\n1,2\n1,2,3,4\n", "", "cannot be read as a table"),
        ("a,time\n1,1700000000\n2,1700000003\n", "", "“time” of flowers.csv lies between 1700000000 and 1700000003"),
        ("a,b\n1,inf\n2,3\n", "", "missing, infinite or too large"),
        ("a,label\n1,0.5\n2,1\n", "", "neither whole numbers nor texts"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(tmp_path: Path, text: str, options: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(written(tmp_path, text) + options)


def test_text_in_another_encoding_and_files_that_are_too_large_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "latin.csv").write_bytes("größe,b\n1,2\n3,4\n".encode("latin-1"))
    with pytest.raises(DataError, match="is not text in UTF-8"):
        load(str(tmp_path / "latin.csv"))
    monkeypatch.setattr(table, "MOST_FILE_BYTES", 10)
    with pytest.raises(DataError, match="is larger than"):
        load(written(tmp_path, FLOWERS))


def test_a_file_whose_name_has_a_question_mark_wins_over_options(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is of no format that can be read"):
        load(written(tmp_path, "a,b\n1,2\n3,4\n", "t.csv?label=b"))
