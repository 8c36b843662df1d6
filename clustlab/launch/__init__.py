"""Launching: a spec becomes a run folder, and an engine trains it.

``worker.execute(folder)`` is the only function that trains; everyone else hands a *path* to an engine. torch is
loaded by the worker alone. Copy ``process.py`` to add an engine.
"""

from clustlab.launch.control import pause, resume, stop
from clustlab.launch.fork import fork
from clustlab.launch.submit import ENGINES, launch, submit

__all__ = ["ENGINES", "fork", "launch", "pause", "resume", "stop", "submit"]
