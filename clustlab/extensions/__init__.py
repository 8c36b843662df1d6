"""Extensions: additions that join any method's phases, one file each.

An extension returns changed copies of phases and patches nothing; it never asks which method it meets. Copy
``acai.py`` to add one.
"""

import importlib
import pkgutil

from clustlab.errors import SpecError
from clustlab.extensions.base import Extension

__all__ = ["discover", "find"]


def discover() -> dict[str, type[Extension]]:
    """Return every extension of this package by name."""
    modules = [
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
        if module.name != "base"
    ]
    return {
        value.name: value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Extension) and value.__module__ == module.__name__
    }


def find(name: str) -> type[Extension]:
    """Return the extension of that name.

    Raises
    ------
    SpecError
        If there is none; lists those there are.
    """
    extensions = discover()
    if name not in extensions:
        raise SpecError(f"there is no extension “{name}”; there are {', '.join(extensions)}")
    return extensions[name]
