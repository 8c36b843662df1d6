"""What the compare page asks for: its answers, and its sentences for what cannot be answered."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pytest
from starlette.applications import Starlette

from clustlab.app.routes import routes

with warnings.catch_warnings():  # Starlette's client prefers a successor of httpx, which nobody else here needs
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

GOLDEN = Path(__file__).parents[1] / "golden" / "idec-acai-digits"
COMPARE = "/clustlab/compare"


@pytest.fixture
def client(runs: Path) -> TestClient:
    for name in ("first", "second"):
        shutil.copytree(GOLDEN, runs / name)
    return TestClient(Starlette(routes=routes()), base_url="http://localhost:8501")


def test_matching_has_a_colour_for_every_cluster_and_forgets_nothing(client: TestClient) -> None:
    answer = client.get(f"{COMPARE}/matching?runs=first,second")
    assert answer.headers["cache-control"] == "no-store"
    content = answer.json()
    assert content["colours"][0] == content["colours"][1]
    assert len(set(content["colours"][0])) == 10
    assert content["n_common"] == content["n"][0]


def test_samples_and_figures_are_those_of_the_frames_asked_for(client: TestClient) -> None:
    samples = client.get(f"{COMPARE}/samples?runs=first,second&frames=20,20").json()
    assert [group["count"] for group in samples["groups"]] == [0, 0]
    apart = client.get(f"{COMPARE}/samples?runs=first,second&frames=0,20").json()
    assert apart["right"][0] != apart["right"][1]
    figure = client.get(f"{COMPARE}/figures/curves?runs=first,second&frames=3,20&place=0.5&share=true").json()
    assert figure["layout"]["shapes"][0]["x0"] == 0.5
    by_step = client.get(f"{COMPARE}/figures/curves?runs=first,second&frames=3,20&place=0.5&share=false").json()
    assert by_step["layout"]["shapes"][0]["x0"] > 1


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("matching?runs=first", 400, "2 to 4 runs can be compared"),
        ("matching", 400, "2 to 4 runs can be compared"),
        ("matching?runs=first,second,first,second,first", 400, "2 to 4 runs"),
        ("matching?runs=first,nobody", 404, "no run of this name"),
        ("matching?runs=first,../second", 404, "no run of this name"),
        ("samples?runs=first,second", 400, "one frame a run"),
        ("samples?runs=first,second&frames=1,x", 400, "one frame a run"),
        ("samples?runs=first,second&frames=1,99", 400, "there is no frame 99"),
        ("figures/nothing?runs=first,second&frames=1,1", 400, "there is no figure"),
        ("figures/curves?runs=first,second&frames=1,1&place=7", 400, "0 to 1"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(client: TestClient, path: str, status: int, said: str) -> None:
    answer = client.get(f"{COMPARE}/{path}")
    assert answer.status_code == status
    assert said in answer.json()["error"]


def test_other_sites_are_refused(client: TestClient) -> None:
    headers = {"origin": "http://elsewhere.example"}
    assert client.get(f"{COMPARE}/matching?runs=first,second", headers=headers).status_code == 403
