"""Control by a request: what is asked reaches the run, and nobody else may ask."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette

from clustlab.app import control
from clustlab.app.routes import routes
from clustlab.runs import Run, open_run
from clustlab.runs.status import now, process_identity

with warnings.catch_warnings():  # Starlette's client prefers a successor of httpx, which nobody else here needs
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


@pytest.fixture
def client(runs: Path) -> TestClient:
    return TestClient(Starlette(routes=routes()), base_url="http://localhost:8501")


@pytest.fixture
def run_in(record: Callable[..., Run]) -> Callable[[str], Run]:
    """A function that writes a run in some state; this process stands for its worker."""

    def written(state: str) -> Run:
        run = record(state=state)
        status = {"state": state, "step": 100, "heartbeat": now(), **process_identity()}
        run.folder.status.write_text(json.dumps(status))
        return open_run(run.folder.path)

    return written


def address(run: Run) -> str:
    return f"/clustlab/runs/{run.name}/control"


@pytest.mark.parametrize(
    ("state", "act"), [("running", "pause"), ("running", "stop"), ("paused", "resume"), ("queued", "stop")]
)
def test_what_is_asked_is_written_for_the_worker(
    client: TestClient, run_in: Callable[[str], Run], state: str, act: str
) -> None:
    run = run_in(state)
    answer = client.post(address(run), json={"act": act})
    assert (answer.status_code, answer.json()) == (200, {"state": state})
    assert run.folder.control.read_text() == act


def test_a_stopped_run_is_given_a_worker(
    client: TestClient, run_in: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Path] = []
    monkeypatch.setitem(control.ACTS, "resume", lambda run: control.launch.resume(run, start=started.append))
    run = run_in("stopped")
    assert client.post(address(run), json={"act": "resume"}).status_code == 200
    assert started == [run.folder.path]


@pytest.mark.parametrize(("state", "act"), [("finished", "resume"), ("finished", "pause"), ("paused", "pause")])
def test_what_a_state_does_not_allow_is_one_sentence(
    client: TestClient, run_in: Callable[[str], Run], state: str, act: str
) -> None:
    run = run_in(state)
    answer = client.post(address(run), json={"act": act})
    assert answer.status_code == 400
    assert f"is {state} and cannot be" in answer.json()["error"]
    assert not run.folder.control.exists()


@pytest.mark.parametrize("body", [b"", b"pause", b"[]", b'{"act": "delete"}', b'{"act": ["stop"]}', b"x" * 1000])
def test_a_request_for_anything_else_is_refused(client: TestClient, run_in: Callable[[str], Run], body: bytes) -> None:
    run = run_in("running")
    answer = client.post(address(run), content=body)
    assert answer.status_code == 400
    assert "can be asked to pause, resume, stop" in answer.json()["error"]
    assert not run.folder.control.exists()


def test_an_example_cannot_be_changed(
    client: TestClient, run_in: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_in("running")
    monkeypatch.setattr("clustlab.app.state.example_runs", lambda: run.folder.path.parent)
    answer = client.post(address(run), json={"act": "stop"})
    assert answer.status_code == 400
    assert "is a recorded example and cannot be changed" in answer.json()["error"]
    assert not run.folder.control.exists()


@pytest.mark.parametrize("headers", [{"origin": "http://elsewhere.example"}, {"origin": "null"}, {"host": "x.example"}])
def test_other_sites_cannot_ask(client: TestClient, run_in: Callable[[str], Run], headers: dict[str, str]) -> None:
    run = run_in("running")
    assert client.post(address(run), json={"act": "stop"}, headers=headers).status_code == 403
    assert not run.folder.control.exists()


def test_looking_changes_nothing(client: TestClient, run_in: Callable[[str], Run]) -> None:
    run = run_in("running")
    assert client.get(f"{address(run)}?act=stop").status_code == 405
    assert not run.folder.control.exists()


def test_a_run_that_is_not_there_is_one_sentence(client: TestClient) -> None:
    answer = client.post("/clustlab/runs/nobody/control", json={"act": "stop"})
    assert (answer.status_code, list(answer.json())) == (404, ["error"])
