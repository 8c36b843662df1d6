"""The data part of the form: sources that must be fetched, files of one's own."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from clustlab.data import Download, Report
from clustlab.errors import DataError
from clustlab.runs import list_runs

SECONDS = 60


@pytest.fixture
def app(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The laboratory of a person who has no data yet, on a server that only this computer reaches."""
    monkeypatch.setenv("CLUSTLAB_DATA", str(tmp_path / "kept"))
    monkeypatch.setattr("clustlab.app.components.own_data.only_this_computer", lambda: True)

    def script() -> None:
        from clustlab.app.pages import laboratory

        laboratory.page()

    return AppTest.from_function(script, default_timeout=SECONDS).run()


def own(app: AppTest, path: str | Path) -> AppTest:
    app.selectbox(key="form-data").select("own").run()
    return app.text_input(key="form-data-path").set_value(str(path)).run()


def captions(app: AppTest) -> str:
    return " ".join(each.value for each in app.caption)


def train_button(app: AppTest) -> object:
    return next(each for each in app.button if each.label == "Train")


def press_train(app: AppTest) -> None:
    with patch.dict("clustlab.launch.submit.ENGINES", {"process": lambda path: None}):
        train_button(app).click().run()  # type: ignore[attr-defined]


def test_choosing_data_that_must_be_fetched_says_how_much_and_fetches_nothing(app: AppTest, runs: Path) -> None:
    with patch("clustlab.data.fetching.ensure", side_effect=AssertionError("it was fetched")):
        app.selectbox(key="form-data").select("mnist").run()
        assert not app.exception
        assert "70\u202f000 samples · 28 × 28 · 10 classes" in captions(app)
        assert "Not on this computer yet. *Train* fetches about 15 MB from openml.org." in captions(app)
        press_train(app)
    assert not app.exception
    (run,) = list_runs(runs)
    assert run.spec.data == "mnist"


def test_data_can_be_fetched_from_the_form(app: AppTest, tmp_path: Path) -> None:
    def ensure(download: Download, report: Report) -> None:
        report("fetching USPS from openml.org: 1 of about 5 MB, 2 s")
        (tmp_path / "kept" / "fetched").mkdir(parents=True)
        x = np.arange(1, 5)[:, None, None] * np.eye(16)
        np.savez(tmp_path / "kept" / "fetched" / "usps.npz", X=x, y=[0, 1, 1, 0])

    app.selectbox(key="form-data").select("usps").run()
    with patch("clustlab.data.fetching.ensure", ensure):
        app.button(key="form-data-fetch").click().run()
    assert not app.exception
    assert "Not on this computer" not in captions(app)
    assert any("clustlab-strip" in each.proto.body for each in app.get("html"))


def test_data_that_cannot_be_fetched_are_one_sentence(app: AppTest) -> None:
    app.selectbox(key="form-data").select("usps").run()
    with patch("clustlab.data.fetching.ensure", side_effect=DataError("USPS could not be fetched")):
        app.button(key="form-data-fetch").click().run()
    assert [each.value for each in app.error] == ["USPS could not be fetched"]


def test_a_file_of_ones_own_is_shown_and_trained_on(app: AppTest, runs: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", X=np.random.default_rng(0).random((30, 4, 4)), y=np.arange(30) % 3)
    app.selectbox(key="form-data").select("own").run()
    assert "Can be read: .npz" in captions(app)
    assert train_button(app).disabled  # type: ignore[attr-defined]
    app.text_input(key="form-data-path").set_value(str(tmp_path / "mine.npz")).run()
    assert not app.exception
    assert "30 samples · 4 × 4 · 3 classes." in captions(app)
    press_train(app)
    (run,) = list_runs(runs)
    assert (run.spec.data, run.spec.n_clusters) == (str(tmp_path / "mine.npz"), None)


def test_a_table_asks_which_column_holds_the_classes(app: AppTest, runs: Path, tmp_path: Path) -> None:
    rows = "".join(f"{number},{number % 5},{'xyz'[number % 3]}\n" for number in range(30))
    (tmp_path / "t.csv").write_text("a,b,kind\n" + rows)
    own(app, tmp_path / "t.csv")
    assert "“kind”" in app.error[0].value
    assert train_button(app).disabled  # type: ignore[attr-defined]
    next(each for each in app.selectbox if each.label == "Column of the classes").select("kind").run()
    assert not app.error
    next(each for each in app.multiselect if each.label == "Leave out").select("a").run()
    assert "30 samples · 1 · 3 classes. Classes are the column “kind”." in captions(app)
    press_train(app)
    (run,) = list_runs(runs)
    assert run.spec.data == f"{tmp_path / 't.csv'}?label=kind&without=a"


def test_what_is_hardly_a_feature_is_left_out_unless_the_person_takes_it(
    app: AppTest, runs: Path, tmp_path: Path
) -> None:
    rows = "".join(f"{number},{number % 5},{number % 3},{number % 2}\n" for number in range(30))
    (tmp_path / "t.csv").write_text(",a,kind,class\n" + rows)
    own(app, tmp_path / "t.csv")
    next(each for each in app.selectbox if each.label == "Column of the classes").select("kind").run()
    left_out = next(each for each in app.multiselect if each.label == "Leave out")
    assert left_out.value == ["Unnamed: 0", "class"]
    assert "being called like classes" in captions(app)
    left_out.unselect("class").run()
    assert "30 samples · 2 · 3 classes. Classes are the column “kind”." in captions(app)
    press_train(app)
    (run,) = list_runs(runs)
    assert run.spec.data == f"{tmp_path / 't.csv'}?label=kind&with=class"


def test_a_file_that_cannot_be_read_is_one_sentence(app: AppTest, tmp_path: Path) -> None:
    for path, sentence in [(tmp_path / "no.npz", "there is no file"), (tmp_path, "holds no images")]:
        own(app, path)
        assert not app.exception
        assert sentence in app.error[0].value
        assert len(app.error) == 1


@pytest.mark.parametrize("path", ["~nosuchuser/x", "long" * 100])
def test_a_path_that_no_computer_has_is_one_sentence(app: AppTest, path: str) -> None:
    own(app, path)
    assert not app.exception
    (error,) = app.error
    assert "leads to nothing that can be read" in error.value


def test_a_closed_folder_is_one_sentence(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()

    def guarded(look: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def refuse(path: Any = ".") -> Any:
            if str(path) == str(closed):
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return look(path)

        return refuse

    monkeypatch.setattr(os, "listdir", guarded(os.listdir))
    monkeypatch.setattr(os, "scandir", guarded(os.scandir))
    own(app, closed)
    assert not app.exception
    assert [each.value for each in app.error] == [f"the folder {closed} cannot be read (Permission denied)"]


def test_a_server_that_others_reach_takes_uploads_but_no_paths(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustlab.app.components.own_data.only_this_computer", lambda: False)
    app.selectbox(key="form-data").select("own").run()
    assert not app.exception
    assert not [each for each in app.text_input if each.key == "form-data-path"]
    assert app.get("file_uploader")
