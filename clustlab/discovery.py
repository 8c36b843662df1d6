"""Finding what lives in a room: a file that is there is a method, an extension, a data source."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from types import ModuleType
from typing import TypeVar

from clustlab.errors import SpecError

__all__ = ["find", "modules", "named_classes"]

Class = TypeVar("Class")
Found = TypeVar("Found")


def modules(package: str, path: Iterable[str]) -> list[ModuleType]:
    """Return the modules of a package but its ``base``, imported."""
    names = [module.name for module in pkgutil.iter_modules(path) if module.name != "base"]
    return [importlib.import_module(f"{package}.{name}") for name in names]


def named_classes(package: str, path: Iterable[str], base: type[Class]) -> dict[str, type[Class]]:
    """Return the subclasses of ``base`` by their ``name``: those defined in a package, and registered ones.

    Other packages register theirs under an entry-point group that is named like ours: ``clustlab.methods``.
    """
    own = [
        value
        for module in modules(package, path)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    ]
    registered = [entry.load() for entry in entry_points(group=package)]
    named = {str(found.name): found for found in [*own, *registered]}
    return dict(sorted(named.items()))


def find(kind: str, name: str, there: Mapping[str, Found]) -> Found:
    """Return what has a name.

    Raises
    ------
    SpecError
        If nothing has; lists what there is.
    """
    if name not in there:
        raise SpecError(f"there is no {kind} “{name}”; there are {', '.join(there) or 'none'}")
    return there[name]
