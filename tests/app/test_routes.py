"""The routes: what they send of a run folder, whom they refuse, and that they follow a run which grows."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.websockets import WebSocketDisconnect

from clustlab.app.components import assets
from clustlab.app.routes import routes
from clustlab.errors import ClustlabError
from clustlab.runs import Run
from clustlab.runs.layout import RunFolder, write_aside
from clustlab.runs.writer import RunWriter, write_spec
from clustlab.spec import RunSpec

with warnings.catch_warnings():  # Starlette's client prefers a successor of httpx, which nobody else here needs
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

N_SAMPLES, N_CLUSTERS = 12, 3
LIVE = "ws://localhost:8501/clustlab/runs/idec-digits-0001/live"
PHASES = [
    {"name": name, "title": name, "steps": 20, "terms": [], "offers": ["encode"], "frozen_decoder": False}
    for name in ("pretrain", "cluster")
]


def start_run(runs: Path, name: str = "idec-digits-0001") -> RunWriter:
    """A run folder as a worker leaves it before its first frame."""
    folder = RunFolder(runs / name)
    folder.path.mkdir(parents=True)
    write_spec(folder, RunSpec(method="idec").to_json())
    writer = RunWriter(folder)
    dataset = {"name": "digits", "n": N_SAMPLES, "shape": [2, 2], "kind": "image", "n_classes": 2}
    dataset["class_names"] = ["<b>zero</b>", "one"]
    writer.about({"title": "IDEC on digits", "phases": PHASES, "dataset": dataset, "n_clusters": N_CLUSTERS})
    pictures = np.arange(N_SAMPLES * 4, dtype=np.uint8).reshape(N_SAMPLES, 2, 2)
    writer.sample({"index": np.arange(N_SAMPLES), "thumbnails": pictures, "y": np.arange(N_SAMPLES) % 2})
    writer.status(state="running", phase="pretrain", total_steps=40)
    return writer


def add_frame(writer: RunWriter, step: int, *, soft: bool = False) -> None:
    """One more frame, projected by PCA already."""
    draw = np.random.default_rng(step)
    codes = draw.normal(size=(N_SAMPLES, 4)).astype(np.float32)
    arrays = {
        "codes": codes,
        "centroids": codes[:N_CLUSTERS],
        "labels": (np.arange(N_SAMPLES) % N_CLUSTERS).astype(np.int16),
        "confidence": np.linspace(0, 1, N_SAMPLES).astype(np.float16),
    }
    if soft:
        arrays["q"] = np.full((N_SAMPLES, N_CLUSTERS), 1 / N_CLUSTERS, np.float16)
    folder = writer.folder.projection("pca")
    folder.mkdir(parents=True, exist_ok=True)
    coordinates = {"points": codes[:, :2], "centroids": codes[:N_CLUSTERS, :2]}
    write_aside(folder / f"{step:06d}.npz", lambda stream: np.savez(stream, **coordinates))
    writer.frame({"step": step, "phase": "cluster" if soft else "pretrain", "metrics": {"acc": 0.5}}, arrays)


def unpack(message: bytes) -> tuple[dict, bytes]:
    """Header and buffers of a binary message."""
    length = int.from_bytes(message[:4], "little")
    return json.loads(message[4 : 4 + length]), message[4 + length :]


@pytest.fixture
def writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunWriter:
    monkeypatch.setenv("CLUSTLAB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("clustlab.projections.service.request", lambda folder, projection, frame=None: None)
    started = start_run(tmp_path / "runs")
    for step in (10, 20):
        add_frame(started, step)
    return started


@pytest.fixture
def client(writer: RunWriter) -> TestClient:
    return TestClient(Starlette(routes=routes()), base_url="http://localhost:8501")


def test_about_describes_the_run_before_the_first_frame_is_drawn(client: TestClient) -> None:
    about = client.get("/clustlab/runs/idec-digits-0001/about").json()
    assert about["title"] == "IDEC on digits"
    assert about["status"]["state"] == "running"
    assert [record["step"] for record in about["records"]] == [10, 20]
    assert len(set(about["palette"]["clusters"])) == N_CLUSTERS
    assert "pca" in [projection["name"] for projection in about["projections"]]


def test_sample_and_thumbnails_fit_each_other(client: TestClient) -> None:
    sample = client.get("/clustlab/runs/idec-digits-0001/sample").json()
    assert sample["thumbnails"] == [N_SAMPLES, 2, 2]
    assert sample["class_names"][0] == "<b>zero</b>"
    pictures = client.get("/clustlab/runs/idec-digits-0001/thumbnails").content
    assert pictures == bytes(range(N_SAMPLES * 4))


def test_points_are_the_recorded_coordinates_and_may_be_kept(client: TestClient) -> None:
    answer = client.get("/clustlab/runs/idec-digits-0001/points/pca?frames=0-1")
    header, buffers = unpack(answer.content)
    assert "immutable" in answer.headers["cache-control"]
    assert [(entry["frame"], entry["step"]) for entry in header["frames"]] == [(0, 10), (1, 20)]
    codes = np.random.default_rng(20).normal(size=(N_SAMPLES, 4)).astype(np.float32)
    at = header["frames"][1]["at"]
    points = np.frombuffer(buffers, "<f4", 2 * N_SAMPLES, at).reshape(-1, 2)
    np.testing.assert_array_equal(points, codes[:, :2])
    at += points.nbytes + 8 * N_CLUSTERS
    assert np.frombuffer(buffers, "<u2", N_SAMPLES, at).tolist() == [i % N_CLUSTERS for i in range(N_SAMPLES)]
    shades = np.frombuffer(buffers, np.uint8, N_SAMPLES, at + 2 * N_SAMPLES)
    assert (shades[0], shades[-1]) == (0, 255)


def test_frames_that_are_not_projected_yet_are_left_out_and_not_cached(client: TestClient) -> None:
    answer = client.get("/clustlab/runs/idec-digits-0001/points/pca?frames=1-5")
    assert [entry["frame"] for entry in unpack(answer.content)[0]["frames"]] == [1]
    assert answer.headers["cache-control"] == "no-store"
    header, buffers = unpack(client.get("/clustlab/runs/idec-digits-0001/points/umap?frames=0-1").content)
    assert (header["frames"], buffers) == ([], b"")


@pytest.mark.parametrize(("shown", "asked"), [("0", []), ("1", [1]), ("2", []), ("9", [])])
def test_the_frame_looked_at_is_asked_for_only_if_it_waits_for_its_coordinates(
    client: TestClient, writer: RunWriter, monkeypatch: pytest.MonkeyPatch, shown: str, asked: list[int]
) -> None:
    requested: list[int | None] = []
    monkeypatch.setattr(
        "clustlab.projections.service.request", lambda folder, name, frame=None: requested.append(frame)
    )
    add_frame(writer, 30)
    folder = writer.folder.projection("pca")
    for step in (20, 30):
        (folder / f"{step:06d}.npz").unlink()
    (folder / "projection.json").write_text(json.dumps({"problems": {"000030.npz": "training has diverged here"}}))
    answer = client.get(f"/clustlab/runs/idec-digits-0001/points/pca?frames=0-2&shown={shown}")
    assert [entry["frame"] for entry in unpack(answer.content)[0]["frames"]] == [0]
    assert requested == asked
    client.get("/clustlab/runs/idec-digits-0001/points/pca?frames=0-2")
    assert requested == asked


@pytest.mark.parametrize("shown", ["", "x", "-1", "1.5", "12345678", "1-2"])
def test_a_senseless_frame_looked_at_is_refused(client: TestClient, shown: str) -> None:
    answer = client.get(f"/clustlab/runs/idec-digits-0001/points/pca?frames=0-1&shown={shown}")
    assert answer.status_code == 400
    assert answer.json() == {"error": "shown must be the number of a frame"}


def test_nobody_asks_for_a_finished_run_whose_frames_have_all_been_dealt_with(
    client: TestClient, writer: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    requested: list[str] = []
    monkeypatch.setattr("clustlab.projections.service.request", lambda folder, name, frame=None: requested.append(name))
    folder = writer.folder.projection("pca")
    (folder / "000020.npz").unlink()
    (folder / "projection.json").write_text(json.dumps({"problems": {"000020.npz": "training has diverged here"}}))
    writer.status(state="finished")
    with client.websocket_connect(f"{LIVE}?projections=pca") as live:
        news: dict = {}
        while "projected" not in news:
            message = live.receive()
            news |= json.loads(message["text"]) if message.get("text") else {}
    assert news["projected"] == {"pca": {"n_frames": 1, "problems": {"1": "training has diverged here"}}}
    assert requested == []


def test_beliefs_are_q_as_bytes_and_nothing_where_assignment_is_hard(client: TestClient, writer: RunWriter) -> None:
    add_frame(writer, 30, soft=True)
    with np.load(writer.folder.frames / "000030.npz") as file:
        expected = np.round(file["q"].astype(np.float32) * 255).astype(np.uint8)
    answer = client.get("/clustlab/runs/idec-digits-0001/beliefs/2")
    np.testing.assert_array_equal(np.frombuffer(answer.content, np.uint8).reshape(N_SAMPLES, N_CLUSTERS), expected)
    assert client.get("/clustlab/runs/idec-digits-0001/beliefs/0").content == b""
    missing = client.get("/clustlab/runs/idec-digits-0001/beliefs/9")
    assert (missing.status_code, missing.json()) == (404, {"error": "the run has no frame 9"})


def test_a_figure_is_drawn_and_one_that_cannot_be_says_from_when_on(client: TestClient, writer: RunWriter) -> None:
    add_frame(writer, 30, soft=True)
    drawn = client.get("/clustlab/runs/idec-digits-0001/figures/p-and-q?frame=2").json()
    assert drawn["data"]
    assert client.get("/clustlab/runs/idec-digits-0001/figures/p-and-q?frame=0").json() == {
        "unavailable": "Nothing of it at this moment; it was first recorded in the cluster phase."
    }
    panels = client.get("/clustlab/runs/idec-digits-0001/panels?frame=0").json()["panels"]
    assert {panel["name"]: panel["available"] for panel in panels}["p-and-q"] is False
    refused = client.get("/clustlab/runs/idec-digits-0001/figures/p-and-q?frame=2&selected=99")
    assert refused.status_code == 400
    assert "sample 99" in refused.json()["error"]


def test_what_lies_between_two_samples_waits_for_a_model_in_a_sentence(client: TestClient, writer: RunWriter) -> None:
    frame = dict(np.load(writer.folder.frames / "000020.npz")) | {"model_cluster": np.arange(N_CLUSTERS)}
    writer.frame({"step": 40, "phase": "pretrain", "metrics": {}}, frame)
    answer = client.get("/clustlab/runs/idec-digits-0001/figures/pair?frame=2&selected=0&other=3")
    assert answer.status_code == 200
    assert answer.json()["unavailable"].startswith("This run has kept no model yet")
    refused = client.get("/clustlab/runs/idec-digits-0001/figures/pair?frame=2&selected=0&other=99")
    assert "sample 99" in refused.json()["error"]
    panels = client.get("/clustlab/runs/idec-digits-0001/panels").json()["panels"]
    takes = {panel["name"]: panel["takes"] for panel in panels}
    assert (takes["pair"], takes["story"], takes["confusion"]) == (["other"], ["projection"], [])


def test_the_socket_tells_what_was_missed_and_then_every_new_frame(client: TestClient, writer: RunWriter) -> None:
    with client.websocket_connect(f"{LIVE}?records=1&projections=pca") as live:
        records, frames = [], []

        def listen(until: int) -> None:
            while until not in [record["frame"] for record in records] or until not in frames:
                message = live.receive()
                if message.get("bytes"):
                    frames.extend(entry["frame"] for entry in unpack(message["bytes"])[0]["frames"])
                else:
                    records.extend(json.loads(message["text"]).get("records", []))

        listen(until=1)
        add_frame(writer, 30)
        listen(until=2)
    assert [record["frame"] for record in records] == [1, 2]
    assert frames == [1, 2]


def test_a_viewer_may_ask_for_another_projection(client: TestClient) -> None:
    with client.websocket_connect(f"{LIVE}?records=2") as live:
        live.send_text("not JSON")
        live.send_text(json.dumps({"projections": ["pca", "../x"]}))
        message: dict = {}
        while not message.get("bytes"):
            message = live.receive()
    assert unpack(message["bytes"])[0]["projection"] == "pca"


def test_a_projection_that_fails_silences_nothing_else(
    client: TestClient, writer: RunWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path, projection: str) -> None:
        raise ClustlabError(f"there is no projection {projection}")

    monkeypatch.setattr("clustlab.projections.service.request", refuse)
    with client.websocket_connect(f"{LIVE}?projections=nonsense") as live:
        news: dict = {}
        while not {"records", "status"} <= news.keys():
            news |= json.loads(live.receive_text())
    assert [record["step"] for record in news["records"]] == [10, 20]
    assert news["status"]["state"] == "running"


def test_what_threads_confuse_is_read_once_more(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def describe(run: Run) -> dict[str, Any]:
        asked.append(run)
        if len(asked) != 2:
            raise SystemError("AST constructor recursion depth mismatch (before=66, after=51)")
        return {}

    monkeypatch.setattr("clustlab.views.payload.describe", describe)
    assert client.get("/clustlab/runs/idec-digits-0001/about").status_code == 200
    assert client.get("/clustlab/runs/idec-digits-0001/about").status_code == 500
    assert len(asked) == 4


@pytest.mark.parametrize("headers", [{"origin": "http://elsewhere.example"}, {"host": "rebound.example:8501"}])
def test_other_sites_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.get("/clustlab/runs/idec-digits-0001/about", headers=headers)
    assert answer.status_code == 403
    assert list(answer.json()) == ["error"]
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(LIVE, headers=headers) as live,
    ):
        live.receive()


def test_the_same_site_is_let_in(client: TestClient) -> None:
    answer = client.get("/clustlab/runs/idec-digits-0001/about", headers={"origin": "http://localhost:8501"})
    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["nothing-0000", "..", "%2e%2e", "..%2fruns%2fidec-digits-0001", ".hidden", "link"])
def test_only_runs_in_the_folder_are_found(client: TestClient, tmp_path: Path, name: str) -> None:
    start_run(tmp_path / "outside", "secret")
    (tmp_path / "runs" / "link").symlink_to(tmp_path / "outside" / "secret")
    start_run(tmp_path / "runs", ".hidden")
    answer = client.get(f"/clustlab/runs/{name}/about")
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_an_unknown_run_is_refused_with_one_sentence(client: TestClient) -> None:
    refused = client.get("/clustlab/runs/nothing-0000/about").json()
    assert refused == {"error": "there is no run of this name in the runs folder"}
    with client.websocket_connect("ws://localhost:8501/clustlab/runs/nothing-0000/live") as live:
        assert json.loads(live.receive_text()) == refused


@pytest.mark.parametrize("frames", ["", "a-b", "3-1", "0-5000", "-1-2"])
def test_senseless_batches_are_refused(client: TestClient, frames: str) -> None:
    answer = client.get(f"/clustlab/runs/idec-digits-0001/points/pca?frames={frames}")
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_static_files_are_kept_under_their_hash_only(client: TestClient) -> None:
    kept = client.get(f"/clustlab/static/{assets.version()}/bus.js")
    assert "immutable" in kept.headers["cache-control"]
    assert "text/javascript" in kept.headers["content-type"]
    assert client.get("/clustlab/static/older/bus.js").headers["cache-control"] == "no-store"
    assert client.get(f"/clustlab/static/{assets.version()}/plotly.min.js").status_code == 200
    for name in ("..%2fassets.py", "assets.py", "nothing.js"):
        assert client.get(f"/clustlab/static/{assets.version()}/{name}").status_code == 404


def test_the_server_stops_while_somebody_looks(writer: RunWriter, tmp_path: Path) -> None:
    script = tmp_path / "serve.py"
    script.write_text(
        "import sys, uvicorn\n"
        "from starlette.applications import Starlette\n"
        "from clustlab.app.routes import routes\n"
        "uvicorn.run(Starlette(routes=routes()), port=int(sys.argv[1]), log_level='warning')\n"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    server = subprocess.Popen([sys.executable, str(script), str(port)], env=environment)
    try:
        with connected(port) as viewer:
            assert viewer.recv(64).startswith(b"HTTP/1.1 101")
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=20) in (0, -signal.SIGTERM)
    finally:
        server.kill()


def connected(port: int) -> socket.socket:
    """A viewer's socket, opened by hand so that nothing on this side answers the server's farewell."""
    for _ in range(200):
        try:
            viewer = socket.create_connection(("127.0.0.1", port), timeout=20)
        except ConnectionRefusedError:
            time.sleep(0.1)
            continue
        viewer.sendall(
            f"GET /clustlab/runs/idec-digits-0001/live HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        return viewer
    raise TimeoutError("the server did not start")
