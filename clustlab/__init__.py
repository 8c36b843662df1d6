"""clustlab opens the black box of deep clustering.

>>> import clustlab as cl
>>> run = cl.train("kmeans", data="blobs", seed=0)  # doctest: +SKIP
>>> run.metrics["acc"]  # doctest: +SKIP
1.0

Importing this package loads neither torch nor Streamlit nor UMAP; each is loaded by whoever needs it.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clustlab import estimators
    from clustlab.python import train
    from clustlab.runs.reader import Run, list_runs, open_run
    from clustlab.spec import RunSpec

__all__ = ["Run", "RunSpec", "estimators", "list_runs", "open_run", "train"]
__version__ = version("clustlab")

_HOMES = {
    "Run": "clustlab.runs.reader",
    "RunSpec": "clustlab.spec",
    "list_runs": "clustlab.runs.reader",
    "open_run": "clustlab.runs.reader",
    "train": "clustlab.python",
}


def __getattr__(name: str) -> Any:
    if name == "estimators":
        return import_module("clustlab.estimators")
    if name not in _HOMES:
        raise AttributeError(f"module “clustlab” has no “{name}”")
    return getattr(import_module(_HOMES[name]), name)
