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
KNOWN = ("dataset", "n_clusters")
"""What a fork knows before its worker has begun."""


@pytest.fixture
def child(runs: Path) -> Run:
    """A fork of the golden run as it is before its worker has begun: a past, and the data of its parent."""
    path = runs / "child-0001"
    shutil.copytree(GOLDEN, path, ignore=shutil.ignore_patterns("cache", "checkpoints"))
    about = Run(GOLDEN).about
    (path / "about.json").write_text(json.dumps({key: about[key] for key in KNOWN}))
    spec = json.loads((path / "spec.json").read_text())
    (path / "spec.json").write_text(json.dumps(spec | {"parent": {"run": "parent-0001", "step": 560}}))
    return Run(path)


def test_a_fork_begins_with_the_colours_and_names_of_its_parent(child: Run) -> None:
    own, parent = describe(child), describe(Run(GOLDEN))
    assert own["palette"] == parent["palette"]
    assert len(own["palette"]["clusters"]) == 10
    assert describe_sample(child)["class_names"] == [str(digit) for digit in range(10)]
    assert View(child, 0, child.frames[0].arrays).class_names == [str(digit) for digit in range(10)]


def test_without_a_description_it_has_the_colours_of_what_it_recorded(child: Run) -> None:
    child.folder.about.unlink()
    palette = describe(child)["palette"]
    assert palette["clusters"] == [cluster_colour(cluster) for cluster in range(10)]
    assert describe_sample(child)["class_names"] == []
