"""Methods: one file each, named as on the command line, reading like its paper in the words of ``base.py``.

No training loop, no file and no label lives here; formulas are in ``objectives``, networks in ``networks``. Copy
``idec.py`` to add a method: form, flags, contract tests and method page follow from the file.
"""

from clustlab import discovery
from clustlab.methods.base import Method

__all__ = ["discover", "find"]


def discover() -> dict[str, type[Method]]:
    """Return every method by name: those of this package, and those registered under ``clustlab.methods``."""
    return discovery.named_classes(__name__, __path__, Method)  # type: ignore[type-abstract]  # only to compare with


def find(name: str) -> type[Method]:
    """Return the method of that name, or raise a SpecError that lists those there are."""
    return discovery.find("method", name, discover())
