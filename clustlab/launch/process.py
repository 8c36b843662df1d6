"""Engine: train in a detached child process that survives whoever started it. The app's default."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from clustlab.errors import LaunchError
from clustlab.runs.layout import RunFolder

__all__ = ["start"]


def start(folder: Path) -> None:
    """Start ``python -m clustlab.launch.worker FOLDER`` in a session of its own, its output in ``log.txt``.

    Raises
    ------
    LaunchError
        If the process cannot be started.
    """
    try:
        with RunFolder(folder).log.open("ab") as log:
            # Never multiprocessing: its spawn would run a Streamlit script again in the child.
            worker = subprocess.Popen(
                [sys.executable, "-m", "clustlab.launch.worker", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
        # Somebody has to take note of its end, or it stays in the process table as long as this process lives.
        threading.Thread(target=worker.wait, name=f"reaper of {folder.name}", daemon=True).start()
    except OSError as error:
        raise LaunchError(f"no worker could be started for {folder.name} ({error.strerror or error})") from error
