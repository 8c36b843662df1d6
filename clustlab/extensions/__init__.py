"""Extensions: additions that join any method's phases, one file each.

An extension returns changed copies of phases and patches nothing; it never asks which method it meets. Copy
``acai.py`` to add one.
"""

from clustlab import discovery
from clustlab.extensions.base import Extension

__all__ = ["discover", "find"]


def discover() -> dict[str, type[Extension]]:
    """Return every extension by name: those of this package, and those registered under ``clustlab.extensions``."""
    return discovery.named_classes(__name__, __path__, Extension)  # type: ignore[type-abstract]  # only to compare with


def find(name: str) -> type[Extension]:
    """Return the extension of that name, or raise a SpecError that lists those there are."""
    return discovery.find("extension", name, discover())
