"""Methods: one file each, named as on the command line, reading like its paper in the words of ``base.py``.

No training loop, no file and no label lives here; formulas are in ``objectives``, networks in ``networks``. Copy
``idec.py`` to add a method: form, flags, contract tests and method page follow from the file.
"""

import importlib
import pkgutil
from importlib.metadata import entry_points

from clustlab.errors import SpecError
from clustlab.methods.base import Method

__all__ = ["discover", "find"]


def discover() -> dict[str, type[Method]]:
    """Return every method by name: those of this package, and those registered under ``clustlab.methods``."""
    modules = [
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
        if module.name != "base"
    ]
    own = [value for module in modules for value in vars(module).values() if _is_method(value, module.__name__)]
    foreign = [entry.load() for entry in entry_points(group="clustlab.methods")]
    return {method.name: method for method in sorted([*own, *foreign], key=lambda method: method.name)}


def find(name: str) -> type[Method]:
    """Return the method of that name.

    Raises
    ------
    SpecError
        If there is none; lists those there are.
    """
    methods = discover()
    if name not in methods:
        raise SpecError(f"there is no method “{name}”; there are {', '.join(methods)}")
    return methods[name]


def _is_method(value: object, module: str) -> bool:
    return isinstance(value, type) and issubclass(value, Method) and value.__module__ == module
