"""Engine: train in this process. For Python, debugging and the command line."""

from pathlib import Path

__all__ = ["start"]


def start(folder: Path) -> None:
    """Train a run folder; return when the run has ended, however it ended."""
    from clustlab.launch.worker import execute  # loads torch

    execute(folder)
