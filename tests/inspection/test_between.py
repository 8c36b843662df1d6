"""What lies between two codes is asked of the model, and told in recorded clusters."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from clustlab.errors import RunError
from clustlab.inspection import Clusters, Inspection, between, open_model, opened
from clustlab.runs import Run

ALPHAS = np.linspace(0, 1, 11, dtype=np.float32)


@pytest.fixture
def run(tmp_path: Path, golden: Path) -> Run:
    return Run(shutil.copytree(golden, tmp_path / "golden"))


@pytest.fixture
def golden() -> Path:
    return Path(__file__).parents[1] / "golden" / "idec-acai-digits"


def recorded(run: Run) -> Clusters:
    return Clusters(run.frames[-1].centroids, run.frames[-1].model_cluster)


def test_the_fixed_strips_are_found_again_between_recorded_codes(run: Run) -> None:
    frame, model = run.frames[-1], open_model(run)
    for number, (first, second) in enumerate(run.sample["pairs"]):
        found = between(model, frame.codes[[first, second]], run.sample["alpha"], recorded(run))
        np.testing.assert_allclose(found.pictures, frame.strips[number], atol=2e-3)
        np.testing.assert_array_equal(found.clusters, frame.strip_labels[number])
        np.testing.assert_allclose(found.guesses, frame.critic_guess[number], atol=2e-3)


def test_the_ends_have_the_recorded_beliefs_and_clusters(run: Run) -> None:
    frame = run.frames[-1]
    found = between(open_model(run), frame.codes[[5, 41]], ALPHAS, recorded(run))
    assert found.beliefs is not None
    np.testing.assert_allclose(found.beliefs[[0, -1]], frame.q[[5, 41]], atol=2e-3)
    assert found.fine_clusters[[0, -1]].tolist() == frame.labels[[5, 41]].tolist()
    assert found.again is not None
    again = open_model(run).encode(found.pictures)
    np.testing.assert_array_equal(
        found.again, np.argsort(frame.model_cluster)[open_model(run).soft_assign_codes(again).argmax(axis=1)]
    )


def test_recorded_centroids_decide_where_the_model_has_no_clusters(run: Run) -> None:
    frame = run.frames[-1]
    silent = open_model(run)
    silent.phase_index = 0  # the autoencoder's phase looks for no clusters
    found = between(silent, frame.centroids[[3, 7]], ALPHAS, recorded(run))
    assert found.beliefs is None
    assert found.clusters[[0, -1]].tolist() == [3, 7]


def test_a_model_is_opened_once_until_its_file_changes(run: Run) -> None:
    found: list[Inspection] = []
    threads = [threading.Thread(target=lambda: found.append(opened(run, 560))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1
    file = run.folder.checkpoint_files()[560]
    os.utime(file, ns=(0, 0))
    assert opened(run, 560) is not found[0]


def test_a_step_without_checkpoint_is_refused_in_a_sentence(run: Run) -> None:
    with pytest.raises(RunError, match="has no checkpoint of step 3; there are those of 560"):
        opened(run, 3)
