"""The command line: what it prints, how it refuses."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from interrupted import interrupted

import clustlab
from clustlab import cli
from clustlab.runs import Run

Command = Callable[..., tuple[int, str, str]]

ROOT = Path(__file__).resolve().parents[1]

FAST = ["--set", "training.epochs=2", "--set", "training.threads=1", "--set", "network.hidden=16"]


@pytest.fixture
def command(runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """A function that runs a command line and returns exit status, standard output and standard error."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["clustlab", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_train_prints_the_folder_last_and_show_prints_what_scripts_need(command: Command, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    code, out, err = command(
        "train", "idec", "--data", "blobs", "--extension", "acai", "--seed", "4", "--runs", elsewhere, *FAST,
        "--set", "cluster_weight=0.2", "--set", "extensions.acai.critic_weight=1",
    )  # fmt: skip
    assert code == 0, err
    folder = Path(out.splitlines()[-1])
    assert folder.parent == elsewhere.resolve()
    assert "acc" in err
    code, out, _ = command("show", folder.name, "--json", "--runs", elsewhere)
    shown = json.loads(out)
    assert code == 0
    assert shown["state"] == "finished"
    assert (shown["method"], shown["extensions"], shown["data"], shown["seed"]) == ("idec", ["acai"], "blobs", 4)
    assert set(shown["metrics"]) >= {"acc", "nmi", "ari"}
    assert shown["metrics_on"] == "data set"
    assert shown["protocol"] == "argmax of the soft assignments, all samples"
    assert shown["n_frames"] == len(clustlab.open_run(folder).frames)
    assert shown["wall_s"] > 0
    assert shown["folder"] == str(folder)
    assert shown["spec"]["options"] == {"cluster_weight": 0.2}
    assert shown["spec"]["extensions"] == {"acai": {"critic_weight": 1}}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "idek"], "there is no method “idek”"),
        (["train", "idec", "--data", "nowhere.npz"], "nowhere.npz"),
        (["train", "idec", "--data", "digts"], "there is no data source “digts”"),
        (["train", "idec", "--set", "gamma=1"], "there is no option “gamma”"),
        (["train", "idec", "--set", "cluster_weight=-1"], "it must be at least 0"),
        (["train", "idec", "--set", "training.epochs=many"], "training.epochs"),
        (["train", "idec", "--set", "cluster_weight"], "write name=value"),
        (["train", "idec", "--set", "trainning.epochs=1"], "dotted names begin with"),
        (["train", "idec", "--data", "blobs", "--n-clusters", "700"], "there cannot be more clusters than samples"),
        (["train", "kmeans", "--set", "network.hidden=8"], "so network.hidden would have no effect"),
        (["train", "ae-kmeans", "--data", "lines"], "say how many clusters to look for (n_clusters)"),
        (["train", "dec", "--extension", "acai", "--set", "extensions.acai.schedule=post"], "finds no phase to join"),
        (["train", "kmeans", "--extension", "acai"], "nothing for an extension to join"),
        (["train", "idec", "--extension", "critic"], "there is no extension “critic”"),
        (["show", "nobody"], "there is no run “nobody”"),
        (["resume", "nobody"], "there is no run “nobody”"),
        (["import", "nowhere.zip"], "nowhere.zip"),
    ],
)
def test_bad_input_is_one_line_on_standard_error(
    command: Command, runs: Path, arguments: list[str], sentence: str
) -> None:
    code, out, err = command(*arguments)
    assert code == 1
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert out == ""
    assert list(runs.iterdir()) == []


def test_a_run_of_a_newer_format_is_refused_in_one_line(command: Command, record: Callable[..., Run]) -> None:
    run = record()
    spec = json.loads(run.folder.spec.read_text())
    run.folder.spec.write_text(json.dumps({**spec, "format": 99}))
    code, _, err = command("show", run.name)
    assert code == 1
    assert "written by a newer clustlab" in err
    assert len(err.strip().splitlines()) == 1


def test_runs_are_listed_and_controlled_by_name(command: Command, record: Callable[..., Run]) -> None:
    run = record()
    code, out, _ = command("runs", "--json")
    assert code == 0
    assert [each["run"] for each in json.loads(out)] == [run.name]
    code, out, _ = command("runs")
    assert run.name in out
    for wish in ("pause", "stop"):
        code, _, err = command(wish, run.name)
        assert code == 1
        assert "is finished" in err


def test_names_of_data_are_texts_and_no_markup(command: Command, tmp_path: Path) -> None:
    np.savez(tmp_path / "a[bold]b.npz", X=np.eye(4), y=[0, 1, 0, 1])
    code, out, err = command("data", str(tmp_path / "a[bold]b.npz"))
    assert code == 0, err
    assert out.startswith("a[bold]b: 4 samples of 4")


def test_methods_and_data_are_described(command: Command) -> None:
    _, out, _ = command("methods", "--json")
    described = json.loads(out)
    gamma = described["methods"]["idec"]["options"]["cluster_weight"]
    assert gamma["symbol"] == r"\gamma"
    assert (gamma["minimum"], gamma["maximum"], gamma["default"]) == (0, 100, 0.1)
    assert "acai" in described["extensions"]
    _, out, _ = command("data", "--json")
    assert {source["name"] for source in json.loads(out)} >= {"digits", "mnist-sample", "blobs", "stripes"}
    for words in (["methods"], ["data"]):
        code, out, _ = command(*words)
        assert code == 0
        assert len(out.splitlines()) >= 4


def test_methods_says_what_goes_together_and_why_not(command: Command) -> None:
    _, out, _ = command("methods")
    rows = {line.split()[0]: line for line in out.split("Where extensions can join")[1].splitlines() if line.split()}
    assert "pre + post" in rows["idec"]
    assert "post" not in rows["dec"]
    assert "–" in rows["kmeans"]
    assert "k-means trains no network, so there is nothing for an extension to join" in out


def test_a_benchmark_says_what_is_missing(command: Command, runs: Path) -> None:
    for words, sentence in [
        (["bench"], "say what to compare"),
        (["bench", "--method", "idec", "--set", "gamma=1"], "concerns no cell"),
        (["bench", "--method", "idec", "--seeds", "few"], "asks for no seeds"),
        (["bench", "--method", "idec", "--engine", "cloud"], "there is no engine “cloud” for benchmarks"),
        (["bench", "--method", "idec", "--address", "tcp://host:8786"], "go with --engine dask"),
        (["bench", "--method", "idec", "--engine", "dask", "--store", "nowhere://runs"], "cannot be reached"),
        (["bench", "lines", "nobody"], "there is no run “nobody”"),
        (["bench", "--out", "s.csv", "speed"], "write the options of speed behind its name"),
    ]:
        code, out, err = command(*words)
        assert (code, out) == (1, "")
        assert sentence in err
    assert list(runs.iterdir()) == []


def test_interpolation_between_lines_is_measured(command: Command, runs: Path) -> None:
    code, out, err = command(
        "train", "ae-kmeans", "--data", "lines", "--n-clusters", "2", *FAST, "--set", "training.epochs=1"
    )
    assert code == 0, err
    name = Path(out.strip()).name
    code, out, err = command("bench", "lines", name, "--json")
    assert code == 0, err
    (found,) = json.loads(out)
    assert found["run"] == name
    assert 0 < found["distance"] < 0.1
    assert 0 <= found["undefined"] <= 1
    assert "×" in command("bench", "lines", name)[1]


def test_a_run_travels_as_a_zip(command: Command, record: Callable[..., Run], tmp_path: Path) -> None:
    run = record()
    target = tmp_path / "run.zip"
    assert command("export", run.name, target)[0] == 0
    assert command("export", run.name, target)[0] == 1  # nothing is overwritten
    code, out, err = command("import", target, "--runs", tmp_path / "there")
    assert code == 0, err
    assert len(clustlab.open_run(out.strip()).frames) == len(run.frames)


def test_a_run_is_exported_as_a_replay_by_the_suffix(
    command: Command, record: Callable[..., Run], tmp_path: Path
) -> None:
    run = record()
    code, out, err = command("export", run.name, tmp_path / "replay.html", "--no-figures", "--megabytes", "5")
    assert code == 0, err
    assert Path(out.strip()) == tmp_path / "replay.html"
    assert b"Content-Security-Policy" in (tmp_path / "replay.html").read_bytes()
    for arguments, sentence in [
        (["replay.html"], "exists already"),
        (["run.tar"], "write .zip or .html"),
        (["run.zip", "--megabytes", "5"], "a zip holds the whole run"),
        (["nowhere/replay.html", "--no-figures"], "cannot be written"),
    ]:
        code, _, err = command("export", run.name, tmp_path / arguments[0], *arguments[1:])
        assert code == 1
        assert sentence in err
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["replay.html"]


@pytest.mark.slow
def test_ctrl_c_stops_in_good_order_and_resume_finishes(runs: Path) -> None:
    words = ["train", "ae-kmeans", "--data", "blobs", "--runs", str(runs)]
    words += ["--set", "training.epochs=20", "--set", "training.threads=1", "--set", "network.hidden=16"]
    stopped = interrupted(words, runs)
    assert stopped.returncode == 130, stopped.stderr
    run = clustlab.open_run(stopped.stdout.strip().splitlines()[-1])
    assert run.state == "stopped"
    again = subprocess.run(
        [sys.executable, "-m", "clustlab.cli", "resume", run.name, "--runs", str(runs)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert run.state == "finished"


def test_the_app_opens_on_a_fresh_machine_and_asks_no_questions(tmp_path: Path) -> None:
    """A home without Streamlit's notes, nobody at the terminal, and a browser that is opened (here: a command)."""
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        port = listener.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "clustlab", "app", "--port", str(port), "--runs", str(tmp_path / "runs")],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "BROWSER": "true", "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            with suppress(OSError), urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2) as got:
                assert got.status == 200
                break
            time.sleep(0.1)
    finally:
        process.terminate()
        printed, _ = process.communicate(timeout=30)
    assert printed.splitlines()[0] == f"clustlab is at http://localhost:{port}; Ctrl-C ends it."
    assert not re.search("email|streamlit|agents", printed, re.IGNORECASE)
    with socket.socket() as free:
        assert free.connect_ex(("localhost", port)) != 0, "who stops clustlab app stops the server"
