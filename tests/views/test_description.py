"""A fork has colours and names from its first moment on, before its worker has described it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from clustlab.figures.palette import cluster_colour
from clustlab.runs import Run
from clustlab.views import View
from clustlab.views.payload import describe, describe_sample

GOLDEN = Path(__file__).parents[1] / "golden" / "idec-acai-digits"


@pytest.fixture
def child(runs: Path) -> Run:
    """A fork of the golden run as it is before its worker has begun: a past, but no description."""
    parent, path = runs / "parent-0001", runs / "child-0001"
    for folder in (parent, path):
        shutil.copytree(GOLDEN, folder, ignore=shutil.ignore_patterns("cache", "checkpoints"))
    (path / "about.json").unlink()
    spec = json.loads((path / "spec.json").read_text())
    (path / "spec.json").write_text(json.dumps(spec | {"parent": {"run": "parent-0001", "step": 560}}))
    return Run(path)


def test_a_fork_begins_with_the_colours_and_names_of_its_parent(child: Run) -> None:
    assert child.about == {}
    own, parent = describe(child), describe(Run(child.folder.path.parent / "parent-0001"))
    assert own["palette"] == parent["palette"]
    assert len(own["palette"]["clusters"]) == 10
    assert describe_sample(child)["class_names"] == [str(digit) for digit in range(10)]
    assert View(child, 0, child.frames[0].arrays).class_names == [str(digit) for digit in range(10)]


def test_without_its_parent_it_has_the_colours_of_what_it_recorded(child: Run) -> None:
    shutil.rmtree(child.folder.path.parent / "parent-0001")
    palette = describe(child)["palette"]
    assert palette["clusters"] == [cluster_colour(cluster) for cluster in range(10)]
    assert describe_sample(child)["class_names"] == []


def test_a_parent_is_looked_for_in_the_folder_of_runs_only(child: Run, runs: Path) -> None:
    shutil.move(runs / "parent-0001", runs.parent / "elsewhere")
    spec = json.loads(child.folder.spec.read_text())
    child.folder.spec.write_text(json.dumps(spec | {"parent": {"run": "../elsewhere", "step": 560}}))
    assert describe_sample(Run(child.folder.path))["class_names"] == []
