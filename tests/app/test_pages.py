"""Pages through Streamlit's own test runner: what they say in every state, what a button leaves on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

import clustlab.app
from clustlab import catalog
from clustlab.app.presets import FIRST, PRESETS
from clustlab.bench.table import HEADER
from clustlab.data import sources
from clustlab.runs import Run, list_runs
from clustlab.spec import RunSpec

SECONDS = 60


def laboratory() -> AppTest:
    def script() -> None:
        from clustlab.app.pages import laboratory

        laboratory.page()

    return AppTest.from_function(script, default_timeout=SECONDS)


def methods_page(method: str) -> AppTest:
    def script() -> None:
        from clustlab.app.pages import methods

        methods.page()

    app = AppTest.from_function(script, default_timeout=SECONDS)
    app.query_params["method"] = method
    return app


def data_page(name: str = "") -> AppTest:
    def script() -> None:
        from clustlab.app.pages import data

        data.page()

    app = AppTest.from_function(script, default_timeout=SECONDS)
    if name:
        app.query_params["data"] = name
    return app


def button(app: AppTest, label: str) -> object:
    return next(each for each in app.button if each.label == label)


def test_no_folder_of_pages_lies_beside_the_script() -> None:
    """Streamlit would take its files for pages, and show an empty one to whoever opens /runs first."""
    source = (Path(__file__).parents[2] / "app.py").read_text()
    assert 'parent / "pages" / "main.py"' in source
    script = Path(clustlab.app.__file__).parent / "pages" / "main.py"
    assert script.is_file()
    assert not (script.parent / "pages").exists()


def test_the_form_follows_from_the_declaration_of_the_options(runs: Path) -> None:
    app = laboratory().run()
    assert not app.exception
    gamma = app.number_input(key="option-idec-cluster_weight")
    assert gamma.label == r"$\gamma$  cluster weight"
    assert (gamma.min, gamma.max, gamma.value) == (0, 100, 0.1)
    assert "Default: 0.1" in gamma.help
    app.selectbox(key="form-method").select("kmeans").run()
    assert not app.exception
    assert "option-idec-cluster_weight" not in [each.key for each in app.number_input]
    assert any("nothing for an extension to join" in caption.value for caption in app.caption)


def test_train_launches_the_spec_that_the_form_shows(runs: Path) -> None:
    started: list[Path] = []
    app = laboratory().run()
    app.number_input(key="option-idec-cluster_weight").set_value(0.3)
    app.number_input(key="option-training-epochs").set_value(7)
    app.number_input(key="form-seed").set_value(11)
    with patch.dict("clustlab.launch.submit.ENGINES", {"process": started.append}):
        button(app, "Train").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    (run,) = list_runs(runs)
    assert started == [run.folder.path]
    assert app.query_params["run"] in (run.name, [run.name])
    assert run.spec == RunSpec.parse(
        {
            "method": "idec",
            "data": "digits",
            "extensions": ["acai"],
            "seed": 11,
            "options": {"cluster_weight": 0.3},
            "training": {"epochs": 7},
        }
    )


def test_the_form_offers_what_can_join_on_schedules_that_are_possible(runs: Path) -> None:
    app = laboratory().run()
    assert app.selectbox(key="option-acai-schedule").options == ["both", "pre", "post"]
    app.selectbox(key="option-acai-schedule").select("post").run()
    app.selectbox(key="form-method").select("dec").run()
    assert not app.exception
    assert app.selectbox(key="option-acai-schedule").options == ["both", "pre"]
    assert app.selectbox(key="option-acai-schedule").value == "both"
    app.selectbox(key="form-method").select("kmeans").run()
    app.selectbox(key="form-method").select("idec").run()
    assert not app.exception


def test_data_without_classes_ask_for_the_number_of_clusters(runs: Path) -> None:
    started: list[Path] = []
    app = laboratory().run()
    app.selectbox(key="form-data").select("lines").run()
    assert not app.exception
    assert button(app, "Train").disabled  # type: ignore[attr-defined]
    assert any("no classes" in caption.value for caption in app.caption)
    app.number_input(key="form-clusters").set_value(4).run()
    assert not button(app, "Train").disabled  # type: ignore[attr-defined]
    with patch.dict("clustlab.launch.submit.ENGINES", {"process": started.append}):
        button(app, "Train").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    (run,) = list_runs(runs)
    assert (run.spec.data, run.spec.n_clusters) == ("lines", 4)


def test_a_first_visitor_begins_with_one_button(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustlab.app.state.example_runs", lambda: runs / "no examples")
    started: list[Path] = []
    app = laboratory().run()
    assert [title.value for title in app.title] == ["Watch a latent space organise itself"]
    with patch.dict("clustlab.launch.submit.ENGINES", {"process": started.append}):
        button(app, "Train IDEC with the critic on digits").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    (run,) = list_runs(runs)
    assert started == [run.folder.path]
    assert (run.spec.method, run.spec.data, list(run.spec.extensions)) == ("idec", "digits", ["acai"])
    assert app.query_params["run"] in (run.name, [run.name])


def test_every_preset_can_run_and_says_which_network_it_has() -> None:
    for preset in PRESETS.values():
        catalog.check(preset.spec)
        network, method = preset.spec.network, catalog.described()["methods"][preset.spec.method]
        if "hidden" in method["options"]:  # a classifier declares its network itself
            hidden = preset.spec.options.get("hidden", method["options"]["hidden"]["default"])
            assert f"-{hidden}-" in preset.promise
        elif "network" not in method["uses"]:
            assert preset.promise.startswith("No network")
        elif network.kind == "mlp":
            assert f"-{network.hidden}-{network.latent_dim}" in preset.promise
        else:
            assert preset.promise.startswith("Convolutions")
    assert FIRST in PRESETS
    assert {preset.spec.method for preset in PRESETS.values()} >= {"idec", "dec", "kmeans", "imsat-vat"}


def test_the_settings_of_the_paper_are_one_click_away(runs: Path) -> None:
    app = laboratory().run()
    app.selectbox(key="form-method").select("dec").run()
    button(app, "Settings of the paper").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    assert app.text_input(key="option-network-hidden").value == "500-500-2000"
    assert app.selectbox(key="option-training-pretraining").value == "stacked denoising"
    (toast,) = app.toast
    assert "hidden = 500-500-2000" in toast.value
    app.selectbox(key="form-method").select("kmeans").run()
    assert "Settings of the paper" not in [each.label for each in app.button]


def test_the_convolutions_of_a_paper_are_not_offered_for_vectors(runs: Path) -> None:
    app = laboratory().run()
    app.selectbox(key="form-method").select("vae-kmeans").run()
    assert not app.button(key="paper-settings").disabled
    app.selectbox(key="form-data").select("blobs").run()
    assert app.button(key="paper-settings").disabled
    assert "needs images" in app.button(key="paper-settings").help


def test_what_a_preset_promises_is_said_as_long_as_it_holds(runs: Path) -> None:
    preset = PRESETS[FIRST]
    app = laboratory().run()
    app.selectbox(key="form-preset").select(FIRST).run()
    assert preset.promise in [each.value for each in app.caption]
    app.selectbox(key="form-data").select("stripes").run()
    assert preset.promise not in [each.value for each in app.caption]


def test_the_form_shows_samples_of_the_data(runs: Path) -> None:
    app = laboratory().run()
    (strip,) = [each.proto.body for each in app.get("html") if "clustlab-strip" in each.proto.body]
    assert "data:image/png;base64," in strip
    app.selectbox(key="form-data").select("stripes").run()
    (other,) = [each.proto.body for each in app.get("html") if "clustlab-strip" in each.proto.body]
    assert other != strip


def test_a_spec_that_cannot_run_is_one_sentence_on_the_page(runs: Path) -> None:
    app = laboratory().run()
    app.selectbox(key="form-data").select("blobs").run()
    app.number_input(key="form-clusters").set_value(999)
    button(app, "Train").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    assert len(app.error) == 1
    assert "there cannot be more clusters than samples" in app.error[0].value
    assert list(runs.iterdir()) == []


def test_a_runs_folder_that_cannot_be_written_is_one_sentence_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CLUSTLAB_RUNS", str(tmp_path / "file"))
    app = laboratory().run()
    button(app, "Train").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    assert ["cannot be written" in each.value for each in app.error] == [True]


def test_a_preset_fills_the_form(runs: Path) -> None:
    app = laboratory().run()
    app.selectbox(key="form-preset").select("A latent space that is a plane").run()
    assert not app.exception
    assert app.number_input(key="option-network-latent_dim").value == 2


@pytest.mark.parametrize("link", ["nobody", "../etc", "a/b"])
def test_a_link_to_a_run_that_is_not_there_is_one_sentence(runs: Path, link: str) -> None:
    app = laboratory()
    app.query_params["run"] = link
    app.run()
    assert not app.exception
    assert ["cannot be shown" in each.value for each in app.error] == [True]


@pytest.mark.parametrize("lost", ["result.npz", "frames.jsonl", "scalars.jsonl", "events.jsonl", "sample.npz"])
def test_a_damaged_run_is_a_sentence_on_its_page(record: Callable[..., Run], lost: str) -> None:
    damaged = record()
    (damaged.folder.path / lost).write_bytes(b"\0\n")
    app = laboratory()
    app.query_params["run"] = damaged.name
    app.run()
    assert not app.exception
    assert all(f"{damaged.name}/{lost} is damaged" in each.value for each in app.error)
    assert len(app.error) == (lost in ("frames.jsonl", "scalars.jsonl", "sample.npz"))


@pytest.mark.parametrize("name", [*catalog.described()["methods"], *catalog.described()["extensions"]])
def test_every_method_and_extension_has_a_page(runs: Path, name: str) -> None:
    known = catalog.described()
    entry = {**known["methods"], **known["extensions"]}[name]
    app = methods_page(name).run()
    assert not app.exception
    assert app.subheader[0].value == entry["card"]["title"]
    assert app.latex[0].value.strip().strip("$").strip() == entry["card"]["objective"]
    text = "\n".join(each.value for each in app.markdown)
    written = [symbol.replace(r"\|", r"\Vert ").replace("|", r"\vert ") for symbol in entry["card"]["symbols"]]
    assert all(f"| ${symbol}$ |" in text for symbol in written)
    tables = [each.value for each in app.markdown if each.value.startswith("| ")]
    assert all(len({row.count("|") for row in table.split("\n")}) == 1 for table in tables), "a bar ends a cell"
    assert all(sentence in text for part in ("algorithm", "pitfalls", "deviations") for sentence in entry["card"][part])
    assert all(f"`{option}`" in text for option in entry["options"])


def test_tables_of_the_same_data_are_told_apart_on_the_page_of_a_method(runs: Path) -> None:
    header, row = ",".join(HEADER), "kmeans,none,digits,0,finished,0.5"
    for name in ("first", "second"):
        (runs / f"{name}.csv").write_text(f"{header}\n{row}{',' * (header.count(',') - row.count(','))}\n")
        (runs / f"{name}.protocol.json").write_text('{"seeds": [0]}')
    app = methods_page("kmeans").run()
    assert not app.exception
    measured = next(each.value for each in app.dataframe if "seeds" in each.value)
    alone = measured[measured["joined by"] == "–"]["data"]
    assert alone.is_unique
    assert {"digits", "digits (first.csv)", "digits (second.csv)"} <= set(alone)


def test_the_form_opens_with_the_method_of_the_card(runs: Path) -> None:
    def script() -> None:
        import streamlit as st

        from clustlab.app.pages import laboratory
        from clustlab.app.state import show_in_form

        if "shown" not in st.session_state:
            st.session_state["shown"] = True
            show_in_form("dec")
        laboratory.page()

    app = AppTest.from_function(script, default_timeout=SECONDS).run()
    assert not app.exception
    assert app.selectbox(key="form-method").value == "dec"


@pytest.mark.parametrize("name", ["digits", "blobs", "lines"])
def test_data_are_shown_before_anything_is_trained(runs: Path, name: str) -> None:
    app = data_page(name).run()
    assert not app.exception
    assert not app.error
    known = {source.name: source for source in sources()}[name]
    assert app.subheader[0].value == known.title
    assert len(app.get("plotly_chart")) == (2 if known.n_classes else 1)
    assert any(f"{known.n:,}".replace(",", "\u202f") in each.value for each in app.caption)
    assert ("no classes" in " ".join(each.value for each in app.caption)) == (not known.n_classes)


def test_data_that_are_not_here_are_offered_and_not_fetched(runs: Path) -> None:
    app = data_page("fashion-mnist").run()
    assert not app.exception
    assert any("Not on this computer yet" in each.value for each in app.caption)
    assert not app.get("plotly_chart")


def test_the_form_opens_with_the_data_of_the_card(runs: Path) -> None:
    app = data_page("blobs").run()
    button(app, "Train on it").click()  # type: ignore[attr-defined]
    with patch("streamlit.switch_page") as opened:
        app.session_state["session-laboratory"] = "laboratory"
        app.run()
    assert opened.call_args.args == ("laboratory",)
    assert app.session_state["form-data"] == "blobs"


def test_k_means_on_the_data_is_an_ordinary_run(runs: Path) -> None:
    app = data_page("blobs").run()
    app.session_state["session-laboratory"] = "laboratory"
    button(app, "Run k-means and watch").click()  # type: ignore[attr-defined]
    with patch("streamlit.switch_page") as opened, patch("clustlab.launch.process.start"):
        app.run()
    (run,) = list_runs(runs)
    assert (run.spec.method, run.spec.data) == ("kmeans", "blobs")
    assert opened.call_args.kwargs["query_params"] == {"run": run.name}


def test_k_means_says_why_it_cannot_be_run_on_data_without_classes(runs: Path) -> None:
    app = data_page("lines").run()
    assert app.button(key="data-kmeans").disabled
    assert any("lets you say how many" in each.value for each in app.caption)
