"""The run folder: layout, writer, reader, status, archives; ``FORMAT.md`` is its law.

Nothing here trains, draws or projects, and nothing but NumPy and the spec is loaded. To record one more array, name
it in ``FORMAT.md`` and give it in ``training/probe.py`` or in a phase's observations.
"""

from clustlab.runs.layout import RunFolder, create_run_folder, runs_folder
from clustlab.runs.reader import Frame, Run, list_runs, open_run, run_named

__all__ = [
    "Frame",
    "Run",
    "RunFolder",
    "create_run_folder",
    "list_runs",
    "open_run",
    "run_named",
    "runs_folder",
]
