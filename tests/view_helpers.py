"""What tests of views look at: a run with every array that a frame may hold, written without training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clustlab.runs import Run, create_run_folder
from clustlab.runs.writer import RunWriter, write_spec
from clustlab.spec import RunSpec
from clustlab.views import panels

__all__ = ["MEASURED", "K", "N", "arrays_at", "inside_arrays", "offered", "written"]

N, K, PAIRS, STEPS = 60, 3, 2, 5
MEASURED = {"label_change": 0.1, "marginal_entropy": 1.0, "conditional_entropy": 0.2}


def inside_arrays(generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Return all that a method may observe of itself, in the shapes of FORMAT.md."""
    shapes = {
        "critic_calibration": (20, 2),
        "explained_variance": (4,),
        "laplacian_eigenvalues": (5,),
        "eigen_images": (4, 8, 8),
        "component_weights": (K,),
        "component_variances": (K, 4),
        "posterior_variances": (N, 4),
        "kl_per_dimension": (4,),
        "kld_parts": (N, 3),
        "prior_samples": (9, 8, 8),
        "style_grid": (K, 5, 8, 8),
        "counts": (K,),
        "staleness": (K,),
        "pull": (N, 4),
        "auxiliary": (N, 4),
        "dual": (N, 4),
        "plane_codes": (N, 2),
        "landscape": (6, 6),
        "landscape_positives": (9, 2),
        "discriminator_logits": (9, 2),
        "pulls": (8, 3, 2),
        "affinity": (12, 12),
        "residuals": (9, 2),
        "principal_angles": (K, K),
        "cluster_weights": (K, 8, 8),
        "weight_norms": (K,),
        "layer_costs": (4, 2),
        "combinators": (4, 2, 10),
        "corrupted_q": (N, K),
        "perturbation": (4, 8, 8),
        "perturbation_divergence": (4, 6, 3),
        "perturbed_q": (4, 3, K),
        "perturbation_radius": (N,),
        "power_cosines": (4, 5),
    }
    arrays = {name: generator.random(shape).astype(np.float32) for name, shape in shapes.items()}
    ranges = {"landscape_range": np.array([0, 1, 0, 1], np.float32), "affinity_rows": np.arange(12, dtype=np.int32)}
    ranges |= {"perturbation_rows": np.array([2, 9, 11, 30], np.int32)}
    ranges |= {"perturbation_multiples": np.array([0, 1, 2], np.float16)}
    pairs = {"pair_rows": np.arange(12, dtype=np.int32), "pair_thresholds": np.array([0.7, 0.4], np.float32)}
    ranges |= pairs | {"pair_similarities": generator.random((12, 12)).astype(np.float16)}
    ensemble = {"signatures": generator.integers(0, K, (N, 4)), "pseudo_labels": generator.integers(-1, K, N)}
    ensemble |= {"bucket_sizes": generator.integers(1, 20, (3, K)), "agreement_thresholds": np.array([1, 3])}
    ranges |= ensemble | {"combinator_units": np.zeros((4, 2), np.int32)}
    return arrays | ranges


def arrays_at(step: int, *, soft: bool) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(step)
    arrays = {
        "codes": generator.normal(size=(N, 4)).astype(np.float32),
        "labels": (np.arange(N) % K).astype(np.int16),
        "centroids": generator.normal(size=(K, 4)).astype(np.float32),
        "model_cluster": np.arange(K, dtype=np.int16),
        "sizes": np.full(K, N // K, np.int32),
        "confidence": generator.random(N).astype(np.float16),
        "sample_loss": generator.random(N).astype(np.float32),
        "decoded_centroids": generator.random((K, 8, 8)).astype(np.float16),
        "strips": generator.random((PAIRS, STEPS, 8, 8)).astype(np.float16),
        "strip_labels": np.array([[0] * STEPS, [0, 0, 1, 1, 1]], np.int16),
    }
    arrays |= inside_arrays(generator)
    if soft:
        q = generator.dirichlet(np.ones(K), size=N)
        arrays |= {"q": q.astype(np.float16), "p": (q**2 / (q**2).sum(axis=1, keepdims=True)).astype(np.float16)}
    return arrays


def written(folder: Path, *, images: bool = True) -> Run:
    run_folder = create_run_folder(folder, "view")
    write_spec(run_folder, RunSpec(method="idec", data="digits").to_json())
    writer = RunWriter(run_folder)
    phases = [{"name": "pretrain", "title": "autoencoder"}, {"name": "cluster", "title": "clustering"}]
    dataset = {"name": "digits", "class_names": ["zero", "one", "two"]}
    writer.about({"title": "IDEC on digits", "phases": phases, "dataset": dataset, "n_clusters": K})
    sample: dict[str, np.ndarray] = {"index": np.arange(N)}
    if images:
        pairs = np.array([[0, 3], [3, 4]])
        sample |= {"thumbnails": np.full((N, 8, 8), 7, np.uint8), "y": np.arange(N) % K, "pairs": pairs}
        sample |= {"alpha": np.linspace(0, 1, STEPS).astype(np.float32)}
    else:
        sample |= {"x": np.zeros((N, 4), np.float32)}
    writer.sample(sample)
    for step in range(0, 150, 10):
        phase = "pretrain" if step < 80 else "cluster"
        term = {"raw": 1 / (1 + step), "weight": 1.0, "weighted": 1 / (1 + step)}
        writer.scalars({"step": step, "phase": phase, "terms": {"reconstruction": term}, "values": MEASURED})
        arrays = arrays_at(step, soft=phase == "cluster")
        if not images:
            arrays = {name: arrays[name] for name in ("codes", "labels", "centroids", "confidence")}
        record = {"step": step, "phase": phase, "phase_step": step, "metrics": {"acc": step / 200}, "terms": {}}
        writer.frame({**record, "values": {}}, arrays)
    writer.status(state="finished", step=140)
    return Run(run_folder.path)


def offered(run: Run, frame: int) -> set[str]:
    return {panel["name"] for panel in panels(run, frame) if panel["available"]}
