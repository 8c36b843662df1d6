"""Commands that are interrupted in the middle of their first run, however fast or busy the machine is."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from clustlab.runs import list_runs


def interrupted(words: list[str], runs: Path) -> subprocess.CompletedProcess[str]:
    """Start ``clustlab …``, have its first run pause, press Ctrl-C, and return what the command said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "clustlab", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # shells have what they start in the background ignore Ctrl-C, and whatever that starts in turn
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not (found := list_runs(runs)) or found[0].state != "paused":
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        for run in found:
            run.folder.ask("pause")  # obeyed after the first step, as its worker still loads PyTorch when it is asked
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(words, process.returncode, out, err)
