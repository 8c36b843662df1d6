"""The engine for clusters: what is missing is said in a sentence. What it trains is tested with the other engines."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from clustlab import launch
from clustlab.errors import LaunchError
from clustlab.launch import dask
from clustlab.spec import RunSpec


def test_without_dask_one_is_told_how_to_install_it(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find: Callable[[str], object] = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "distributed" else find(name))
    with pytest.raises(LaunchError, match=r"packages that are not installed: pip install 'clustlab\[dask\]'"):
        launch.launch(RunSpec(method="kmeans", data="blobs"), runs, "dask")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://here"])
def test_a_scheduler_that_does_not_answer_is_named(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask, "CONNECT_SECONDS", 1)
    with pytest.raises(LaunchError, match=f"no Dask scheduler answers at {address} "), dask.connected(address):
        pass


@pytest.mark.parametrize("content", [None, "nothing", "[]", "{}"])
def test_a_scheduler_file_that_is_none_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "scheduler.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(LaunchError, match="scheduler.json is no scheduler file"), dask.connected(str(path)):
        pass
